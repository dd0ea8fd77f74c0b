internal import Model
internal import WorkerCore

/// The two accounts of an owner.
struct OwnerAccounts {
    struct Account {
        var id: Int64
        var balance: MicroCredits
    }

    var available: Account
    var held: Account

    var balance: CreditBalance { CreditBalance(available: available.balance, held: held.balance) }

    /// Locks them in the order of their numbers; made where there are none.
    static func lock(_ owner: String, _ dialect: Dialect, _ session: any SQLSession) throws -> OwnerAccounts {
        try session.execute(
            """
            INSERT INTO accounts (owner, kind, guarded, balance, last_entry)
            VALUES ($1, 'available', 1, 0, 0), ($1, 'held', 1, 0, 0) ON CONFLICT (owner, kind) DO NOTHING
            """, .text(owner))
        guard let accounts = try find(owner, session, dialect.lock("accounts")) else {
            throw StoreError("an owner's accounts are missing", code: .internalFault)
        }
        return accounts
    }

    /// `nil` for an owner who never had any.
    static func find(_ owner: String, _ session: any SQLSession, _ lock: String = "") throws -> OwnerAccounts? {
        var (available, held): (Account?, Account?)
        for var row in try session.execute(
            "SELECT kind, id, balance FROM accounts WHERE owner = $1 AND guarded = 1 ORDER BY id\(lock)", .text(owner))
        {
            let kind: AccountKind = try row.name()
            let account = Account(id: try row.integer(), balance: try row.credits())
            if kind == .available { available = account } else { held = account }
        }
        guard let available, let held else { return nil }
        return OwnerAccounts(available: available, held: held)
    }
}

/// An entry that is to be reversed.
struct Origin {
    var seq: Int64
    var amount: MicroCredits
    var debitAccount: Int64
    var creditAccount: Int64
    /// Whose credit it moved.
    var owner: String

    /// `nil` when there is none, or it is of a sort that is not reversed.
    static func find(_ seq: Int64, _ session: any SQLSession) throws -> Origin? {
        let rows = try session.execute(
            """
            SELECT e.amount, e.debit_account, e.credit_account, CASE WHEN d.guarded = 1 THEN d.owner ELSE c.owner END
            FROM ledger_entries e JOIN accounts d ON d.id = e.debit_account JOIN accounts c ON c.id = e.credit_account
            WHERE e.seq = $1 AND e.op IN ('grant', 'capture', 'adjust')
            """, .integer(seq))
        guard var row = rows.first else { return nil }
        return Origin(
            seq: seq, amount: try row.credits(), debitAccount: try row.integer(), creditAccount: try row.integer(),
            owner: try row.text())
    }

    /// What of it has not been reversed.
    func left(_ session: any SQLSession) throws -> MicroCredits? {
        let rows = try session.execute(
            "SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM ledger_entries WHERE reverses = $1", .integer(seq))
        guard var row = rows.first else { return amount }
        return try MicroCredits(amount.value - row.integer())
    }
}

/// An entry that is no job's.
struct Movement {
    var key: String
    var operation: LedgerOperation
    var debit: Int64
    var credit: Int64
    var amount: MicroCredits
    var note: String?
    var reverses: Int64?
}

extension SQLJobStore {
    struct KnownEntry {
        var seq: Int64
        var debit: Int64
        var credit: Int64
        var amount: MicroCredits
        var reverses: Int64?
    }

    func entry(key: String, _ session: any SQLSession) throws -> KnownEntry? {
        let rows = try session.execute(
            """
            SELECT seq, debit_account, credit_account, amount, reverses FROM ledger_entries
            WHERE idempotency_key = $1
            """, .text(key))
        guard var row = rows.first else { return nil }
        return KnownEntry(
            seq: try row.integer(), debit: try row.integer(), credit: try row.integer(), amount: try row.credits(),
            reverses: try row.optionalInteger())
    }

    func known(_ movement: Movement, _ session: any SQLSession) throws -> LedgerOutcome? {
        guard let known = try entry(key: movement.key, session) else { return nil }
        let same =
            (known.debit, known.credit, known.amount) == (movement.debit, movement.credit, movement.amount)
        return same ? .already(known.seq) : .keyTaken(known.seq)
    }

    func write(_ movement: Movement, _ session: any SQLSession) throws -> Int64 {
        let rows = try session.execute(
            """
            INSERT INTO ledger_entries (
                idempotency_key, op, debit_account, credit_account, amount, reverses, note, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, \(statements.now))
            ON CONFLICT (idempotency_key) DO NOTHING
            RETURNING seq
            """, .text(movement.key), .text(movement.operation.rawValue), .integer(movement.debit),
            .integer(movement.credit), .integer(movement.amount.value), .init(movement.reverses), .init(movement.note))
        // Another owner's movement had the same key, and was committed a moment ago.
        guard var row = rows.first else { throw TransactionConflict() }
        return try row.integer()
    }

    func systemAccount(_ kind: AccountKind, _ session: any SQLSession) throws -> Int64 {
        let rows = try session.execute(
            "SELECT id FROM accounts WHERE owner = '' AND kind = $1", .text(kind.rawValue))
        guard var row = rows.first else { throw StoreError("an account is missing", code: .internalFault) }
        return try row.integer()
    }
}
