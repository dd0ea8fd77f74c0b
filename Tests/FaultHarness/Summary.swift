import WorkerCore

/// What came of it.
struct Summary {
    var faults: [Fault: Int] = [:]
    var jobs = 0
    var ends: [String: Int] = [:]
    var attempts = 0
    /// Seconds from a daemon's death until its jobs were free again.
    var recoveries: [Double] = []
    var restarts: [Double] = []
    /// By all owners, in millionths of a credit.
    var spent: Int64 = 0
    var seconds = 0.0
    var problems: [String] = []

    var text: String {
        var lines = ["", "faults: \(faults.values.reduce(0, +))"]
        for fault in Fault.allCases { lines.append("  \(fault.rawValue): \(faults[fault] ?? 0)") }
        lines.append("jobs: \(jobs) in \(attempts) attempts, \(Int(seconds)) s")
        for (end, count) in ends.sorted(by: { $0.key < $1.key }) { lines.append("  \(end): \(count)") }
        lines.append("a lost daemon's jobs were free after \(Self.range(recoveries))")
        lines.append("a restarted daemon's jobs were free after \(Self.range(restarts))")
        lines.append("credits spent: \(MicroCredits(spent)?.text ?? "beyond all bounds")")
        let verdict = "nothing was lost, done twice or left behind, and no credit is wrong"
        lines += problems.isEmpty ? [verdict] : problems.map { "PROBLEM: \($0)" }
        return lines.joined(separator: "\n")
    }

    private static func range(_ seconds: [Double]) -> String {
        guard let low = seconds.min(), let high = seconds.max() else { return "— (none held jobs)" }
        func text(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        return "\(text(low)) to \(text(high)) s (\(seconds.count) times)"
    }
}
