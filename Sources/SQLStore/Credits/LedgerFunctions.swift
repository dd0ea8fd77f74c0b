/// The steps in which a job's money moves: functions in Postgres, which workers may call and which have rights that workers
/// have not; the same statements one by one in SQLite.
enum LedgerFunctions {
    /// `job` stands for the job's id.
    static func hold(job: String, _ dialect: Dialect) -> String {
        """
        INSERT INTO ledger_entries (idempotency_key, op, debit_account, credit_account, amount, job, created_at)
        SELECT j.hold, 'hold', a.id, h.id, j.price, j.id, \(dialect.now) FROM jobs j
        JOIN accounts a ON a.owner = j.owner AND a.kind = 'available'
        JOIN accounts h ON h.owner = j.owner AND h.kind = 'held'
        WHERE j.id = \(job) AND j.hold IS NOT NULL
        """
    }

    static func settle(job: String, _ dialect: Dialect) -> String {
        """
        INSERT INTO ledger_entries (
            idempotency_key, op, debit_account, credit_account, amount, job, settles, created_at)
        SELECT j.settlement, CASE WHEN j.charge > 0 THEN 'capture' ELSE 'release' END, h.credit_account,
            CASE WHEN j.charge > 0 THEN r.id ELSE h.debit_account END,
            CASE WHEN j.charge > 0 THEN j.charge ELSE h.amount END, j.id, h.seq, \(dialect.now)
        FROM jobs j JOIN ledger_entries h ON h.idempotency_key = j.hold
        JOIN accounts r ON r.owner = '' AND r.kind = 'revenue'
        WHERE j.id = \(job) AND j.settlement IS NOT NULL AND j.finished_at IS NOT NULL
        """
    }

    static func releaseRest(job: String, _ dialect: Dialect) -> String {
        """
        INSERT INTO ledger_entries (
            idempotency_key, op, debit_account, credit_account, amount, job, settles, created_at)
        SELECT 'rest/' || substr(j.hold, 6), 'release_rest', h.credit_account, h.debit_account, h.amount - j.charge, j.id, h.seq,
            \(dialect.now)
        FROM jobs j JOIN ledger_entries h ON h.idempotency_key = j.hold
        WHERE j.id = \(job) AND j.settlement IS NOT NULL AND j.charge > 0 AND j.charge < h.amount
        """
    }

    /// A job that is being looked at gets its price, and takes its hold.
    static func admit(job: String, epoch: String, price: String, rate: String) -> String {
        """
        UPDATE jobs SET price = \(price), rate = \(rate), 
            hold = CASE WHEN \(price) > 0 THEN 'hold/' || id || '/' || created_at END
        WHERE id = \(job) AND epoch = \(epoch) AND state = 'admitting' AND needs_admission = 1
            AND billing = 'internal' AND hold IS NULL AND owner <> ''
        """
    }

    static let available = "SELECT balance FROM accounts WHERE owner = $1 AND kind = 'available'"

    /// For `GRANT`.
    static let callable = [
        "ledger_available(text)", "ledger_hold(text)", "ledger_settle(text)",
        "ledger_admit(text, bigint, bigint, text)",
    ]

    static func statements(_ dialect: Dialect) -> [String] {
        guard dialect.hasFunctions else { return [] }
        // In the order of their numbers, as everybody locks them.
        let locks = """
            PERFORM 1 FROM accounts a JOIN jobs j ON j.owner = a.owner
            WHERE j.id = wanted AND a.guarded = 1 ORDER BY a.id FOR UPDATE OF a;
            """
        func refusal(_ message: String) -> String {
            "IF NOT FOUND THEN RAISE EXCEPTION '\(message)' USING ERRCODE = 'restrict_violation'; END IF;"
        }
        let made = [
            // The row stays locked, so that what is free is free still when the hold is taken.
            TableGuard.function(
                "ledger_available(wanted text)", returns: "bigint", declare: "DECLARE amount bigint;",
                """
                PERFORM 1 FROM accounts WHERE owner = wanted AND guarded = 1 ORDER BY id FOR UPDATE;
                SELECT balance INTO amount FROM accounts WHERE owner = wanted AND kind = 'available';
                RETURN coalesce(amount, 0);
                """),
            TableGuard.function(
                "ledger_hold(wanted text)", returns: "void",
                "\(locks) \(hold(job: "wanted", dialect)); \(refusal("there is no job to hold credit for"))"),
            TableGuard.function(
                "ledger_settle(wanted text)", returns: "void",
                """
                \(locks) \(settle(job: "wanted", dialect)); \(refusal("there is no ended job to settle"))
                \(releaseRest(job: "wanted", dialect));
                """),
            TableGuard.function(
                "ledger_admit(wanted text, wanted_epoch bigint, wanted_price bigint, wanted_rate text)",
                returns: "void",
                """
                \(admit(job: "wanted", epoch: "wanted_epoch", price: "wanted_price", rate: "wanted_rate"));
                \(refusal("there is no job to admit"))
                IF wanted_price > 0 THEN PERFORM ledger_hold(wanted); END IF;
                """),
        ]
        return made + callable.map { "REVOKE ALL ON FUNCTION \($0) FROM PUBLIC" }
    }
}
