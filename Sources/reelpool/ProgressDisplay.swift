internal import Glibc
internal import Model
internal import Synchronization

/// Progress on standard error: a bar that redraws itself on a terminal, or a JSON object a line.
final class ProgressDisplay: Sendable {
    private let style: RunOptions.ProgressStyle
    private let drewBar = Atomic(false)

    private static let barWidth = 28

    init(style: RunOptions.ProgressStyle) {
        self.style = style == .auto ? (isatty(STDERR_FILENO) == 1 ? .bar : .none) : style
    }

    func show(_ event: ProgressEvent) {
        switch style {
        case .json:
            if let line = try? JSONOutput.text(event, indented: false) { StandardError.write(line + "\n") }
        case .bar:
            StandardError.write("\r\u{1B}[K" + Self.bar(event))
            drewBar.store(true, ordering: .relaxed)
        case .none, .auto: break
        }
    }

    func finish() {
        if drewBar.exchange(false, ordering: .relaxed) { StandardError.write("\n") }
    }

    static func bar(_ event: ProgressEvent) -> String {
        let filled = Int((event.fraction * Double(barWidth)).rounded(.down))
        var text = pad(event.phase.rawValue, 10) + " "
        text += String(repeating: "█", count: filled) + String(repeating: "░", count: barWidth - filled)
        text += " \(leftPad("\(Int(event.fraction * 100))", 3)) %"
        if event.frames > 0 { text += "  \(event.frames) frames  \(Int(event.framesPerSecond.rounded())) fps" }
        if event.speed > 0 { text += "  \(ProbeSummary.rounded(event.speed, 1))x" }
        if let rest = event.remainingSeconds, event.fraction < 1 { text += "  \(time(rest)) left" }
        return text
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func leftPad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
