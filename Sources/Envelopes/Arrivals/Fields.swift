internal import Model

/// Reads the members of an object one by one, and knows which nobody asked for.
struct Fields {
    private(set) var rest: [String: JSONValue]
    private let path: String

    init(_ value: JSONValue, path: String = "") throws(EnvelopeError) {
        guard let members = value.objectValue else {
            throw .invalid(path.isEmpty ? "the message" : path, "should be an object")
        }
        (rest, self.path) = (members, path)
    }

    func name(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// `nil` when it is absent or null.
    mutating func take(_ key: String) -> JSONValue? {
        guard let value = rest.removeValue(forKey: key), !value.isNull else { return nil }
        return value
    }

    mutating func text(_ key: String, longest: Int = 200) throws(EnvelopeError) -> String? {
        guard let value = take(key) else { return nil }
        return try value.identifier(name(of: key), longest: longest)
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int64>) throws(EnvelopeError) -> Int64? {
        guard let value = take(key) else { return nil }
        guard let number = value.integerValue, range.contains(number) else {
            throw .invalid(name(of: key), "should be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func seconds(_ key: String, in range: ClosedRange<Double>) throws(EnvelopeError) -> Double? {
        guard let value = take(key) else { return nil }
        guard let number = value.doubleValue, range.contains(number) else {
            throw .invalid(name(of: key), "should be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func object(_ key: String) throws(EnvelopeError) -> JSONValue? {
        guard let value = take(key) else { return nil }
        guard value.objectValue != nil else { throw .invalid(name(of: key), "should be an object") }
        return value
    }

    /// Refuses what was not taken.
    func end() throws(EnvelopeError) {
        if let stranger = rest.keys.sorted().first {
            throw EnvelopeError(.unknownField, "\(name(of: stranger)) is not a field")
        }
    }
}

extension JSONValue {
    /// A name or an id that is safe as a part of a key: a text, or a number as written.
    func identifier(_ path: String, longest: Int = 200) throws(EnvelopeError) -> String {
        let text: String
        switch self {
        case .string(let value): text = value
        case .number(let literal): text = literal
        case .null, .bool, .array, .object: throw .invalid(path, "should be a text")
        }
        guard !text.isEmpty, text.utf8.count <= longest, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .invalid(path, "should be 1 to \(longest) bytes without control characters")
        }
        return text
    }
}
