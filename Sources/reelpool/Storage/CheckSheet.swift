internal import StoreSetup

/// What was found in a store, on one screen: a line for each check, a column for each bucket, and below that in words what
/// is wrong or lacking.
enum CheckSheet {
    static func text(_ report: CheckReport) -> String {
        var parts = [head(report), table(report)]
        for (outcome, title) in [(CheckReport.Outcome.wrong, "Wrong"), (.lacking, "Lacking, which is no failure")] {
            let lines = notes(report.lines.filter { $0.outcome == outcome })
            if !lines.isEmpty { parts.append("\(title):\n\(lines)") }
        }
        parts.append(report.isRight ? "Nothing is wrong." : "Something is wrong.")
        return parts.joined(separator: "\n\n")
    }

    private static func head(_ report: CheckReport) -> String {
        let buckets = report.buckets.map { "\($0.name) = \($0.bucket)" }.joined(separator: ", ")
        return "\(report.endpoint), region \(report.region), style \(report.style)\n\(buckets)"
    }

    private static func table(_ report: CheckReport) -> String {
        var table = TextTable(["CHECK"] + report.buckets.map { $0.name.uppercased() })
        for check in CheckReport.Check.allCases {
            let lines = report.lines.filter { $0.check == check }
            guard !lines.isEmpty else { continue }
            if check.isOfBucket, !report.buckets.isEmpty {
                table.add(
                    [check.rawValue] + report.buckets.map { bucket in cell(lines.first { $0.name == bucket.name }) })
            } else {
                // Of the whole store: in the first column, and the others are empty.
                table.add([check.rawValue, cell(lines.first)] + report.buckets.dropFirst().map { _ in "" })
            }
        }
        return table.text
    }

    private static func cell(_ line: CheckReport.Line?) -> String {
        guard let line else { return "-" }
        let mark =
            switch line.outcome {
            case .right: "ok"
            case .lacking: "lacking"
            case .wrong: "WRONG"
            case .skipped: "skipped"
            }
        return "\(mark) \(Int(line.milliseconds.rounded())) ms"
    }

    /// Each thing once, with all buckets that it is about.
    private static func notes(_ lines: [CheckReport.Line]) -> String {
        var seen: [String] = []
        var texts: [String] = []
        for line in lines {
            let note = TextTable.plain(line.note ?? "")
            let key = "\(line.check.rawValue) \(note)"
            guard !seen.contains(key) else { continue }
            seen.append(key)
            let names = lines.filter { $0.check == line.check && $0.note == line.note }.compactMap(\.name)
            let place = names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"
            texts.append("  \(line.check.rawValue)\(place): \(note)")
            if let fix = line.fix { texts.append("    -> \(fix)") }
        }
        return texts.joined(separator: "\n")
    }
}
