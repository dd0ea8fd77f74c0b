internal import ArgumentParser

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Take jobs and do them.",
        discussion: """
            SIGTERM drains: no more jobs are taken, running ones get their time and are then handed back. A second one \
            hands them back at once.
            """)

    @Option(help: "Kinds of jobs to take, with commas between.")
    var kinds: String?

    @Option(help: "Jobs at a time.")
    var slots: Int?

    @Option(help: "A folder below which tasks may name files; may be given several times.")
    var allowLocal: [String] = []

    @Flag(help: "Refuse to start where the kernel lacks a part of the sandbox.")
    var requireSandbox = false

    @OptionGroup var options: DaemonOptions

    func run() async throws {
        var overrides = options.overrides
        overrides["REELPOOL_KINDS"] = kinds
        overrides["REELPOOL_SLOTS"] = slots.map { "\($0)" }
        if !allowLocal.isEmpty { overrides["REELPOOL_ALLOW_LOCAL"] = allowLocal.joined(separator: ",") }
        if requireSandbox { overrides["REELPOOL_REQUIRE_SANDBOX"] = "true" }
        try await options.runDaemon(overrides)
    }
}
