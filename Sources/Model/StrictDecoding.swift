/// What is wrong with an edit's JSON, with the place in it.
package enum EditError: ClassifiedError, Equatable {
    case unknownField(path: String)
    case invalid(path: String, reason: String)
    case notJSON(reason: String)

    package var code: FailureCode {
        switch self {
        case .unknownField: .unknownField
        case .invalid: .invalidEdit
        case .notJSON: .invalidJSON
        }
    }

    package var message: String {
        switch self {
        case .unknownField(let path): "\(path) is not a field of an edit"
        case .invalid(let path, let reason): path.isEmpty ? reason : "\(path): \(reason)"
        case .notJSON(let reason): "the edit is not valid JSON: \(reason)"
        }
    }
}

extension Decoder {
    /// A keyed container that refuses keys it does not know, because a misspelt field silently
    /// ignored is a wrong render.
    package func strictContainer<Key: CodingKey & CaseIterable>(
        keyedBy type: Key.Type
    ) throws -> KeyedDecodingContainer<Key> {
        let known = Set(Key.allCases.map(\.stringValue))
        let present = try container(keyedBy: AnyKey.self).allKeys
        if let stranger = present.first(where: { !known.contains($0.stringValue) }) {
            throw EditError.unknownField(path: (codingPath + [stranger]).jsonPath)
        }
        return try container(keyedBy: type)
    }
}

extension [any CodingKey] {
    /// `timeline[3].start_ms`
    package var jsonPath: String {
        reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int?
    init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
    init(intValue: Int) { (stringValue, self.intValue) = ("\(intValue)", intValue) }
}
