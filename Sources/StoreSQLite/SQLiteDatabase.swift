internal import Dispatch
internal import GRDB
internal import Model
package import SQLStore
internal import Synchronization
package import WorkerCore

/// One file, in this process and in others on the same machine.
package final class SQLiteDatabase: SQLDatabase {
    /// What a commit survives. Both survive the death of every process, at any moment.
    package enum Durability: Sendable {
        /// The machine's death, too: each commit waits for the disk.
        case powerLoss
        /// After a power failure the last commits may be gone, the file is sound: several times as fast.
        case processDeath
    }

    package struct Options: Sendable {
        package var durability: Durability
        /// How long a transaction waits for another process to finish writing.
        package var busySeconds: Double
        /// How often the file is looked at for what other processes did.
        package var pollSeconds: Double

        package init(durability: Durability = .powerLoss, busySeconds: Double = 5, pollSeconds: Double = 0.25) {
            (self.durability, self.busySeconds, self.pollSeconds) = (durability, busySeconds, pollSeconds)
        }
    }

    package let dialect = Dialect.sqlite
    private let pool: DatabasePool
    private let hub = WakeHub()
    private let watcher: FileWatcher
    private let isClosed = Atomic<Bool>(false)

    /// Opens the file, and makes it when there is none.
    package init(path: String, options: Options = Options()) throws(StoreError) {
        var configuration = Configuration()
        configuration.label = "reelpool.store"
        configuration.busyMode = .timeout(options.busySeconds)
        configuration.maximumReaderCount = 4
        let synchronous = options.durability == .powerLoss ? "FULL" : "NORMAL"
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            // Opening it turned the write-ahead log on, and this to NORMAL.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = \(synchronous)") }
            watcher = try FileWatcher(path: path, every: options.pollSeconds, hub: hub)
        } catch {
            throw StoreError(sqlite: error)
        }
    }

    package func transaction<Value: Sendable>(
        _ access: SQLAccess, _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws(StoreError) -> Value {
        guard !isClosed.load(ordering: .acquiring) else { throw StoreError("the store is closed") }
        // Not the forms with `async`, which give up half-way when their task is cancelled.
        let outcome: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            switch access {
            case .read:
                pool.asyncRead { access in
                    continuation.resume(
                        returning: Self.outcome { try body(SQLiteSession(database: try access.get())) })
                }
            case .write:
                pool.asyncWriteWithoutTransaction { [hub] database in
                    continuation.resume(returning: Self.outcome { try Self.write(database, hub, body) })
                }
            }
        }
        return try outcome.get()
    }

    /// On the writer's own queue.
    private static func write<Value>(
        _ database: Database, _ hub: WakeHub, _ body: (any SQLSession) throws -> Value
    ) throws -> Value {
        var tries = 0
        while true {
            do {
                let session = SQLiteSession(database: database)
                var value: Value?
                try database.inTransaction(.immediate) {
                    value = try body(session)
                    return .commit
                }
                guard let value else { throw StoreError("a transaction has no outcome", code: .internalFault) }
                if session.wakes.isSet { hub.wake() }
                return value
            } catch is TransactionConflict where tries < 5 {
                tries += 1
            }
        }
    }

    private static func outcome<Value>(_ body: () throws -> Value) -> Result<Value, StoreError> {
        do { return .success(try body()) } catch { return .failure(StoreError(sqlite: error)) }
    }

    package func wakeUps() async -> AsyncStream<Void> { hub.stream() }

    package func close() async {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        hub.close()
        let (pool, watcher) = (pool, watcher)
        await withCheckedContinuation { continuation in
            // What runs still is waited for; that is not to be done on Swift's own threads.
            DispatchQueue(label: "reelpool.store.close").async {
                watcher.stop()
                // It fails where a statement is open still; then the connection closes with the last reference to it.
                try? pool.close()
                continuation.resume()
            }
        }
    }
}

extension StoreError {
    /// Whatever SQLite says, as an error of the store; ours pass unchanged.
    init(sqlite error: any Error) {
        if let error = error as? StoreError {
            self = error
        } else if let error = error as? DatabaseError {
            let code: FailureCode = error.resultCode == .SQLITE_FULL ? .diskFull : .storeUnavailable
            self.init(
                "the job store cannot be used",
                detail: "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")", code: code)
        } else {
            self.init("the job store cannot be used", detail: "\(error)", code: .internalFault)
        }
    }
}
