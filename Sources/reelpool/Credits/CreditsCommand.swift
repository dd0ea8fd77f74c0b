internal import ArgumentParser
internal import FoundationEssentials
internal import Model
internal import PoolConfig
internal import SQLStore
internal import StorePostgres
internal import StoreSQLite
internal import WorkerCore

struct CreditsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credits",
        abstract: "Give, take and look at users' credit, in a pool's own database.",
        discussion: """
            The database is the one that a daemon would have: REELPOOL_DATABASE, from the environment or a file. It takes \
            a user who may write the books; a worker's may not even read them. Amounts are credits in decimal, with at \
            most six digits after the point.
            """,
        subcommands: [
            CreditsGrantCommand.self, CreditsAdjustCommand.self, CreditsReverseCommand.self,
            CreditsBalanceCommand.self, CreditsHistoryCommand.self, CreditsStatementCommand.self,
            CreditsVerifyCommand.self, CreditsExportCommand.self, CreditsEraseCommand.self,
        ])
}

/// Whose books are meant, and how what is found is printed.
struct LedgerOptions: ParsableArguments {
    /// Of a configuration that is wrong. Source: sysexits.h, EX_CONFIG.
    private static let configurationStatus: Int32 = 78
    /// Looking through all books takes as long as there are entries.
    private static let statementSeconds = 3600.0

    @Option(help: "A JSON file with settings, as daemons take it.")
    var config: String?

    @Flag(help: "Print what there is, or the error, as JSON.")
    var json = false

    /// Prints why it failed, in one line with its code, and ends with its status.
    func perform(_ body: (SQLJobStore) async throws -> Void) async throws {
        do {
            let store = try store()
            do {
                try await Self.requireCurrent(store)
                try await body(store)
            } catch {
                await store.close()
                throw error
            }
            await store.close()
        } catch let status as ExitCode {
            throw status
        } catch {
            let failure = Failure(error)
            FailureOutput.print(failure, json: json)
            throw ExitCode(failure.category.exitStatus)
        }
    }

    func show(_ value: JSONValue, _ text: @autoclosure () -> String) {
        print(json ? value.text : text())
    }

    /// - Throws: `ExitCode` after everything that is wrong with the settings was printed.
    private func store() throws -> SQLJobStore {
        let database: PoolSettings.Database
        do {
            database = try PoolSettings.loadDatabase(
                environment: ProcessInfo.processInfo.environment, file: config)
        } catch {
            for line in error.lines { FailureOutput.print(Failure(code: .invalidTask, message: line), json: json) }
            throw ExitCode(Self.configurationStatus)
        }
        // Nothing here takes jobs in or ends them: the rules for those do not matter.
        let policy = StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 5, capSeconds: 600))
        switch database {
        case .sqlite(let path):
            // It would be made, and be empty.
            guard FileManager.default.fileExists(atPath: path) else {
                throw Failure(code: .fileNotFound, message: "there is no database \(path): see REELPOOL_DATABASE")
            }
            return SQLJobStore(try SQLiteDatabase(path: path), policy: policy)
        case .postgres(let uri):
            let options = PostgresOptions(uri: uri, connections: 1, statementSeconds: Self.statementSeconds)
            return SQLJobStore(try PostgresDatabase(options), policy: policy)
        }
    }

    private static func requireCurrent(_ store: SQLJobStore) async throws {
        guard try await store.pendingMigrations().isEmpty else {
            throw Failure(
                code: .storeUnavailable,
                message: "the database is not up to date with this version: daemons bring it there when they start")
        }
    }

    /// What somebody wrote as an amount of credit.
    static func amount(_ text: String) throws(Failure) -> MicroCredits {
        if let amount = MicroCredits(text: text) { return amount }
        throw Failure(
            code: .invalidEntry, message: "\(text) is no amount of credit: digits, and at most six after the point")
    }
}
