internal import Model
package import WorkerCore

/// The store of jobs over either database: all its logic, and the one schema.
///
/// How a function works: it locks the rows it is about, works out in Swift what becomes of them (`JobMachine`), and
/// writes that back with everything that follows from it: the attempt's end, notices, its owner's counts, and the jobs
/// that may now be queued in its place. Only arrival and claim are mostly SQL.
package struct SQLJobStore: JobStore {
    let database: any SQLDatabase
    let policy: StorePolicy
    let statements: JobStatements
    let claims: ClaimStatement
    let ledger: LedgerBook
    let chunkStatements: ChunkStatements

    package init(_ database: any SQLDatabase, policy: StorePolicy) {
        (self.database, self.policy) = (database, policy)
        statements = JobStatements(database.dialect)
        claims = ClaimStatement(database.dialect)
        ledger = LedgerBook(database.dialect)
        chunkStatements = ChunkStatements(database.dialect)
    }

    package func migrate() async throws(StoreError) {
        let dialect = database.dialect
        try await database.transaction(.write) { session in try Migration.run(session, dialect) }
    }

    package func pendingMigrations() async throws(StoreError) -> [PendingMigration] {
        let dialect = database.dialect
        return try await database.transaction(.read) { session in try Migration.pending(session, dialect) }
    }

    package func now() async throws(StoreError) -> StoreTime {
        let sql = "SELECT \(statements.now)"
        return try await database.transaction(.read) { session in
            var rows = try session.execute(sql)
            return try rows[0].integer()
        }
    }

    package func wakeUps() async -> AsyncStream<Void> { await database.wakeUps() }
    package func close() async { await database.close() }
}

// MARK: Reading and writing rows

/// Rows that are locked, and the time when they were read.
struct LockedRows {
    var rows: [JobRow] = []
    var now: StoreTime = 0

    init(_ answer: [SQLRow]) throws {
        for var row in answer {
            now = try row.integer()
            rows.append(try JobRow(&row))
        }
    }
}

extension SQLJobStore {
    func locked(_ id: JobID, _ session: any SQLSession) throws -> (row: JobRow, now: StoreTime)? {
        let locked = try LockedRows(try session.execute(statements.lockByID, .text(id.text)))
        return locked.rows.first.map { ($0, locked.now) }
    }

    func machine(_ now: StoreTime) -> JobMachine { JobMachine(policy: policy, now: now) }

    private static let endAttempts = BatchStatement(
        [.integer("job_seq"), .integer("epoch"), .integer("ended_at"), .text("failure")],
        """
        UPDATE attempts SET ended_at = batch.ended_at, failure = batch.failure
        FROM batch WHERE attempts.job_seq = batch.job_seq AND attempts.epoch = batch.epoch
        """)
    private static let insertNotices = BatchStatement(
        [.text("job"), .text("channel"), .text("body"), .integer("available_at")],
        """
        INSERT INTO notices (job, channel, body, available_at, tries)
        SELECT job, channel, body, available_at, 0 FROM batch WHERE job IS NOT NULL
        """)

    /// Writes changes to rows that are locked, with all that follows from them.
    func apply(
        _ changes: [JobChange], at now: StoreTime, _ session: any SQLSession
    ) throws {
        guard !changes.isEmpty else { return }
        let changes = changes.map { $0.settled() }
        let saved = try JobRow.save.execute(session, try changes.map { try $0.after.saved() })
        guard saved.count == changes.count else {
            throw StoreError("a job changed while it was locked", code: .internalFault)
        }
        try Self.endAttempts.execute(
            session,
            try changes.compactMap { change in
                guard let ended = change.endedAttempt else { return nil }
                return [
                    .integer(change.before.seq), .integer(change.before.job.epoch), .integer(now),
                    .init(try ended.failure.map(StoredJSON.encode)),
                ]
            })
        var notices: [[SQLValue]] = []
        for change in changes where change.hasEnded {
            for notice in policy.noticesOfEnded(change.after.job) {
                notices.append([
                    .text(change.after.job.id.text), .init(notice.channel), .init(notice.body), .integer(now),
                ])
            }
        }
        try Self.insertNotices.execute(session, notices)
        try forgetResults(of: changes, session)
        var book = OwnerBook()
        for change in changes { book.note(change) }
        try book.settle(session, statements, policy)
        try ledger.settle(changes, session)
        try LedgerBook.note(changes, at: now, session)
        let isReady = changes.contains { [.queued, .admitting].contains($0.after.job.state) }
        if !notices.isEmpty || isReady { session.wake() }
    }
}
