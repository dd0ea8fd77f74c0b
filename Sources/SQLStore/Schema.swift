internal import Model
internal import WorkerCore

/// The tables, as numbered steps that are never changed once released: what comes later is a step of its own.
struct Migration: Sendable {
    var version: Int64
    var name: String
    var statements: @Sendable (Dialect) -> [String]

    static let all: [Migration] = [
        Migration(version: 1, name: "jobs") { dialect in
            jobs(dialect) + jobIndexes + others(dialect)
                + dialect.storage(["jobs", "attempts", "notices", "kinds", "owner_shares", "workers"])
        },
        Migration(version: 2, name: "uploads") { dialect in uploads(dialect) + dialect.storage(["uploads"]) },
        Migration(version: 3, name: "credits") { dialect in CreditsSchema.statements(dialect) },
        Migration(version: 4, name: "payments") { dialect in PaymentsSchema.statements(dialect) },
        Migration(version: 5, name: "chunks") { dialect in ChunksSchema.statements(dialect) },
    ]

    private static func jobs(_ dialect: Dialect) -> [String] {
        let text = dialect.textType
        return [
            """
            CREATE TABLE jobs (
                seq \(dialect.identity),
                id \(text) NOT NULL UNIQUE,
                kind \(text) NOT NULL,
                owner \(text) NOT NULL,
                tier bigint NOT NULL,
                state \(text) NOT NULL CHECK (state IN ('admitting', 'scheduled', 'waiting', 'queued', 'running',
                    'succeeded', 'failed', 'cancelled', 'dead')),
                payload \(text) NOT NULL,
                ingress \(text) NOT NULL,
                idempotency_key \(text),
                reply \(text),
                progress_route \(text),
                request_id \(text),
                attempt bigint NOT NULL,
                max_attempts bigint NOT NULL,
                interruptions bigint NOT NULL,
                epoch bigint NOT NULL,
                lease_owner \(text),
                lease_instance \(text),
                lease_until bigint,
                cancel_requested bigint NOT NULL,
                created_at bigint NOT NULL,
                available_at bigint NOT NULL,
                expires_at bigint,
                started_at bigint,
                finished_at bigint,
                cost_seconds double precision NOT NULL,
                memory_bytes bigint NOT NULL,
                base_memory_bytes bigint NOT NULL,
                size_class bigint NOT NULL,
                start_tag double precision NOT NULL,
                order_key double precision NOT NULL,
                caps \(text),
                avoided \(text),
                is_overflow bigint NOT NULL,
                needs_admission bigint NOT NULL,
                result \(text),
                failure \(text),
                CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
                CHECK (state <> 'running' OR lease_owner IS NOT NULL),
                CHECK (lease_owner IS NULL OR state IN ('running', 'admitting')),
                CHECK ((finished_at IS NOT NULL) = (state IN ('succeeded', 'failed', 'cancelled', 'dead')))
            )
            """
        ]
    }

    private static let jobIndexes = [
        // An arrival comes once.
        """
        CREATE UNIQUE INDEX jobs_arrival ON jobs (ingress, idempotency_key) WHERE idempotency_key IS NOT NULL
        """,
        // What workers claim from. The last column lets a job that does not fit be passed over inside the index.
        """
        CREATE INDEX jobs_ready ON jobs (kind, size_class, order_key, seq, memory_bytes) WHERE state = 'queued'
        """,
        "CREATE INDEX jobs_admitting ON jobs (kind, order_key, seq) WHERE state = 'admitting' AND lease_owner IS NULL",
        // An owner's best waiting job, and his worst ready one. Two, because SQLite does not see that a state is in a list.
        "CREATE INDEX jobs_owner_waiting ON jobs (kind, owner, order_key, seq) WHERE state = 'waiting'",
        "CREATE INDEX jobs_owner_queued ON jobs (kind, owner, order_key, seq) WHERE state = 'queued'",
        "CREATE INDEX jobs_scheduled ON jobs (available_at, seq) WHERE state = 'scheduled'",
        """
        CREATE INDEX jobs_expiring ON jobs (expires_at, seq)
        WHERE expires_at IS NOT NULL AND started_at IS NULL AND finished_at IS NULL
        """,
        // Not on the time when the lease ends: a renewal then changes no index.
        "CREATE INDEX jobs_leased ON jobs (lease_owner, seq) WHERE lease_owner IS NOT NULL",
        "CREATE INDEX jobs_ended ON jobs (state, finished_at) WHERE finished_at IS NOT NULL",
        "CREATE INDEX jobs_by_owner ON jobs (owner, seq)",
    ]

    private static func others(_ dialect: Dialect) -> [String] {
        let text = dialect.textType
        return [
            """
            CREATE TABLE attempts (
                job_seq bigint NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
                epoch bigint NOT NULL,
                worker \(text) NOT NULL,
                started_at bigint NOT NULL,
                ended_at bigint,
                failure \(text),
                PRIMARY KEY (job_seq, epoch)
            )
            """,
            // `virtual_time`: the highest start tag among the jobs of the kind that were taken (FairShare).
            "CREATE TABLE kinds (kind \(text) PRIMARY KEY, virtual_time double precision NOT NULL)",
            // What is counted here is kept right by each transaction that changes a job's state: `active` jobs have not
            // ended, `ready` ones are queued or running.
            """
            CREATE TABLE owner_shares (
                kind \(text) NOT NULL,
                owner \(text) NOT NULL,
                finish_tag double precision NOT NULL,
                active bigint NOT NULL CHECK (active >= 0),
                ready bigint NOT NULL CHECK (ready >= 0),
                waiting bigint NOT NULL CHECK (waiting >= 0),
                PRIMARY KEY (kind, owner)
            )
            """,
            "CREATE INDEX owner_shares_waiting ON owner_shares (kind, owner) WHERE waiting > 0",
            """
            CREATE TABLE workers (
                name \(text) PRIMARY KEY,
                instance \(text) NOT NULL,
                kinds \(text) NOT NULL,
                slots bigint NOT NULL,
                busy_slots bigint NOT NULL,
                memory_bytes bigint NOT NULL,
                is_draining bigint NOT NULL,
                version \(text) NOT NULL,
                heartbeat_at bigint NOT NULL
            )
            """,
            """
            CREATE TABLE notices (
                seq \(dialect.identity),
                job \(text) NOT NULL,
                channel \(text) NOT NULL,
                body \(text) NOT NULL,
                available_at bigint NOT NULL,
                tries bigint NOT NULL
            )
            """,
            "CREATE INDEX notices_due ON notices (available_at, seq)",
        ]
    }

    /// Rows are few: those of attempts that run, and what they left. They refer to no row of `jobs`, so that a job can go
    /// before the last of what it left has.
    private static func uploads(_ dialect: Dialect) -> [String] {
        let text = dialect.textType
        return [
            """
            CREATE TABLE uploads (
                seq \(dialect.identity),
                job \(text) NOT NULL,
                epoch bigint NOT NULL,
                uri \(text) NOT NULL,
                upload_id \(text),
                etag \(text),
                begun_at bigint NOT NULL
            )
            """,
            "CREATE UNIQUE INDEX uploads_of_attempt ON uploads (job, epoch, uri)",
        ]
    }
}

extension Migration {
    /// Brings the schema up to date, in one transaction that others wait for. One that is needs no right to change it.
    static func run(_ session: any SQLSession, _ dialect: Dialect) throws {
        guard try !isDone(session, dialect) else { return }
        for statement in dialect.migrationStart { try session.execute(statement) }
        // Somebody else may have done it while this waited.
        for step in try pending(session, dialect) { for statement in step.run { try session.execute(statement) } }
    }

    /// What has to be run, in order. Nothing for a schema that is up to date.
    static func pending(_ session: any SQLSession, _ dialect: Dialect) throws -> [PendingMigration] {
        let applied = try version(session, dialect)
        var steps: [PendingMigration] = []
        if applied == nil {
            steps.append(
                PendingMigration(
                    version: 0, name: "migrations",
                    run: [
                        """
                        CREATE TABLE schema_migrations (
                            version bigint PRIMARY KEY, name \(dialect.textType) NOT NULL, applied_at bigint NOT NULL)
                        """
                    ]))
        }
        for migration in all where migration.version > applied ?? 0 {
            let note = """
                INSERT INTO schema_migrations (version, name, applied_at)
                VALUES (\(migration.version), '\(migration.name)', \(dialect.now))
                """
            steps.append(
                PendingMigration(
                    version: migration.version, name: migration.name, run: migration.statements(dialect) + [note]))
        }
        let known = applied == nil ? [] : try kinds(session)
        let missing = JobKind.allCases.filter { !known.contains($0.rawValue) }
        if !missing.isEmpty {
            let rows = missing.map { "('\($0.rawValue)', 0.0)" }.joined(separator: ", ")
            let version = all.last?.version ?? 0
            steps.append(
                PendingMigration(
                    version: version, name: "kinds",
                    run: ["INSERT INTO kinds (kind, virtual_time) VALUES \(rows) ON CONFLICT (kind) DO NOTHING"]))
        }
        return steps
    }

    private static func isDone(_ session: any SQLSession, _ dialect: Dialect) throws -> Bool {
        try pending(session, dialect).isEmpty
    }

    /// Of the schema; `nil` where there is none.
    private static func version(_ session: any SQLSession, _ dialect: Dialect) throws -> Int64? {
        guard try !session.execute(dialect.isMigrated).isEmpty else { return nil }
        var answer = try session.execute("SELECT coalesce(max(version), 0) FROM schema_migrations")
        let applied = answer.isEmpty ? 0 : try answer[0].integer()
        guard applied <= (all.last?.version ?? 0) else {
            throw StoreError(
                "the store was made by a newer version of Reelpool", detail: "its schema is number \(applied)",
                code: .storeUnavailable)
        }
        return applied
    }

    private static func kinds(_ session: any SQLSession) throws -> Set<String> {
        Set(
            try session.execute("SELECT kind FROM kinds").map { row in
                var row = row
                return try row.text()
            })
    }
}
