/// What the ledger's tables refuse.
enum LedgerGuards {
    static func all(_ dialect: Dialect) -> [TableGuard] {
        [
            TableGuard(
                name: "accounts_begin_empty", table: "accounts", event: .insert,
                condition: "(NEW.balance <> 0 OR NEW.last_entry <> 0)", message: "an account begins with nothing"),
            TableGuard(
                name: "accounts_stay", table: "accounts", event: .delete, condition: "(1 = 1)",
                message: "an account is never deleted"),
            TableGuard(
                name: "accounts_move_by_entries", table: "accounts", event: .update, condition: movedOtherwise,
                message: "a balance moves only with its next entry"),
            TableGuard(
                name: "ledger_entries_stay", table: "ledger_entries", event: .delete, condition: "(1 = 1)",
                message: "an entry is never deleted"),
            TableGuard(
                name: "ledger_entries_unchanged", table: "ledger_entries", event: .update, condition: "(1 = 1)",
                message: "an entry is never changed"),
            TableGuard(
                name: "ledger_entries_shape", table: "ledger_entries", event: .insert, condition: misshapen(dialect),
                message: "an entry that its accounts, its job or its origin do not bear out"),
            TableGuard(
                name: "usage_events_stay", table: "usage_events", event: .delete, condition: "(1 = 1)",
                message: "a measurement is never deleted"),
            TableGuard(
                name: "usage_events_unchanged", table: "usage_events", event: .update,
                condition: """
                    (NEW.seq <> OLD.seq OR NEW.job <> OLD.job OR NEW.epoch <> OLD.epoch OR NEW.kind <> OLD.kind
                        OR NEW.metric <> OLD.metric OR NEW.quantity <> OLD.quantity
                        OR NEW.measured_at <> OLD.measured_at)
                    """, message: "a measurement is never changed"),
            TableGuard(
                name: "jobs_keep_hold", table: "jobs", event: .delete,
                condition: "(OLD.hold IS NOT NULL AND OLD.settlement IS NULL)",
                message: "a job with an open hold is not deleted"),
            TableGuard(
                name: "jobs_keep_price", table: "jobs", event: .update, condition: repriced,
                message: "what a job holds, and how it was settled, stays"),
        ]
    }

    private static let movedOtherwise = """
        (NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.guarded <> OLD.guarded
            OR ((NEW.balance <> OLD.balance OR NEW.last_entry <> OLD.last_entry) AND NOT (
                NEW.last_entry > OLD.last_entry AND EXISTS (SELECT 1 FROM ledger_entries e
                    WHERE e.seq = NEW.last_entry AND NEW.balance - OLD.balance = CASE
                        WHEN e.credit_account = OLD.id THEN e.amount WHEN e.debit_account = OLD.id THEN -e.amount END))))
        """

    private static let repriced = """
        (OLD.hold IS NOT NULL AND (
            NEW.id <> OLD.id OR NEW.billing <> OLD.billing OR coalesce(NEW.hold, '') <> OLD.hold
            OR coalesce(NEW.price, -1) <> OLD.price OR coalesce(NEW.rate, '') <> coalesce(OLD.rate, '')
            OR (OLD.settlement IS NULL AND NEW.owner <> OLD.owner)
            OR (OLD.settlement IS NOT NULL AND (coalesce(NEW.settlement, '') <> OLD.settlement
                OR coalesce(NEW.charge, -1) <> OLD.charge OR NEW.state <> OLD.state))))
        """

    /// Accounts as the operation has them and of one owner; a hold as its job has it; a settlement of an ended job, as that
    /// ended; a reversal of no more than there was.
    private static func misshapen(_ dialect: Dialect) -> String {
        let category = dialect.member("j.failure", "category")
        let charged = """
            (j.state = 'succeeded' OR \(dialect.position)(coalesce(j.charged_failures, ''), \
            '"' || coalesce(\(category), '?') || '"') > 0)
            """
        return """
            (NOT EXISTS (SELECT 1 FROM accounts d JOIN accounts c ON c.id = NEW.credit_account
                WHERE d.id = NEW.debit_account AND (d.owner = c.owner OR d.guarded = 0 OR c.guarded = 0)
                AND NEW.op || ' ' || d.kind || ' ' || c.kind IN ('grant issued available', 'hold available held',
                    'capture held revenue', 'release held available', 'release_rest held available',
                    'adjust adjust available', 'adjust available adjust', 'reversal available issued',
                    'reversal revenue available', 'reversal adjust available', 'reversal available adjust'))
            OR (NEW.op = 'hold' AND NOT EXISTS (SELECT 1 FROM jobs j JOIN accounts d ON d.id = NEW.debit_account
                WHERE j.id = NEW.job AND j.hold = NEW.idempotency_key AND j.settlement IS NULL
                AND j.price = NEW.amount AND j.owner = d.owner))
            OR (NEW.settles IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM jobs j JOIN ledger_entries h ON h.idempotency_key = j.hold
                WHERE j.id = NEW.job AND h.seq = NEW.settles AND j.finished_at IS NOT NULL
                AND j.settlement IS NOT NULL AND NEW.debit_account = h.credit_account
                AND NEW.idempotency_key = CASE WHEN NEW.op = 'release_rest' THEN 'rest/' || substr(j.hold, 6)
                    ELSE j.settlement END
                AND (NEW.op = 'capture' OR NEW.credit_account = h.debit_account)
                AND (NEW.op <> 'capture' OR \(charged))
                AND NEW.amount = CASE WHEN NEW.op = 'capture' THEN j.charge
                    WHEN NEW.op = 'release' AND j.charge = 0 THEN h.amount
                    WHEN NEW.op = 'release_rest' AND j.charge > 0 THEN h.amount - j.charge END))
            OR (NEW.reverses IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.seq = NEW.reverses
                AND NEW.debit_account = e.credit_account
                AND ((e.op IN ('grant', 'adjust') AND NEW.credit_account = e.debit_account)
                    OR (e.op = 'capture' AND EXISTS (SELECT 1 FROM accounts a JOIN accounts h ON h.owner = a.owner
                        WHERE a.id = NEW.credit_account AND h.id = e.debit_account)))
                AND NEW.amount + (SELECT coalesce(sum(r.amount), 0) FROM ledger_entries r
                    WHERE r.reverses = NEW.reverses) <= e.amount)))
            """
    }

    /// Entries move balances.
    static func movement(_ dialect: Dialect) -> [String] {
        let moves = """
            UPDATE accounts SET balance = balance - NEW.amount, last_entry = NEW.seq
            WHERE id = NEW.debit_account AND guarded = 1;
            UPDATE accounts SET balance = balance + NEW.amount, last_entry = NEW.seq
            WHERE id = NEW.credit_account AND guarded = 1;
            """
        let name = "ledger_entries_move"
        guard dialect.hasFunctions else {
            return ["CREATE TRIGGER \(name) AFTER INSERT ON ledger_entries FOR EACH ROW BEGIN \(moves) END"]
        }
        return [
            TableGuard.function("\(name)()", returns: "trigger", "\(moves) RETURN NULL;"),
            "CREATE TRIGGER \(name) AFTER INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION \(name)()",
            "REVOKE ALL ON FUNCTION \(name)() FROM PUBLIC",
        ]
    }

    /// Postgres can empty tables without deleting rows.
    static func emptying(_ dialect: Dialect) -> [String] {
        guard dialect.hasFunctions else { return [] }
        let refusal = "RAISE EXCEPTION 'the books are never emptied' USING ERRCODE = 'restrict_violation';"
        return [
            TableGuard.function("ledger_not_emptied()", returns: "trigger", refusal),
            "REVOKE ALL ON FUNCTION ledger_not_emptied() FROM PUBLIC",
        ]
            + ["accounts", "ledger_entries", "usage_events"].map { table in
                """
                CREATE TRIGGER \(table)_not_emptied BEFORE TRUNCATE ON \(table)
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_not_emptied()
                """
            }
    }
}
