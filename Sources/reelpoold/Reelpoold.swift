internal import ArgumentParser

@main
struct Reelpoold: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "reelpoold",
        abstract: "Works through a pool's jobs.",
        discussion: """
            Settings come from the environment, from a file, and from the options of a command, which go first. \
            `reelpoold settings` lists them.
            """,
        version: version,
        subcommands: [WorkerCommand.self, ServeCommand.self, SettingsCommand.self])
}
