internal import CodecHost
internal import FoundationEssentials
internal import Model

/// A result as its sender reads it: the report, with places as the task named them.
enum ResultText {
    private struct WithOutputs<Report: Encodable>: Encodable {
        var report: Report
        var outputs: [String: String]
    }

    /// An edit as `render` takes it, for people to read and change.
    static func edit(_ edit: EditDocument) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(edit)) + Array("\n".utf8)
    }

    static func of(_ result: ChildResult, outputs: [String: String]) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data =
            switch result {
            case .probe(let report): try encoder.encode(WithOutputs(report: report, outputs: outputs))
            case .proxy(let report): try encoder.encode(WithOutputs(report: report, outputs: outputs))
            case .render(let report): try encoder.encode(WithOutputs(report: report, outputs: outputs))
            case .division, .chunk: throw Failure(code: .internalFault, message: "a part of a render is no result")
            case .analysis(let report): try encoder.encode(WithOutputs(report: report, outputs: outputs))
            }
        return String(decoding: data, as: UTF8.self)
    }
}
