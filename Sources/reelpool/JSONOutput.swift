internal import FoundationEssentials

/// JSON as every command prints it: keys in snake_case and sorted, one document to a line or indented.
enum JSONOutput {
    static func text(_ value: some Encodable, indented: Bool = true) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting =
            indented
            ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            : [
                .sortedKeys, .withoutEscapingSlashes,
            ]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// For values that cannot fail to encode: reports hold finite numbers and strings only.
    static func line(_ value: some Encodable, indented: Bool) -> String {
        (try? text(value, indented: indented)) ?? "{}"
    }
}
