internal import ArgumentParser
internal import Engine
internal import FoundationEssentials
internal import Model
internal import WorkerCore

struct QuoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quote",
        abstract: "Tell what a task would cost, before it is sent.",
        discussion: """
            The file is an edit, or a task as it is sent: an object with kind and payload. Where it does not say itself how \
            long its output may be, its sources are looked at here. Prices are the pool's; with --rates, or REELPOOL_RATES, \
            those of a rate card that lies here, and no pool is asked.

              reelpool quote pauses.json
              reelpool quote task.json --rates rates.json --json
            """)

    @Argument(help: "The edit or task, a JSON file; - reads standard input.", completion: .file(extensions: ["json"]))
    var file: String

    @Option(help: "A rate card, a JSON file; default: $REELPOOL_RATES, else the pool is asked.", completion: .file())
    var rates: String?

    @OptionGroup var pool: PoolOptions

    func run() throws {
        try pool.perform { client in
            let task = try QuotedTask(file: file)
            let answer = try cardFile.map { try local(task, $0) } ?? asked(task, client)
            print(pool.json ? answer.text : Self.line(answer))
        }
    }

    private var cardFile: String? {
        rates ?? ProcessInfo.processInfo.environment["REELPOOL_RATES"].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func local(_ task: QuotedTask, _ path: String) throws -> JSONValue {
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw Failure(code: .notReadable, message: "\(path) cannot be read")
        }
        let card = try RateCard(json: text)
        let bound = card.needsBound(task.kind) ? try task.bound() : nil
        return QuoteView.json(task.kind, try card.quote(task.kind, bound), bound)
    }

    private func asked(_ task: QuotedTask, _ client: PoolClient) throws -> JSONValue {
        var body: [String: JSONValue] = ["kind": .string(task.kind.rawValue)]
        if let bound = try task.bound() {
            body["bound"] = [
                "milliseconds": .integer(bound.milliseconds), "resolution": .string(bound.resolution.rawValue),
            ]
        }
        return try client.post("quotes", .object(body)).body
    }

    private static func line(_ quote: JSONValue) -> String {
        func text(_ value: JSONValue?) -> String { TextTable.plain(value?.stringValue ?? "") }
        var line = "\(text(quote["kind"])): \(text(quote["price"])) credits"
        if let bound = quote["bound"], let milliseconds = bound["milliseconds"]?.integerValue {
            line += " for \(ProbeSummary.rounded(Double(milliseconds) / 1000, 3)) s of \(text(bound["resolution"]))"
            line += ", \(text(quote["per_minute"])) a minute and at least \(text(quote["least"]))"
        }
        return line + " (rates \(quote["rate_version"]?.integerValue ?? 0))"
    }
}

/// What is to be priced, as it stands in a file.
private struct QuotedTask {
    let kind: JobKind
    private let document: TaskDocument
    private let folder: String

    init(file: String) throws {
        let object = try JobForms.object(file)
        folder =
            file == "-"
            ? "" : file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        if let name = object["kind"]?.stringValue {
            guard let kind = JobKind(rawValue: name) else {
                throw Failure(code: .unknownTask, message: "\(file): there is no kind \(name)")
            }
            self.kind = kind
            document = try TaskDocument(kind: kind, payload: (object["payload"] ?? .object([:])).text)
        } else {
            kind = .render
            // Where it goes does not matter to its price, and its name has to be there.
            let payload: JSONValue = ["edit": object, "output": "quote.mp4"]
            document = try TaskDocument(kind: .render, payload: payload.text)
        }
    }

    /// As declared, else from the sources that lie here; `nil` where they do not.
    func bound() throws -> MediaBound? {
        if let declared = MediaBound.declared(by: document) { return declared }
        let places = document.sources
        guard !places.isEmpty, !places.contains(where: { $0.contains("://") }), kind != .download else { return nil }
        let probes = try places.map { try Prober.probe(path: JobForms.absolute($0, in: folder)) }
        return MediaBound.of(document, probes)
    }
}
