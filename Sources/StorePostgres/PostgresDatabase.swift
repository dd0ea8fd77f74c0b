internal import Model
package import SQLStore
internal import Synchronization
package import WorkerCore

/// A PostgreSQL server, 13 or later, through libpq.
///
/// It keeps sessions: prepared statements, settings and LISTEN. A pooler in between has to pool sessions, not
/// transactions.
package final class PostgresDatabase: SQLDatabase {
    package let dialect = Dialect.postgres
    private let parameters: ConnectionParameters
    private let options: PostgresOptions
    private let queue: WorkQueue<TransactionRunner>
    private let hub = WakeHub()
    private let listener = Mutex<PostgresListener?>(nil)

    /// Connects when it is first used: a server that is down is waited for then.
    package init(_ options: PostgresOptions) throws(StoreError) {
        let parameters = try ConnectionParameters(uri: options.uri)
        (self.options, self.parameters) = (options, parameters)
        queue = WorkQueue(threads: options.connections, name: "reelpool.store") {
            TransactionRunner(parameters, options)
        }
    }

    package func transaction<Value: Sendable>(
        _ access: SQLAccess, _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws(StoreError) -> Value {
        let outcome: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            let isTaken = queue.add { runner in continuation.resume(returning: runner.run(access, body)) }
            if !isTaken { continuation.resume(returning: .failure(StoreError("the store is closed"))) }
        }
        return try outcome.get()
    }

    package func wakeUps() async -> AsyncStream<Void> {
        let stream = hub.stream()
        listener.withLock { listener in
            if listener == nil { listener = PostgresListener(parameters, options, hub: hub) }
        }
        return stream
    }

    package func close() async {
        hub.close()
        await listener.withLock { $0 }?.stop()
        await queue.close()
    }
}
