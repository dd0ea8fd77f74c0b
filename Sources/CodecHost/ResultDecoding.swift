internal import FoundationEssentials
internal import Isolation
internal import Model

extension ChildResult {
    /// Reads what a process says it made. The bytes are not to be trusted; their size was checked.
    init(_ kind: CodecTask.Kind, json: [UInt8]) throws {
        let (data, decoder) = (Data(json), JSONDecoder())
        self =
            switch kind {
            case .probe: .probe(try decoder.decode(ProbeReport.self, from: data))
            case .proxy: .proxy(try decoder.decode(ProxyReport.self, from: data))
            case .render: .render(try decoder.decode(RenderReport.self, from: data))
            case .analysis: .analysis(try decoder.decode(AnalysisReport.self, from: data))
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
            case .analysis(let report): try encoder.encode(report)
            }
        return String(decoding: data, as: UTF8.self)
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
