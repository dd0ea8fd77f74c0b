internal import Model

/// What is known of each job that is watched.
struct WatchBoard {
    struct Row {
        let id: String
        var job: JobAnswer?
        var progress: JSONValue?
        /// Why nothing is heard at present.
        var lost: String?
        /// Why nothing will be heard any more.
        var failure: Failure?

        var isOver: Bool { failure != nil || job?.hasEnded == true }
        var exitStatus: Int32 { failure?.category.exitStatus ?? job?.exitStatus ?? 0 }
        var shortID: String { String(id.prefix(8)) }

        var fraction: Double { min(1, max(0, (progress?["progress_percent"]?.doubleValue ?? 0) / 100)) }
        var phase: String { progress?["current_step"]?.stringValue ?? "" }
    }

    private(set) var rows: [Row]

    init(ids: [String]) { rows = ids.map { Row(id: $0) } }

    var isOver: Bool { rows.allSatisfy(\.isOver) }
    var unfinished: [String] { rows.filter { !$0.isOver }.map(\.id) }

    /// Of the first that did not succeed.
    var exitStatus: Int32 { rows.map(\.exitStatus).first { $0 != 0 } ?? 0 }

    mutating func take(_ news: WatchNews) {
        switch news {
        case .job(let index, let job):
            rows[index].lost = nil
            // What an earlier attempt had done counts no more.
            if job.state != "running" { rows[index].progress = nil }
            rows[index].job = job
        case .progress(let index, let progress):
            rows[index].lost = nil
            rows[index].progress = progress
        case .lost(let index, let reason): rows[index].lost = reason
        case .failed(let index, let failure): rows[index].failure = failure
        case .interrupted: break
        }
    }
}

extension WatchBoard.Row {
    private static let barWidth = 24

    /// A row in words, with a bar where there is room for one.
    func text(withBar: Bool) -> String {
        let title = "\(Self.pad(job?.kind ?? progress?["kind"]?.stringValue ?? "", 8)) \(shortID)  "
        if let failure { return title + "\(failure.message) [\(failure.code.rawValue)]" }
        if let lost, !isOver { return title + "waits for the service: \(lost)" }
        guard let job else { return title + (progress?["state"]?.stringValue ?? "...") }
        guard !job.hasEnded else { return title + Self.ending(job) }
        guard isRunning(job) else { return title + waiting(job) }
        guard progress != nil else { return title + "starts on \(job.worker)" }
        var text = title
        if withBar {
            let filled = Int((fraction * Double(Self.barWidth)).rounded(.down))
            text += String(repeating: "█", count: filled) + String(repeating: "░", count: Self.barWidth - filled) + " "
        }
        let percent = "\(Int(fraction * 100))"
        text += String(repeating: " ", count: max(0, 3 - percent.count)) + "\(percent) %"
        if let frames = progress?["frames_per_second"]?.doubleValue, frames > 0 {
            text += "  \(Int(frames.rounded())) fps"
        }
        if let speed = progress?["speed"]?.doubleValue, speed > 0 { text += "  \(ProbeSummary.rounded(speed, 1))x" }
        if let rest = progress?["remaining_seconds"]?.doubleValue, fraction < 1 {
            text += "  \(Instant.span(rest)) left"
        }
        return text + "  \(phase)"
    }

    /// An update is told at once, that the job's state has changed within a second.
    private func isRunning(_ job: JobAnswer) -> Bool {
        progress?["state"]?.stringValue.map { $0 != "queued" } ?? (job.state == "running")
    }

    private func waiting(_ job: JobAnswer) -> String {
        let state = job.state == "running" ? "queued" : job.state
        guard let failure = job.failure, job.attempt > 0 else { return state }
        return "\(state) after attempt \(job.attempt) of \(job.maxAttempts): "
            + "\(failure.message) [\(failure.code.rawValue)]"
    }

    private static func ending(_ job: JobAnswer) -> String {
        var text = job.state
        if let seconds = job.seconds, job.hasSucceeded { text += " in \(ProbeSummary.rounded(seconds, 2)) s" }
        if let failure = job.failure, !job.hasSucceeded { text += ": \(failure.message) [\(failure.code.rawValue)]" }
        return text
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
