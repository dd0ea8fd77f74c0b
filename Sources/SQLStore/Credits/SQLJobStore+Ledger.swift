internal import Model
package import WorkerCore

// MARK: The books

extension SQLJobStore: LedgerStore {
    private static let longestKey = 200

    package func grant(
        _ amount: MicroCredits, to owner: String, key: String, note: String?
    ) async throws(StoreError) -> LedgerOutcome {
        guard amount > .zero, Self.isKey(key), Self.isKey(owner) else { return .invalid }
        return try await enter(owner, .grant, by: amount, key: key, note: note)
    }

    package func adjust(
        _ owner: String, by amount: MicroCredits, key: String, note: String?
    ) async throws(StoreError) -> LedgerOutcome {
        guard amount != .zero, Self.isKey(key), Self.isKey(owner) else { return .invalid }
        return try await enter(owner, .adjust, by: amount, key: key, note: note)
    }

    static func isKey(_ text: String) -> Bool { !text.isEmpty && text.utf8.count <= longestKey }

    /// Between an owner's available credit and where credit comes from.
    private func enter(
        _ owner: String, _ operation: LedgerOperation, by amount: MicroCredits, key: String, note: String?
    ) async throws(StoreError) -> LedgerOutcome {
        try await database.transaction(.write) { session in
            try enter(owner, operation, by: amount, key: key, note: note, session)
        }
    }

    /// As a part of a transaction that does more.
    func enter(
        _ owner: String, _ operation: LedgerOperation, by amount: MicroCredits, key: String, note: String?,
        _ session: any SQLSession
    ) throws -> LedgerOutcome {
        let (owner, key) = (owner.storable, "\(operation.rawValue)/\(key.storable)")
        let accounts = try OwnerAccounts.lock(owner, database.dialect, session)
        guard let balance = accounts.available.balance.adding(amount) else { return .invalid }
        let other = try systemAccount(operation == .grant ? .issued : .adjust, session)
        let movement = Movement(
            key: key, operation: operation, debit: amount > .zero ? other : accounts.available.id,
            credit: amount > .zero ? accounts.available.id : other, amount: amount.magnitude, note: note)
        if let known = try known(movement, session) { return known }
        guard balance >= .zero else { return .insufficientCredit(available: accounts.available.balance) }
        return .entered(try write(movement, session))
    }

    package func reverse(
        _ entry: Int64, amount: MicroCredits?, key: String, note: String?
    ) async throws(StoreError) -> LedgerOutcome {
        guard amount.map({ $0 > .zero }) ?? true, Self.isKey(key) else { return .invalid }
        let key = "reversal/\(entry)/\(key.storable)"
        return try await database.transaction(.write) { session in
            guard let origin = try Origin.find(entry, session) else { return .notReversible }
            // Whoever reverses the same entry waits here.
            let accounts = try OwnerAccounts.lock(origin.owner, database.dialect, session)
            if let known = try self.entry(key: key, session) {
                let same = known.reverses == entry && (amount.map { $0 == known.amount } ?? true)
                return same ? .already(known.seq) : .keyTaken(known.seq)
            }
            guard let left = try origin.left(session), left > .zero else { return .exceedsEntry(left: .zero) }
            guard (amount ?? left) <= left else { return .exceedsEntry(left: left) }
            let takesFromOwner = origin.creditAccount == accounts.available.id
            let movement = Movement(
                key: key, operation: .reversal, debit: origin.creditAccount,
                credit: takesFromOwner ? origin.debitAccount : accounts.available.id, amount: amount ?? left,
                note: note, reverses: entry)
            guard !takesFromOwner || movement.amount <= accounts.available.balance else {
                return .insufficientCredit(available: accounts.available.balance)
            }
            return .entered(try write(movement, session))
        }
    }

    // MARK: Reading

    package func balance(of owner: String) async throws(StoreError) -> CreditBalance {
        try await database.transaction(.read) { session in
            try OwnerAccounts.find(owner.storable, session)?.balance
                ?? CreditBalance(available: .zero, held: .zero)
        }
    }

    package func statement(
        of owner: String, before: Int64?, limit: Int
    ) async throws(StoreError) -> [StatementLine] {
        try await database.transaction(.read) { session in
            guard let accounts = try OwnerAccounts.find(owner.storable, session) else { return [] }
            let (available, held) = (accounts.available.id, accounts.held.id)
            let before = before ?? .max
            // What there was after the newest entry of the page: what there is, without all that came later.
            var after = try accounts.balance.without(later: before, available, held, session)
            // A hold and its settlement have both accounts: they come once.
            let rows = try session.execute(
                """
                SELECT \(Self.entryColumns) FROM (
                    SELECT * FROM (SELECT seq FROM ledger_entries WHERE debit_account = $1 AND seq < $3
                        ORDER BY seq DESC LIMIT $4) a
                    UNION SELECT * FROM (SELECT seq FROM ledger_entries WHERE credit_account = $1 AND seq < $3
                        ORDER BY seq DESC LIMIT $4) b
                    UNION SELECT * FROM (SELECT seq FROM ledger_entries WHERE debit_account = $2 AND seq < $3
                        ORDER BY seq DESC LIMIT $4) c) page
                JOIN ledger_entries e ON e.seq = page.seq
                JOIN accounts d ON d.id = e.debit_account JOIN accounts c ON c.id = e.credit_account
                ORDER BY e.seq DESC LIMIT $4
                """, .integer(available), .integer(held), .integer(before), .init(max(0, limit)))
            return try rows.map { row in
                var row = row
                let line = StatementLine(entry: try LedgerEntry(&row), balance: after)
                after = try after.before(line.entry)
                return line
            }
        }
    }

    package func entries(of job: JobID) async throws(StoreError) -> [LedgerEntry] {
        try await database.transaction(.read) { session in
            try session.execute(
                """
                SELECT \(Self.entryColumns) FROM ledger_entries e
                JOIN accounts d ON d.id = e.debit_account JOIN accounts c ON c.id = e.credit_account
                WHERE e.job = $1 ORDER BY e.seq
                """, .text(job.text)
            ).map { row in
                var row = row
                return try LedgerEntry(&row)
            }
        }
    }

    static let entryColumns = """
        e.seq, e.idempotency_key, e.op, d.kind AS debit_kind, c.kind AS credit_kind, e.amount, e.job, e.settles, \
        e.reverses, e.note, e.created_at
        """

    package func usage(
        from: StoreTime, to: StoreTime, after: Int64, limit: Int
    ) async throws(StoreError) -> [UsageEvent] {
        try await database.transaction(.read) { session in
            try session.execute(
                """
                SELECT seq, job, epoch, owner, kind, metric, quantity, measured_at FROM usage_events
                WHERE measured_at >= $1 AND measured_at < $2 AND seq > $3 ORDER BY seq LIMIT $4
                """, .integer(from), .integer(to), .integer(after), .init(max(0, limit))
            ).map { row in
                var row = row
                return UsageEvent(
                    seq: try row.integer(), job: try row.jobID(), epoch: try row.integer(), owner: try row.text(),
                    kind: try row.name(), metric: try row.name(), quantity: try row.integer(), at: try row.integer())
            }
        }
    }
}

extension LedgerEntry {
    init(_ row: inout SQLRow) throws {
        self.init(
            seq: try row.integer(), key: try row.text(), operation: try row.name(), from: try row.name(),
            to: try row.name(), amount: try row.credits(), job: try row.optionalJobID(),
            settles: try row.optionalInteger(), reverses: try row.optionalInteger(), note: try row.optionalText(),
            at: try row.integer())
    }
}

extension CreditBalance {
    private static func moved(_ available: Int64, _ held: Int64) throws -> CreditBalance {
        guard let available = MicroCredits(available), let held = MicroCredits(held) else {
            throw StoreError("a balance is beyond all bounds", code: .internalFault)
        }
        return CreditBalance(available: available, held: held)
    }

    /// What there was before an entry that this came after.
    fileprivate func before(_ entry: LedgerEntry) throws -> CreditBalance {
        func change(_ kind: AccountKind) -> Int64 {
            (entry.to == kind ? entry.amount.value : 0) - (entry.from == kind ? entry.amount.value : 0)
        }
        return try Self.moved(available.value - change(.available), held.value - change(.held))
    }

    /// As it was before the entry with this number.
    fileprivate func without(
        later seq: Int64, _ availableID: Int64, _ heldID: Int64, _ session: any SQLSession
    ) throws -> CreditBalance {
        func moved(_ account: Int64) throws -> Int64 {
            let rows = try session.execute(
                """
                SELECT CAST(coalesce((SELECT sum(amount) FROM ledger_entries WHERE credit_account = $1 AND seq >= $2), 0)
                    - coalesce((SELECT sum(amount) FROM ledger_entries WHERE debit_account = $1 AND seq >= $2), 0)
                    AS bigint)
                """, .integer(account), .integer(seq))
            guard var row = rows.first else { return 0 }
            return try row.integer()
        }
        guard seq < .max else { return self }
        return try Self.moved(available.value - moved(availableID), held.value - moved(heldID))
    }
}
