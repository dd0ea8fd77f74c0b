internal import FoundationEssentials
internal import Isolation
internal import Model

extension ChildResult {
    /// Reads what a process says it made. The bytes are not to be trusted; their size was checked.
    init(_ task: CodecTask, json: [UInt8]) throws {
        let (data, decoder) = (Data(json), JSONDecoder())
        self =
            switch (task.kind, task.chunks?.step) {
            case (.probe, _): .probe(try decoder.decode(ProbeReport.self, from: data))
            case (.proxy, _): .proxy(try decoder.decode(ProxyReport.self, from: data))
            case (.render, nil), (.render, .join): .render(try decoder.decode(RenderReport.self, from: data))
            case (.render, .divide): try Self.divided(try decoder.decode(DivideAnswer.self, from: data))
            case (.render, .chunk): .chunk(try decoder.decode(ChunkMade.self, from: data).checked())
            case (.analysis, _): .analysis(try decoder.decode(AnalysisReport.self, from: data))
            }
    }

    private static func divided(_ answer: DivideAnswer) throws -> ChildResult {
        switch (answer.report, answer.division) {
        case (let report?, nil): .render(report)
        case (nil, let division?): .division(try division.checked())
        default: throw ImpossibleResult()
        }
    }

    /// As it is stored and sent: keys in snake_case and sorted, as the command prints them.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data =
            switch self {
            case .probe(let report): try encoder.encode(report)
            case .proxy(let report): try encoder.encode(report)
            case .render(let report): try encoder.encode(report)
            case .division(let division): try encoder.encode(division)
            case .chunk(let made): try encoder.encode(made)
            case .analysis(let report): try encoder.encode(report)
            }
        return String(decoding: data, as: UTF8.self)
    }
}

/// A result that no honest process has.
private struct ImpossibleResult: Error {}

extension ChunkDivision {
    /// The digest becomes part of names, and the numbers are counted with.
    fileprivate func checked() throws -> ChunkDivision {
        guard digest.utf8.count == 64,
            digest.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            (2...Self.mostChunks).contains(frames.count), weights.allSatisfy({ (1...1 << 30).contains($0) }),
            seconds > 0, seconds < 1e9
        else { throw ImpossibleResult() }
        return self
    }

    /// More than any programme is divided into, in chunks of a second.
    private static let mostChunks = 100_000
}

extension ChunkMade {
    fileprivate func checked() throws -> ChunkMade {
        guard (0...1 << 30).contains(frames), sizeBytes > 0 else { throw ImpossibleResult() }
        return self
    }
}

extension Failure {
    /// What a process says went wrong, cut to what people read.
    init?(childJSON json: [UInt8]) {
        guard let failure = try? JSONDecoder().decode(Failure.self, from: Data(json)) else { return nil }
        self.init(
            code: failure.code, message: String(failure.message.prefix(Self.textLimit)),
            detail: failure.detail.map { String($0.prefix(Self.textLimit)) })
    }

    private static let textLimit = 1000
}
