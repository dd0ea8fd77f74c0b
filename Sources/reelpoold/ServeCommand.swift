internal import ArgumentParser

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Take arrivals and answer schedulers over HTTP, without doing jobs.",
        discussion: "GET /openapi.json describes the interface; REELPOOL_API_TOKEN is the bearer token.")

    @OptionGroup var options: DaemonOptions

    func run() async throws {
        var overrides = options.overrides
        overrides["REELPOOL_KINDS"] = "none"
        try await options.runDaemon(overrides)
    }
}
