package import WorkerCore

/// A database that runs transactions; the only thing that differs between Postgres and SQLite, with its `Dialect`.
package protocol SQLDatabase: Sendable {
    var dialect: Dialect { get }

    /// Runs `body` as one transaction on a connection's own thread: nothing of it blocks Swift's cooperative pool.
    ///
    /// `body` may run more than once: a transaction that the database gave up for another's sake, or that was lost
    /// together with its connection, is run again when it is certain that it did not commit. So it has no effects but
    /// those through its session. What it throws rolls back.
    @discardableResult
    func transaction<Value: Sendable>(
        _ access: SQLAccess, _ body: @escaping @Sendable (_ session: any SQLSession) throws -> Value
    ) async throws(StoreError) -> Value

    /// A value after each commit of a transaction that called `SQLSession.wake`, here or in another process.
    func wakeUps() async -> AsyncStream<Void>

    /// Lets running transactions end, then closes all connections. Later transactions fail.
    func close() async
}

package enum SQLAccess: Sendable {
    case read
    case write
}

/// A transaction being run; valid, on its own thread, until the body returns.
package protocol SQLSession {
    /// Executes one statement with `$1`, `$2`, … for its parameters. It is prepared once and kept.
    @discardableResult
    func execute(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow]

    /// Wakes whoever waits for something to do, once this transaction is committed.
    func wake()
}

extension SQLSession {
    @discardableResult
    func execute(_ sql: String, _ parameters: SQLValue...) throws -> [SQLRow] { try execute(sql, parameters) }
}

/// Thrown by a transaction's body that met what another has just committed, and would not when it ran again.
package struct TransactionConflict: Error {
    package init() {}
}
