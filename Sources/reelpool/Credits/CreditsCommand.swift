internal import ArgumentParser
internal import Model
internal import SQLStore
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
    /// Looking through all books takes as long as there are entries.
    private static let statementSeconds = 3600.0

    @Option(help: "A JSON file with settings, as daemons take it.")
    var config: String?

    @Flag(help: "Print what there is, or the error, as JSON.")
    var json = false

    /// Prints why it failed, in one line with its code, and ends with its status.
    func perform(_ body: (SQLJobStore) async throws -> Void) async throws {
        let database = PoolDatabase(config: config, json: json)
        try await database.perform(absent: "see REELPOOL_DATABASE", statementSeconds: Self.statementSeconds) { store in
            try await Self.requireCurrent(store)
            try await body(store)
        }
    }

    func show(_ value: JSONValue, _ text: @autoclosure () -> String) {
        print(json ? value.text : text())
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
