/// Any JSON, for what is passed on rather than understood.
///
/// A number is kept as it was written, so that passing it on loses nothing, however long it is.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The literal, as RFC 8259 has it.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package static func integer(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }

    /// `null` for what JSON has no number for.
    package static func double(_ value: Double) -> JSONValue { value.isFinite ? .number("\(value)") : .null }

    package static func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }

    package var isNull: Bool { self == .null }

    package var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// A number without a fraction that fits.
    package var integerValue: Int64? {
        guard case .number(let literal) = self else { return nil }
        if let value = Int64(literal) { return value }
        return Double(literal).flatMap { Int64(exactly: $0) }
    }

    package var doubleValue: Double? {
        guard case .number(let literal) = self, let value = Double(literal), value.isFinite else { return nil }
        return value
    }

    package var arrayValue: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    package var objectValue: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }

    package subscript(_ key: String) -> JSONValue? { objectValue?[key] }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
}

extension JSONValue: ExpressibleByFloatLiteral {
    /// The shortest decimal that reads back as the same number. The value is finite.
    package init(floatLiteral value: Double) { self = .number("\(value)") }
}

extension JSONValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
