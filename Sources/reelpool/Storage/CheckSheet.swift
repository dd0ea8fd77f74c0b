internal import StoreSetup

/// What was found in a store, on one screen: a line for each check, a column for each bucket, and below that in words what
/// is wrong or lacking.
enum CheckSheet {
    static func text(_ report: CheckReport) -> String {
        var parts = [head(report), table(report)]
        let titles: [(CheckReport.Outcome, String)] = [
            (.wrong, "Wrong"), (.lacking, "Lacking, which is no failure"), (.skipped, "Not looked at"),
        ]
        for (outcome, title) in titles {
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

    /// What has one remedy stands together, with all buckets that it is about.
    private static func notes(_ lines: [CheckReport.Line]) -> String {
        var rest = lines
        var texts: [String] = []
        while let first = rest.first {
            let alike = rest.filter { $0.check == first.check && $0.fix == first.fix }
            rest.removeAll { $0.check == first.check && $0.fix == first.fix }
            for (index, line) in alike.enumerated() where !alike[..<index].contains(where: { $0.note == line.note }) {
                let names = alike.filter { $0.note == line.note }.compactMap(\.name)
                let place = names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"
                texts.append("  \(line.check.rawValue)\(place): \(TextTable.plain(line.note ?? ""))")
            }
            if let fix = first.fix { texts.append("    -> \(fix)") }
        }
        return texts.joined(separator: "\n")
    }
}
