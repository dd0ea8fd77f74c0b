internal import ArgumentParser

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Take arrivals and answer schedulers over HTTP, without doing jobs.",
        discussion: "GET /openapi.json describes the interface; REELPOOL_API_TOKEN is the bearer token.")

    @OptionGroup var options: DaemonOptions

    @Option(help: "Where to listen.")
    var host: String?

    @Option(help: "The port to listen on; 0 for any free one.")
    var port: Int?

    func run() async throws {
        var overrides = options.overrides
        overrides["REELPOOL_KINDS"] = "none"
        overrides["REELPOOL_HTTP_HOST"] = host
        overrides["REELPOOL_HTTP_PORT"] = port.map { "\($0)" }
        try await options.runDaemon(overrides)
    }
}
