internal import ArgumentParser
internal import Model
internal import SQLStore
internal import WorkerCore

struct CreditsVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Look whether every rule of the books holds.",
        discussion: """
            Names the first row that breaks a rule, and then ends with status 1. Takes as long as there are entries, and \
            changes nothing.
            """)

    @OptionGroup var ledger: LedgerOptions

    func run() async throws {
        try await ledger.perform { store in
            guard let fault = try await store.verify() else {
                return ledger.show(["is_sound": true, "rule": .null, "row": .null], "nothing is wrong with the books")
            }
            ledger.show(
                ["is_sound": false, "rule": .string(fault.rule), "row": .string(fault.row)],
                "WRONG: \(fault.rule); first broken by \(fault.row)")
            throw ExitCode.failure
        }
    }
}

struct CreditsEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Put a pseudonym in an owner's place everywhere.",
        discussion: """
            What his jobs were about is emptied as well; the books stay as they are, under the pseudonym. There is no way \
            back. Not while one of his jobs is under way.
            """)

    @Argument(help: "Who.")
    var owner: String

    @Flag(help: "It is meant: without it nothing is done.")
    var yes = false

    @OptionGroup var ledger: LedgerOptions

    func validate() throws {
        guard yes else { throw ValidationError("There is no way back from erasing an owner: say --yes as well.") }
    }

    func run() async throws {
        try await ledger.perform { store in
            switch try await store.erase(owner) {
            case .erased(let pseudonym):
                ledger.show(["pseudonym": .string(pseudonym)], "erased; the books go on as \(pseudonym)")
            case .hasLiveJobs(let count):
                throw Failure(code: .ownerBusy, message: "\(count) of the owner's jobs have not ended: cancel them")
            case .unknownOwner:
                throw Failure(code: .unknownOwner, message: "nobody of that name has credit or jobs here")
            }
        }
    }
}
