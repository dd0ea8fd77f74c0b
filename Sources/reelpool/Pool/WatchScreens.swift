internal import FoundationEssentials
internal import Glibc
internal import Model

/// One way to print what is heard.
protocol WatchScreen: AnyObject {
    func show(_ news: WatchNews, _ board: WatchBoard)
    /// After several news.
    func refresh(_ board: WatchBoard)
    func end()
}

/// A bar for each job, redrawn in place.
final class BarScreen: WatchScreen {
    private var drawnLines = 0
    private let hasColor = ProcessInfo.processInfo.environment["NO_COLOR"].map(\.isEmpty) ?? true

    func show(_ news: WatchNews, _ board: WatchBoard) {}

    func refresh(_ board: WatchBoard) {
        let columns = Self.columns()
        // Up to the first line that was drawn, and each line anew.
        var text = drawnLines > 0 ? "\u{1B}[\(drawnLines)A" : ""
        for row in board.rows {
            // Not wrapped while it may be drawn again, which would spoil the count of lines.
            let whole = TextTable.plain(row.text(withBar: true))
            let line = board.isOver ? whole : String(whole.prefix(columns - 2))
            text += "\r\u{1B}[K" + colored(row, line) + "\n"
        }
        drawnLines = board.rows.count
        print(text, terminator: "")
        fflush(nil)
    }

    func end() {}

    private func colored(_ row: WatchBoard.Row, _ line: String) -> String {
        guard row.isOver else { return "  \(line)" }
        let mark = row.exitStatus == 0 ? "✓ " : "✗ "
        return hasColor ? "\u{1B}[\(row.exitStatus == 0 ? 32 : 31)m\(mark)\(line)\u{1B}[0m" : mark + line
    }

    /// Source: ioctl_tty(2), TIOCGWINSZ.
    private static func columns() -> Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
        return Int(size.ws_col)
    }
}

/// A line for each change, for logs and pipes.
final class LineScreen: WatchScreen {
    private var last: [Int: String] = [:]

    func show(_ news: WatchNews, _ board: WatchBoard) {
        let index: Int
        switch news {
        case .job(let place, _), .progress(let place, _), .lost(let place, _), .failed(let place, _): index = place
        case .interrupted: return
        }
        let row = board.rows[index]
        // Speed and time left change with every word; percent, phase and state are changes.
        let key =
            row.isOver || row.progress == nil || row.lost != nil
            ? row.text(withBar: false) : "\(row.phase) \(Int(row.fraction * 100))"
        guard last[index] != key else { return }
        last[index] = key
        print(TextTable.plain(row.text(withBar: false)))
        fflush(nil)
    }

    func refresh(_ board: WatchBoard) {}
    func end() {}
}

/// Every event as it came, an object a line.
final class EventScreen: WatchScreen {
    func show(_ news: WatchNews, _ board: WatchBoard) {
        let line: JSONValue
        switch news {
        case .job(_, let job): line = ["event": "job", "job": job.json]
        case .progress(_, let progress): line = ["event": "progress", "progress": progress]
        case .lost(let index, let reason):
            line = ["event": "lost", "id": .string(board.rows[index].id), "message": .string(reason)]
        case .failed(let index, let failure):
            line = [
                "event": "failed", "id": .string(board.rows[index].id),
                "error": [
                    "code": .string(failure.code.rawValue), "category": .string(failure.category.rawValue),
                    "message": .string(failure.message),
                ],
            ]
        case .interrupted: return
        }
        print(line.text)
        fflush(nil)
    }

    func refresh(_ board: WatchBoard) {}
    func end() {}
}
