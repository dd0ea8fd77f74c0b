internal import ArgumentParser
internal import FoundationEssentials
internal import Model
internal import PoolConfig
internal import SQLStore
internal import StorePostgres
internal import StoreSQLite
internal import WorkerCore

/// Which job store is meant, and how what is found is printed.
struct DatabaseOptions: ParsableArguments {
    /// Of a configuration that is wrong. Source: sysexits.h, EX_CONFIG.
    private static let configurationStatus: Int32 = 78

    @Option(help: "The job store: postgresql://... or sqlite:PATH; default: $REELPOOL_DATABASE.")
    var database: String?

    @Option(help: "A JSON file with settings, as daemons take it.")
    var config: String?

    @Flag(help: "Print what was done, or the error, as JSON.")
    var json = false

    /// Does something with the store, and prints why when it cannot.
    func perform(_ body: (SQLJobStore) async throws -> Void) async throws {
        do {
            let store = try open(settings())
            do {
                try await body(store)
                await store.close()
            } catch {
                await store.close()
                throw error
            }
        } catch let status as ExitCode {
            throw status
        } catch {
            let failure = Failure(error)
            FailureOutput.print(failure, json: json)
            throw ExitCode(failure.category.exitStatus)
        }
    }

    func settings() throws -> PoolSettings.Database {
        var overrides: [String: String] = [:]
        overrides["REELPOOL_DATABASE"] = database
        do {
            return try PoolSettings.loadDatabase(
                overrides: overrides, environment: ProcessInfo.processInfo.environment, file: config)
        } catch {
            for line in error.lines { FailureOutput.print(Failure(code: .invalidTask, message: line), json: json) }
            throw ExitCode(Self.configurationStatus)
        }
    }

    private func open(_ database: PoolSettings.Database) throws -> SQLJobStore {
        let policy = StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 5, capSeconds: 600))
        switch database {
        case .sqlite(let path): return SQLJobStore(try SQLiteDatabase(path: path), policy: policy)
        case .postgres(let uri):
            return SQLJobStore(try PostgresDatabase(PostgresOptions(uri: uri, connections: 1)), policy: policy)
        }
    }
}
