package import WorkerCore

/// The statement that gives a worker its next jobs. Its cost depends on what is asked for, not on how much is queued.
///
/// - A recursive query hops through the index from one size class to the next, per kind, so that only those are looked
///   at that hold ready jobs, and none that is too large.
/// - Of each, the first few in order are candidates: as many as wanted, and some more, since other workers are taking
///   the same ones at this moment.
/// - The candidates of all kinds are put in one order by how far each is ahead of its kind's virtual time, and the first
///   that nobody else holds are taken.
struct ClaimStatement: Sendable {
    /// How many more are looked at than wanted, per size class.
    private static let spare = 12

    private let text: @Sendable (_ kinds: Int, _ admits: Bool) -> String

    init(_ dialect: Dialect) {
        let now = dialect.now
        // A worker that the job must not go back to gets it when no other live one could take it.
        let isGivenTo = """
            (j.avoided IS NULL OR \(dialect.position)(j.avoided, $5) = 0 OR NOT EXISTS (
                SELECT 1 FROM workers w WHERE w.name <> $1 AND w.is_draining = 0 AND w.heartbeat_at > \(now) - $8
                AND w.memory_bytes >= j.memory_bytes
                AND \(dialect.position)(w.kinds, '"' || j.kind || '"') > 0
                AND \(dialect.position)(j.avoided, '"' || w.name || '"') = 0))
            """
        let isInTime = "(j.expires_at IS NULL OR j.expires_at > \(now) OR j.started_at IS NOT NULL)"
        let ready = dialect.firstOfEach(
            "groups",
            """
            j.state = 'queued' AND j.kind = g.kind AND j.size_class = g.size_class AND j.memory_bytes <= $4
            AND \(isInTime) AND \(isGivenTo)
            """, "$7")
        let admitting = dialect.firstOfEach(
            "wanted",
            """
            j.state = 'admitting' AND j.lease_owner IS NULL AND j.kind = g.kind AND j.available_at <= \(now)
            AND \(isInTime) AND \(isGivenTo)
            """, "$7")
        @Sendable func smallest(above: String) -> String {
            """
            (SELECT min(j.size_class) FROM jobs j
                WHERE j.state = 'queued' AND j.kind = g.kind AND j.size_class \(above))
            """
        }
        let returned = JobRow.columns(of: "jobs")
        let lock = dialect.lockFree("j")
        text = { kinds, admits in
            let places = (0..<kinds).map { "$\(9 + $0)" }.joined(separator: ", ")
            return """
                WITH RECURSIVE wanted AS (SELECT kind, virtual_time FROM kinds WHERE kind IN (\(places))),
                groups(kind, virtual_time, size_class) AS (
                    SELECT g.kind, g.virtual_time, \(smallest(above: ">= 0")) FROM wanted g
                    UNION ALL
                    SELECT g.kind, g.virtual_time, \(smallest(above: "> g.size_class")) FROM groups g
                    WHERE g.size_class < $6),
                candidates AS (
                    SELECT j.seq, j.order_key - g.virtual_time AS place FROM \(ready)
                    WHERE g.size_class <= $6
                    \(admits ? "UNION ALL SELECT j.seq, j.order_key - g.virtual_time AS place FROM \(admitting)" : "")),
                picked AS (
                    SELECT j.seq FROM candidates c JOIN jobs j ON j.seq = c.seq
                    WHERE j.state = 'queued' OR (j.state = 'admitting' AND j.lease_owner IS NULL)
                    ORDER BY c.place, j.seq LIMIT $3\(lock))
                UPDATE jobs SET
                    epoch = epoch + 1, lease_owner = $1, lease_instance = $2,
                    lease_until = \(now) + CAST($\(9 + kinds) AS bigint),
                    attempt = CASE WHEN state = 'queued' THEN attempt + 1 ELSE attempt END,
                    started_at = CASE WHEN state = 'queued' AND started_at IS NULL THEN \(now) ELSE started_at END,
                    state = CASE WHEN state = 'queued' THEN 'running' ELSE state END
                WHERE seq IN (SELECT seq FROM picked)
                RETURNING \(now), (SELECT virtual_time FROM kinds k WHERE k.kind = jobs.kind), \(returned)
                """
        }
    }

    func execute(_ session: any SQLSession, _ request: ClaimRequest, offlineAfterSeconds: Double) throws -> [SQLRow] {
        let quoted = try StoredJSON.encode(request.worker)
        return try session.execute(
            text(request.kinds.count, request.admits),
            [
                .init(request.worker), .init(request.instance), .init(request.limit), .integer(request.memoryBytes),
                .text(quoted), .integer(JobRow.sizeClass(memoryBytes: request.memoryBytes)),
                .init(request.limit + Self.spare), .integer(Int64(offlineAfterSeconds * 1000)),
            ] + request.kinds.map { .text($0.rawValue) } + [.integer(Int64(request.leaseSeconds * 1000))])
    }
}

extension SQLJobStore {
    private static let insertAttempts = BatchStatement(
        [.integer("job_seq"), .integer("epoch"), .text("worker"), .integer("started_at")],
        """
        INSERT INTO attempts (job_seq, epoch, worker, started_at)
        SELECT job_seq, epoch, worker, started_at FROM batch WHERE job_seq IS NOT NULL
        """)

    /// A job in `admitting` keeps that state while it is leased to be looked at.
    package func claim(_ request: ClaimRequest) async throws(StoreError) -> [JobRecord] {
        guard !request.kinds.isEmpty, request.limit > 0 else { return [] }
        return try await database.transaction(.write) { session in
            var claimed: [(place: Double, row: JobRow, time: StoreTime, virtualTime: Double)] = []
            for var row in try claims.execute(session, request, offlineAfterSeconds: policy.offlineAfterSeconds) {
                let (time, virtualTime) = (try row.integer(), try row.real())
                let job = try JobRow(&row)
                claimed.append((job.orderKey - virtualTime, job, time, virtualTime))
            }
            guard !claimed.isEmpty else { return [] }
            try Self.insertAttempts.execute(
                session,
                claimed.map { claim in
                    [
                        .integer(claim.row.seq), .integer(claim.row.job.epoch), .init(request.worker),
                        .integer(claim.time),
                    ]
                })
            let started = claimed.filter { $0.row.job.state == .running && $0.row.startTag > $0.virtualTime }
            for (kind, ofKind) in Dictionary(grouping: started, by: \.row.job.kind) {
                let highest = ofKind.map(\.row.startTag).max() ?? 0
                try session.execute(statements.advance, .text(kind.rawValue), .real(highest))
            }
            return claimed.sorted { ($0.place, $0.row.seq) < ($1.place, $1.row.seq) }.map(\.row.job)
        }
    }
}
