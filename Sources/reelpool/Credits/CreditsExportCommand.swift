internal import ArgumentParser
internal import Glibc
internal import LocalFiles
internal import Model
internal import SQLStore
internal import WorkerCore

struct CreditsExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write what was measured on some days as CSV.",
        discussion: """
            Whole days, by the clock of UTC: --day yesterday, or --from and --to, both of them included. A line for each \
            measurement, in the order in which they were taken, below one line of names; RFC 4180. The file is whole, or \
            not there.
            """)

    private static let pageSize = 10_000
    private static let dayMilliseconds: Int64 = 86_400_000

    @Option(help: "The first day: 2026-11-01.")
    var from: String?

    @Option(help: "The last day; the first one by default.")
    var to: String?

    @Option(help: "One day: 2026-11-01, yesterday or today.")
    var day: String?

    @Option(name: [.customShort("o"), .long], help: "The file to write; - for standard output.")
    var output: String

    @OptionGroup var ledger: LedgerOptions

    func validate() throws {
        guard (day == nil) != (from == nil), to == nil || from != nil else {
            throw ValidationError("Either --day, or --from with or without --to.")
        }
    }

    func run() async throws {
        try await ledger.perform { store in
            let (start, end) = try days(now: try await store.now())
            let target = try CSVTarget(output)
            try target.write(UsageCSV.head)
            var (count, last): (Int64, Int64) = (0, 0)
            while true {
                let page = try await store.usage(from: start, to: end, after: last, limit: Self.pageSize)
                try target.write(page.map(UsageCSV.line).joined())
                (count, last) = (count + Int64(page.count), page.last?.seq ?? last)
                if page.count < Self.pageSize { break }
            }
            try target.end()
            // What was asked for stands there already.
            guard output != "-" else { return }
            ledger.show(
                [
                    "output": .string(output), "rows": .integer(count),
                    "from": .string(InstantText.universal(milliseconds: start)),
                    "to": .string(InstantText.universal(milliseconds: end)),
                ], "\(count) measurements in \(output)")
        }
    }

    /// - Returns: the first millisecond, and the one after the last.
    private func days(now: StoreTime) throws(Failure) -> (StoreTime, StoreTime) {
        let today = now - now % Self.dayMilliseconds
        func start(_ text: String) throws(Failure) -> StoreTime {
            switch text {
            case "today": return today
            case "yesterday": return today - Self.dayMilliseconds
            default:
                // Days that there are not, such as 2026-02-30, would be others.
                guard let time = InstantText.milliseconds("\(text)T00:00:00Z"),
                    InstantText.universal(milliseconds: time).hasPrefix(text)
                else {
                    throw Failure(
                        code: .invalidTask, message: "\(TextTable.plain(text)) is no day: 2026-11-01, or yesterday")
                }
                return time
            }
        }
        let first = try start(day ?? from ?? "")
        var last = first
        if let to { last = try start(to) }
        guard first <= last else {
            throw Failure(code: .rangeReversed, message: "--to is before --from")
        }
        return (first, last + Self.dayMilliseconds)
    }
}

/// Measurements as lines. Source: RFC 4180.
enum UsageCSV {
    static let head = "measured_at,number,job,attempt,owner,kind,metric,quantity\r\n"

    static func line(_ event: UsageEvent) -> String {
        let fields = [
            InstantText.universal(milliseconds: event.at), "\(event.seq)", event.job.text, "\(event.epoch)",
            event.owner, event.kind.rawValue, event.metric.rawValue, "\(event.quantity)",
        ]
        return fields.map(field).joined(separator: ",") + "\r\n"
    }

    /// By bytes: a quotation mark may be a part of what Swift takes for another character.
    private static func field(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0D, 0x0A].contains($0) }) else { return text }
        let quoted = text.utf8.flatMap { $0 == 0x22 ? [$0, $0] : [$0] }
        return "\"\(String(decoding: quoted, as: UTF8.self))\""
    }
}

/// A file that has its name only when it is complete, or standard output.
private final class CSVTarget {
    private let file: StagedFile?
    private var offset: Int64 = 0

    init(_ path: String) throws(Failure) { file = path == "-" ? nil : try StagedFile(destination: path) }

    func write(_ text: String) throws {
        guard let file else { return try Self.print(text) }
        let bytes = Array(text.utf8)
        try bytes.withUnsafeBytes { try file.write($0, at: offset) }
        offset += Int64(bytes.count)
    }

    func end() throws { try file?.commit() }

    private static func print(_ text: String) throws(Failure) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else {
                throw Failure(code: .outputNotWritable, message: "standard output takes no more")
            }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
