internal import ArgumentParser
internal import FoundationEssentials
internal import Model
internal import PoolConfig
internal import SQLStore
internal import StorePostgres
internal import StoreSQLite
internal import WorkerCore

/// A pool's own database, as commands work on it: found as a daemon finds it, by one connection, closed at the end.
struct PoolDatabase {
    /// A file with settings, beside the environment's.
    var config: String?
    /// In place of the settings'.
    var address: String?
    var json: Bool

    /// - Throws: `ExitCode` after everything that is wrong with the settings was printed.
    private func settings() throws -> PoolSettings.Database {
        var overrides: [String: String] = [:]
        overrides["REELPOOL_DATABASE"] = address
        do {
            return try PoolSettings.loadDatabase(
                overrides: overrides, environment: ProcessInfo.processInfo.environment, file: config)
        } catch {
            throw ExitCode.wrongSettings(error.lines, code: .invalidTask, json: json)
        }
    }

    /// Does something with the database.
    ///
    /// - Parameters:
    ///   - absent: what to add to the error when a file of SQLite's is not there; `nil` makes it.
    ///   - statementSeconds: after which Postgres stops a statement.
    /// - Throws: `ExitCode` after why it failed was printed, in one line with its code.
    func perform(
        absent: String?, statementSeconds: Double = 10, _ body: (SQLJobStore) async throws -> Void
    ) async throws {
        do {
            let store = try open(settings(), absent: absent, statementSeconds)
            do {
                try await body(store)
            } catch {
                await store.close()
                throw error
            }
            await store.close()
        } catch let status as ExitCode {
            throw status
        } catch {
            throw ExitCode.failed(error, json: json)
        }
    }

    private func open(
        _ database: PoolSettings.Database, absent: String?, _ statementSeconds: Double
    ) throws -> SQLJobStore {
        // Commands take no jobs in and end none: the rules for those do not matter.
        let policy = StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 5, capSeconds: 600))
        switch database {
        case .sqlite(let path):
            if let absent, !FileManager.default.fileExists(atPath: path) {
                throw Failure(code: .fileNotFound, message: "there is no database \(path): \(absent)")
            }
            return SQLJobStore(try SQLiteDatabase(path: path), policy: policy)
        case .postgres(let uri):
            let options = PostgresOptions(uri: uri, connections: 1, statementSeconds: statementSeconds)
            return SQLJobStore(try PostgresDatabase(options), policy: policy)
        }
    }
}
