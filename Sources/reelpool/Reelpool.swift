internal import ArgumentParser
internal import Media

@main
struct Reelpool: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "reelpool",
        abstract: "Probe, proxy, analyse and render video and audio files, frame by frame exact.",
        discussion: """
            A first round through a recording:

              reelpool probe talk.mp4
              reelpool proxy talk.mp4 --output talk-proxy/
              reelpool analyze talk.mp4 --edit pauses.json
              reelpool render pauses.json --output tight.mp4

            submit, watch, status, cancel, requeue, workers and quote speak to a pool's service in place of working here. \
            migrate prepares the store of its jobs, and credits keeps its books; storage sets up and checks the store \
            that a pool keeps its media in.

            Every command prints JSON with --json, and one JSON error with a stable code when it fails \
            (docs/errors.md lists codes and exit statuses).
            """,
        version: version,
        subcommands: [
            ProbeCommand.self, ProxyCommand.self, AnalyzeCommand.self, RenderCommand.self, FixturesCommand.self,
            SubmitCommand.self, WatchCommand.self, StatusCommand.self, CancelCommand.self, RequeueCommand.self,
            WorkersCommand.self, QuoteCommand.self, MigrateCommand.self, StorageCommand.self, CreditsCommand.self,
        ]
    )

    static func main() async {
        LogCapture.quietenEncoders()
        LibraryMemory.keepSmall()
        StopSignals.install()
        LogCapture.install()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }
}
