internal import ArgumentParser
internal import Glibc
internal import HTTPTransfer
internal import Model
internal import WorkerCore

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watch jobs of a pool to their end.",
        discussion: """
            Bars on a terminal, a line for every change elsewhere, and events as they come with --json. Ends with the \
            status that the work itself would have had, of the first job that did not succeed. Ctrl-C ends the watching \
            and not the job. A service that restarts is waited for.
            """)

    @Argument(help: "The jobs' ids.")
    var ids: [String]

    @OptionGroup var pool: PoolOptions

    func run() throws {
        try pool.perform { client in try Watching(client: client, ids: ids, json: pool.json).run() }
    }
}

/// Several jobs being watched by one thread that prints.
struct Watching {
    /// So that a terminal is not redrawn more often than anybody sees.
    private static let redrawMilliseconds = 100

    let client: PoolClient
    let ids: [String]
    let json: Bool

    private func screen() -> any WatchScreen {
        if json { return EventScreen() }
        if isatty(STDOUT_FILENO) == 1 { return BarScreen() }
        return LineScreen()
    }

    /// - Throws: the exit status when not all succeeded.
    func run() throws {
        let (news, stop) = (Mailbox<WatchNews>(), TransferStop())
        StopSignals.listen(stop: { news.post(.interrupted) }, abandon: {})
        for (index, id) in ids.enumerated() {
            JobWatcher(index: index, id: id, client: client, news: news, stop: stop).start()
        }
        var board = WatchBoard(ids: ids)
        let screen = screen()
        while !board.isOver {
            news.wait(milliseconds: -1)
            for item in news.takeAll() {
                if case .interrupted = item {
                    screen.end()
                    let ids = board.unfinished.map { "reelpool watch \($0)" }.joined(separator: "\n  ")
                    if !json { FailureOutput.write("reelpool: no longer watched, and going on:\n  \(ids)") }
                    throw ExitCode(FailureCategory.cancelled.exitStatus)
                }
                board.take(item)
                screen.show(item, board)
            }
            screen.refresh(board)
            if !board.isOver { usleep(UInt32(Self.redrawMilliseconds * 1000)) }
        }
        screen.end()
        if board.exitStatus != 0 { throw ExitCode(board.exitStatus) }
    }
}
