internal import ArgumentParser
internal import Model
internal import SQLStore
internal import WorkerCore

/// What makes a movement itself, and why it was made.
struct EntryOptions: ParsableArguments {
    @Option(help: "What makes it itself: once more with the same key is no second one. At most 200 bytes.")
    var key: String

    @Option(help: "For people who read the statement; nothing that names a person, for it stays.")
    var note: String?
}

struct CreditsGrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Give an owner credit.",
        discussion: "With the same key as before it says which entry that is, and enters nothing.")

    @Argument(help: "Who gets it.")
    var owner: String

    @Argument(help: "How much: 100, or 12.5.")
    var amount: String

    @OptionGroup var entry: EntryOptions
    @OptionGroup var ledger: LedgerOptions

    func run() async throws {
        try await ledger.perform { store in
            let outcome = try await store.grant(
                try LedgerOptions.amount(amount), to: owner, key: entry.key, note: entry.note)
            try await ledger.show(outcome, of: owner, store)
        }
    }
}

struct CreditsAdjustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjust", abstract: "Correct an owner's credit, up or down.",
        discussion: "Never below what is free.")

    @Argument(help: "Whose.")
    var owner: String

    @Option(parsing: .unconditional, help: "By how much: 5, or -2.5.")
    var by: String

    @OptionGroup var entry: EntryOptions
    @OptionGroup var ledger: LedgerOptions

    func run() async throws {
        try await ledger.perform { store in
            let outcome = try await store.adjust(
                owner, by: try LedgerOptions.amount(by), key: entry.key, note: entry.note)
            try await ledger.show(outcome, of: owner, store)
        }
    }
}

struct CreditsReverseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reverse", abstract: "Take a grant, an adjustment or a charge back, whole or in part.",
        discussion: "What a grant gave can be taken back only as far as it is free.")

    @Argument(help: "The entry's number, as statement and history show it.")
    var number: Int64

    @Option(help: "How much of it; all that is left by default.")
    var amount: String?

    @OptionGroup var entry: EntryOptions
    @OptionGroup var ledger: LedgerOptions

    func run() async throws {
        try await ledger.perform { store in
            var part: MicroCredits?
            if let amount { part = try LedgerOptions.amount(amount) }
            let outcome = try await store.reverse(number, amount: part, key: entry.key, note: entry.note)
            try await ledger.show(outcome, of: nil, store)
        }
    }
}

extension LedgerOptions {
    /// What was entered, and what the owner has now.
    fileprivate func show(_ outcome: LedgerOutcome, of owner: String?, _ store: SQLJobStore) async throws {
        let entry = try outcome.entry()
        var members: [String: JSONValue] = ["entry": .integer(entry.number), "is_new": .bool(entry.isNew)]
        var text = entry.isNew ? "entry \(entry.number)" : "entered before, as entry \(entry.number)"
        if let owner {
            let balance = try await store.balance(of: owner)
            members["balance"] = LedgerView.balance(balance, of: owner)
            text += ": \(TextTable.plain(owner)) has \(LedgerSheet.words(balance))"
        }
        show(.object(members), text)
    }
}
