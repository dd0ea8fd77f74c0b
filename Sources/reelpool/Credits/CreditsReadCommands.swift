internal import ArgumentParser
internal import Model
internal import SQLStore
internal import WorkerCore

struct CreditsBalanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "balance", abstract: "Show what an owner has free, and what is held for jobs under way.")

    @Argument(help: "Whose.")
    var owner: String

    @OptionGroup var ledger: LedgerOptions

    func run() async throws {
        try await ledger.perform { store in
            let balance = try await store.balance(of: owner)
            ledger.show(
                LedgerView.balance(balance, of: owner), "\(TextTable.plain(owner)) has \(LedgerSheet.words(balance))")
        }
    }
}

struct CreditsHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show what a job's money did.",
        discussion: "Also of a job that is long gone: entries stay.")

    @Argument(help: "The job's id.")
    var job: String

    @OptionGroup var ledger: LedgerOptions

    func run() async throws {
        try await ledger.perform { store in
            guard let id = JobID(job) else {
                throw Failure(code: .invalidTask, message: "\(TextTable.plain(job)) is no id of a job")
            }
            let entries = try await store.entries(of: id)
            ledger.show(
                ["job": .string(id.text), "entries": .array(entries.map(LedgerView.entry))],
                entries.isEmpty ? "\(id) has moved no credit" : LedgerSheet.table(entries))
        }
    }
}

struct CreditsStatementCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statement", abstract: "Show what moved an owner's credit, newest first.")

    private static let pageSize = 500

    @Argument(help: "Whose.")
    var owner: String

    @Option(help: "Only entries older than this one.")
    var before: Int64?

    @Option(help: "At most so many entries.")
    var limit = 50

    @OptionGroup var ledger: LedgerOptions

    func validate() throws {
        guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit takes a number from 1 on.") }
    }

    func run() async throws {
        try await ledger.perform { store in
            var lines: [StatementLine] = []
            var page: [StatementLine]
            repeat {
                page = try await store.statement(
                    of: owner, before: lines.last?.entry.seq ?? before, limit: min(Self.pageSize, limit - lines.count))
                lines += page
            } while page.count == Self.pageSize && lines.count < limit
            ledger.show(
                ["owner": .string(owner), "entries": .array(lines.map(LedgerView.line))],
                lines.isEmpty ? "nothing has moved \(TextTable.plain(owner))'s credit" : LedgerSheet.table(lines))
        }
    }
}

/// The books for people.
enum LedgerSheet {
    static func words(_ balance: CreditBalance) -> String {
        "\(balance.available.text) free, \(balance.held.text) held"
    }

    static func table(_ entries: [LedgerEntry]) -> String {
        var table = TextTable(["ENTRY", "AT", "OPERATION", "FROM", "TO", "AMOUNT", "NOTE"])
        for entry in entries { table.add(cells(entry) + [entry.note ?? ""]) }
        return table.text
    }

    static func table(_ lines: [StatementLine]) -> String {
        var table = TextTable(["ENTRY", "AT", "OPERATION", "FROM", "TO", "AMOUNT", "FREE", "HELD", "JOB OR NOTE"])
        for line in lines {
            table.add(
                cells(line.entry) + [
                    line.balance.available.text, line.balance.held.text, line.entry.job?.text ?? line.entry.note ?? "",
                ])
        }
        return table.text
    }

    private static func cells(_ entry: LedgerEntry) -> [String] {
        [
            "\(entry.seq)", InstantText.universal(milliseconds: entry.at), entry.operation.rawValue,
            entry.from.rawValue, entry.to.rawValue, entry.amount.text,
        ]
    }
}
