internal import WorkerCore

/// Moves the money of jobs, as part of the transactions that change the jobs themselves.
///
/// Accounts are locked after jobs and owners' shares, owner by owner in the order of their names: so transactions wait for
/// each other instead of blocking each other.
struct LedgerBook: Sendable {
    private let dialect: Dialect

    init(_ dialect: Dialect) { self.dialect = dialect }

    private static let serverAvailable = BatchStatement(
        [.text("owner"), .integer("place")],
        """
        SELECT owner, ledger_available(owner) FROM (
            SELECT owner FROM batch WHERE owner IS NOT NULL ORDER BY place OFFSET 0) wanted
        """)
    private static let serverHold = BatchStatement(
        [.text("id"), .integer("place")], serverCall("ledger_hold(id)"))
    private static let serverSettle = BatchStatement(
        [.text("id"), .integer("place")], serverCall("ledger_settle(id)"))
    private static func serverCall(_ call: String) -> String {
        "SELECT \(call) FROM (SELECT id FROM batch WHERE id IS NOT NULL ORDER BY place OFFSET 0) wanted"
    }

    /// What owners have free, in rows that are locked.
    func available(_ owners: Set<String>, _ session: any SQLSession) throws -> [String: MicroCredits] {
        var free: [String: MicroCredits] = [:]
        let sorted = owners.sorted()
        guard dialect.hasFunctions else {
            for owner in sorted {
                var row = try session.execute(LedgerFunctions.available, .text(owner)).first
                free[owner] = try row?.credits() ?? .zero
            }
            return free
        }
        let rows = sorted.enumerated().map { [SQLValue.text($1), .init($0)] }
        for var row in try Self.serverAvailable.execute(session, rows) {
            let owner = try row.text()
            free[owner] = try row.credits()
        }
        return free
    }

    /// Takes the holds of jobs whose rows have just been written.
    func hold(_ jobs: [(id: JobID, owner: String)], _ session: any SQLSession) throws {
        try move(jobs, Self.serverHold, session) { place in [LedgerFunctions.hold(job: place, dialect)] }
    }

    /// Settles jobs that have just been written as ended.
    func settle(_ changes: [JobChange], _ session: any SQLSession) throws {
        let settled = changes.filter { $0.before.settlement == nil && $0.after.settlement != nil }
            .map { (id: $0.after.job.id, owner: $0.after.job.owner) }
        try move(settled, Self.serverSettle, session) { place in
            [LedgerFunctions.settle(job: place, dialect), LedgerFunctions.releaseRest(job: place, dialect)]
        }
    }

    private func move(
        _ jobs: [(id: JobID, owner: String)], _ calls: BatchStatement, _ session: any SQLSession,
        _ statements: (_ place: String) -> [String]
    ) throws {
        guard !jobs.isEmpty else { return }
        let sorted = jobs.sorted { ($0.owner, $0.id.text) < ($1.owner, $1.id.text) }
        guard !dialect.hasFunctions else {
            try calls.execute(session, sorted.enumerated().map { [.text($1.id.text), .init($0)] })
            return
        }
        let texts = statements("$1")
        for job in sorted { for text in texts { try session.execute(text, .text(job.id.text)) } }
    }

    /// Prices a job that is being looked at, and takes its hold. The credit is there: `available` said so.
    func admit(_ row: inout JobRow, _ quote: Quote, _ session: any SQLSession) throws {
        let rate = try StoredJSON.encode(quote.rate)
        let values: [SQLValue] = [
            .text(row.job.id.text), .integer(row.job.epoch), .integer(quote.amount.value), .text(rate),
        ]
        if dialect.hasFunctions {
            try session.execute("SELECT ledger_admit($1, $2, $3, $4)", values)
        } else {
            try session.execute(LedgerFunctions.admit(job: "$1", epoch: "$2", price: "$3", rate: "$4"), values)
            if quote.amount > .zero { try hold([(row.job.id, row.job.owner)], session) }
        }
        row.job.quote = quote
        row.hold = quote.amount > .zero ? JobRow.holdKey(row.job.id, createdAt: row.job.createdAt) : nil
    }

    // MARK: Usage

    private static let insertUsage = BatchStatement(
        [
            .text("job"), .integer("epoch"), .text("owner"), .text("kind"), .text("metric"), .integer("quantity"),
            .integer("measured_at"),
        ],
        """
        INSERT INTO usage_events (job, epoch, owner, kind, metric, quantity, measured_at)
        SELECT job, epoch, owner, kind, metric, quantity, measured_at FROM batch WHERE job IS NOT NULL
        ON CONFLICT DO NOTHING
        """)

    /// An id that comes again after its job was pruned keeps what was measured first.
    static func note(_ changes: [JobChange], at now: StoreTime, _ session: any SQLSession) throws {
        let rows = changes.flatMap { change in
            change.measurements.map { metric, quantity -> [SQLValue] in
                [
                    .text(change.after.job.id.text), .integer(change.before.job.epoch), .init(change.after.job.owner),
                    .text(change.after.job.kind.rawValue), .text(metric.rawValue), .integer(quantity), .integer(now),
                ]
            }
        }
        try insertUsage.execute(session, rows)
    }
}
