package import WorkerCore

/// The rules of the books as queries that find what breaks them.
///
/// Most of them the tables enforce themselves. They are asked all the same: a backup put back in part, a constraint taken
/// away by hand, a fault of ours.
struct AuditRule: Sendable {
    var rule: String
    /// Selects what names a row, as text.
    var sql: String

    static func all(_ dialect: Dialect) -> [AuditRule] {
        let sum = { (side: String, account: String) in
            "coalesce((SELECT sum(e.amount) FROM ledger_entries e WHERE e.\(side)_account = \(account)), 0)"
        }
        let settled = """
            EXISTS (SELECT 1 FROM ledger_entries s WHERE s.settles = h.seq AND s.op IN ('capture', 'release'))
            """
        let category = dialect.member("j.failure", "category")
        let charged = """
            (j.state = 'succeeded' OR \(dialect.position)(coalesce(j.charged_failures, ''), \
            '"' || coalesce(\(category), '?') || '"') > 0)
            """
        return [
            AuditRule(
                rule: "a balance is the sum of its entries",
                sql: """
                    SELECT CAST(a.id AS text) FROM accounts a WHERE a.guarded = 1
                    AND a.balance <> \(sum("credit", "a.id")) - \(sum("debit", "a.id"))
                    """),
            AuditRule(
                rule: "no balance is negative",
                sql: "SELECT CAST(id AS text) FROM accounts WHERE guarded = 1 AND balance < 0"),
            AuditRule(
                rule: "an entry has two accounts, of one owner or the system's",
                sql: """
                    SELECT CAST(e.seq AS text) FROM ledger_entries e
                    LEFT JOIN accounts d ON d.id = e.debit_account LEFT JOIN accounts c ON c.id = e.credit_account
                    WHERE d.id IS NULL OR c.id IS NULL OR d.id = c.id
                    OR (d.owner <> c.owner AND d.guarded = 1 AND c.guarded = 1)
                    """),
            AuditRule(
                rule: "the books sum to zero",
                sql: """
                    SELECT 'all accounts' WHERE (SELECT coalesce(sum(balance), 0) FROM accounts WHERE guarded = 1)
                    + coalesce((SELECT sum(\(sum("credit", "a.id")) - \(sum("debit", "a.id")))
                        FROM accounts a WHERE a.guarded = 0), 0) <> 0
                    """),
            AuditRule(
                rule: "a hold is settled at most once",
                sql: """
                    SELECT CAST(min(seq) AS text) FROM ledger_entries WHERE settles IS NOT NULL
                    GROUP BY settles, CASE WHEN op = 'release_rest' THEN 1 ELSE 0 END HAVING count(*) > 1
                    """),
            AuditRule(
                rule: "what settles a hold comes to as much as the hold",
                sql: """
                    SELECT CAST(h.seq AS text) FROM ledger_entries h WHERE h.op = 'hold' AND \(settled)
                    AND h.amount <> coalesce((SELECT sum(s.amount) FROM ledger_entries s WHERE s.settles = h.seq), 0)
                    """),
            AuditRule(
                rule: "a movement is entered once",
                sql: """
                    SELECT CAST(min(seq) AS text) FROM ledger_entries GROUP BY idempotency_key HAVING count(*) > 1
                    """),
            AuditRule(
                rule: "what is held is the sum of open holds",
                sql: """
                    SELECT CAST(a.id AS text) FROM accounts a WHERE a.kind = 'held' AND a.balance <> coalesce((
                        SELECT sum(h.amount) FROM ledger_entries h
                        WHERE h.op = 'hold' AND h.credit_account = a.id AND NOT \(settled)), 0)
                    """),
            AuditRule(
                rule: "an open hold is of a job that has not ended",
                sql: """
                    SELECT CAST(h.seq AS text) FROM ledger_entries h WHERE h.op = 'hold' AND NOT \(settled)
                    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.hold = h.idempotency_key AND j.id = h.job
                        AND j.finished_at IS NULL AND j.price = h.amount)
                    """),
            AuditRule(
                rule: "a job that is paid for here has a hold before it may start",
                sql: """
                    SELECT j.id FROM jobs j WHERE j.billing = 'internal' AND j.finished_at IS NULL
                    AND j.needs_admission = 0 AND coalesce(j.price, -1) <> 0 AND NOT EXISTS (
                        SELECT 1 FROM ledger_entries h WHERE h.idempotency_key = j.hold AND h.op = 'hold'
                        AND h.amount = j.price AND h.job = j.id)
                    """),
            AuditRule(
                rule: "a job that has not ended is not settled",
                sql: """
                    SELECT j.id FROM jobs j JOIN ledger_entries h ON h.idempotency_key = j.hold
                    WHERE j.finished_at IS NULL AND (j.settlement IS NOT NULL OR \(settled))
                    """),
            AuditRule(
                rule: "a job that has ended is settled as it ended",
                sql: """
                    SELECT j.id FROM jobs j LEFT JOIN ledger_entries h ON h.idempotency_key = j.hold
                    WHERE j.finished_at IS NOT NULL AND j.hold IS NOT NULL AND (h.seq IS NULL
                        OR (j.charge > 0 AND NOT \(charged))
                        OR NOT EXISTS (SELECT 1 FROM ledger_entries s WHERE s.settles = h.seq AND s.job = j.id
                            AND s.idempotency_key = j.settlement
                            AND s.op = CASE WHEN j.charge > 0 THEN 'capture' ELSE 'release' END
                            AND s.amount = CASE WHEN j.charge > 0 THEN j.charge ELSE h.amount END))
                    """),
            AuditRule(
                rule: "no more of an entry is reversed than there was",
                sql: """
                    SELECT CAST(e.seq AS text) FROM ledger_entries e WHERE e.op IN ('grant', 'capture', 'adjust')
                    AND e.amount < coalesce((SELECT sum(r.amount) FROM ledger_entries r WHERE r.reverses = e.seq), 0)
                    """),
            AuditRule(
                rule: "a measurement is there once",
                sql: """
                    SELECT CAST(min(seq) AS text) FROM usage_events GROUP BY job, epoch, metric HAVING count(*) > 1
                    """),
        ]
    }
}

extension SQLJobStore {
    /// One transaction that only reads for each rule.
    package func verify() async throws(StoreError) -> LedgerFault? {
        for rule in AuditRule.all(database.dialect) {
            let sql = "SELECT * FROM (\(rule.sql)) broken LIMIT 1"
            let row: String? = try await database.transaction(.read) { session in
                var answer = try session.execute(sql).first
                return try answer?.text()
            }
            if let row { return LedgerFault(rule: rule.rule, row: row) }
        }
        return nil
    }
}
