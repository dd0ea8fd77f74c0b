internal import WorkerCore

/// Migration 3: accounts, entries, usage, and what jobs know of their own price.
///
/// The tables alone keep the promises that matter: a balance moves only with an entry, entries and usage stay as they are,
/// a job that has a hold ends only together with its settlement, and is settled only when it has ended.
enum CreditsSchema {
    static func statements(_ dialect: Dialect) -> [String] {
        path(dialect) + tables(dialect) + jobColumns(dialect)
            + LedgerGuards.all(dialect).flatMap { $0.statements(dialect) } + LedgerGuards.movement(dialect)
            + LedgerGuards.emptying(dialect) + LedgerFunctions.statements(dialect)
            // The others only grow.
            + dialect.storage(["accounts"])
    }

    /// What functions made below are to find their tables by: this schema, and temporary tables last.
    static func path(_ dialect: Dialect) -> [String] {
        guard dialect.hasFunctions else { return [] }
        return ["SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)"]
    }

    private static func tables(_ dialect: Dialect) -> [String] {
        let text = dialect.textType
        return [
            // System accounts have no balance: they are summed from their entries, so that none of them is a row for
            // which all wait. `last_entry` is the entry that moved the balance last: each moves it once.
            """
            CREATE TABLE accounts (
                id \(dialect.identity),
                owner \(text) NOT NULL,
                kind \(text) NOT NULL CHECK (kind IN ('available', 'held', 'revenue', 'issued', 'adjust')),
                guarded bigint NOT NULL,
                balance bigint NOT NULL,
                last_entry bigint NOT NULL,
                UNIQUE (owner, kind),
                CHECK (guarded = CASE WHEN kind IN ('available', 'held') THEN 1 ELSE 0 END),
                CHECK ((owner = '') = (guarded = 0)),
                CHECK (guarded = 0 OR balance >= 0),
                CHECK (guarded = 1 OR balance = 0),
                CHECK (balance <= \(MicroCredits.largest.value) AND balance = CAST(balance AS bigint))
            )
            """,
            // No references to accounts: they would lock the system's accounts with every entry, and a guard looks anyway.
            """
            CREATE TABLE ledger_entries (
                seq \(dialect.identity),
                idempotency_key \(text) NOT NULL UNIQUE,
                op \(text) NOT NULL,
                debit_account bigint NOT NULL,
                credit_account bigint NOT NULL,
                amount bigint NOT NULL,
                job \(text),
                settles bigint,
                reverses bigint,
                note \(text),
                created_at bigint NOT NULL,
                CHECK (op IN ('grant', 'hold', 'capture', 'release', 'release_rest', 'reversal', 'adjust')),
                CHECK (amount BETWEEN 1 AND \(MicroCredits.largest.value) AND amount = CAST(amount AS bigint)),
                CHECK (debit_account <> credit_account),
                CHECK ((job IS NOT NULL) = (op IN ('hold', 'capture', 'release', 'release_rest'))),
                CHECK ((settles IS NOT NULL) = (op IN ('capture', 'release', 'release_rest'))),
                CHECK ((reverses IS NOT NULL) = (op = 'reversal')),
                CHECK (CASE
                    WHEN op = 'hold' THEN substr(idempotency_key, 1, length(job) + 6) = 'hold/' || job || '/'
                    WHEN op = 'release_rest' THEN substr(idempotency_key, 1, length(job) + 6) = 'rest/' || job || '/'
                    WHEN job IS NOT NULL THEN substr(idempotency_key, 1, length(job) + 8) = 'settle/' || job || '/'
                    ELSE substr(idempotency_key, 1, length(op) + 1) = op || '/' END)
            )
            """,
            "CREATE INDEX ledger_debits ON ledger_entries (debit_account, seq)",
            "CREATE INDEX ledger_credits ON ledger_entries (credit_account, seq)",
            "CREATE INDEX ledger_of_job ON ledger_entries (job, seq) WHERE job IS NOT NULL",
            "CREATE INDEX ledger_reversals ON ledger_entries (reverses) WHERE reverses IS NOT NULL",
            """
            CREATE UNIQUE INDEX ledger_one_settlement ON ledger_entries (settles) WHERE op IN ('capture', 'release')
            """,
            "CREATE UNIQUE INDEX ledger_one_rest ON ledger_entries (settles) WHERE op = 'release_rest'",
            """
            INSERT INTO accounts (owner, kind, guarded, balance, last_entry)
            VALUES ('', 'revenue', 0, 0, 0), ('', 'issued', 0, 0, 0), ('', 'adjust', 0, 0, 0)
            """,
            """
            CREATE TABLE usage_events (
                seq \(dialect.identity),
                job \(text) NOT NULL,
                epoch bigint NOT NULL,
                owner \(text) NOT NULL,
                kind \(text) NOT NULL,
                metric \(text) NOT NULL,
                quantity bigint NOT NULL CHECK (quantity >= 0),
                measured_at bigint NOT NULL,
                UNIQUE (job, epoch, metric)
            )
            """,
            "CREATE INDEX usage_by_time ON usage_events (measured_at, seq)",
        ]
    }

    /// The references are looked at when the transaction commits: by then the entry that a job names has to be there.
    private static func jobColumns(_ dialect: Dialect) -> [String] {
        let text = dialect.textType
        let entry = "REFERENCES ledger_entries (idempotency_key) DEFERRABLE INITIALLY DEFERRED"
        let columns = [
            "billing \(text) NOT NULL DEFAULT 'off' CHECK (billing IN ('external', 'internal', 'off'))",
            "price bigint CHECK (price IS NULL OR price BETWEEN 0 AND \(MicroCredits.largest.value))",
            "rate \(text)",
            "charged_failures \(text)",
            "retry_of \(text)",
            """
            hold \(text) \(entry) CHECK (hold IS NULL OR (substr(hold, 1, length(id) + 6) = 'hold/' || id || '/'
                AND billing = 'internal' AND price IS NOT NULL AND price > 0 AND owner <> ''))
            """,
            """
            charge bigint CHECK (charge IS NULL OR (price IS NOT NULL AND charge BETWEEN 0 AND price
                AND finished_at IS NOT NULL))
            """,
            // A hold is settled exactly when its job has ended, and what is paid for here starts with a hold.
            """
            settlement \(text) \(entry) CHECK (
                (settlement IS NULL OR (hold IS NOT NULL AND charge IS NOT NULL
                    AND settlement = 'settle/' || substr(hold, 6)))
                AND (hold IS NULL OR (settlement IS NOT NULL) = (finished_at IS NOT NULL))
                AND (billing <> 'internal' OR hold IS NOT NULL OR needs_admission = 1 OR finished_at IS NOT NULL
                    OR coalesce(price, -1) = 0))
            """,
        ]
        return columns.map { "ALTER TABLE jobs ADD COLUMN \($0)" } + [
            "CREATE UNIQUE INDEX jobs_retry ON jobs (retry_of) WHERE retry_of IS NOT NULL"
        ]
    }
}
