/// Why bytes are not JSON that is accepted.
package struct JSONSyntaxError: Error, Equatable {
    package enum Kind: Sendable, Equatable {
        case syntax, notUTF8, tooDeep, duplicateKey, forbiddenCharacter
    }

    package let kind: Kind
    /// Bytes from the beginning.
    package let offset: Int
    package let reason: String
}

extension JSONValue {
    /// Parses RFC 8259 strictly, and refuses what two readers might understand differently: a key that comes twice, half
    /// a surrogate pair, and U+0000, which not every database can hold.
    ///
    /// - Parameter maximumDepth: of lists and objects within each other.
    package init(parsing bytes: [UInt8], maximumDepth: Int = 64) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth)
        self = try parser.document()
    }

    package init(parsing text: String, maximumDepth: Int = 64) throws(JSONSyntaxError) {
        try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth)
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let maximumDepth: Int
    var position = 0

    init(bytes: [UInt8], maximumDepth: Int) { (self.bytes, self.maximumDepth) = (bytes, maximumDepth) }

    /// Zero, which JSON has nowhere, after the end.
    private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private func fail(_ kind: JSONSyntaxError.Kind, _ reason: String) -> JSONSyntaxError {
        JSONSyntaxError(kind: kind, offset: position, reason: reason)
    }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        let result = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw fail(.syntax, "there is more after the value") }
        return result
    }

    private mutating func skipSpace() {
        while [0x20, 0x09, 0x0A, 0x0D].contains(next) { position += 1 }
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fail(.syntax, position < bytes.count ? "not a value" : "it ends early")
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        guard bytes[position...].starts(with: word.utf8) else { throw fail(.syntax, "not a value") }
        position += word.utf8.count
        return value
    }

    private mutating func digits() throws(JSONSyntaxError) {
        guard isDigit(next) else { throw fail(.syntax, "a digit is missing") }
        while isDigit(next) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        if next == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if next == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if next | 0x20 == UInt8(ascii: "e") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= maximumDepth else { throw fail(.tooDeep, "more than \(maximumDepth) levels") }
        position += 1
        var values: [JSONValue] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return .array(values)
        }
        while true {
            values.append(try value(depth: depth))
            skipSpace()
            let separator = next
            guard separator == UInt8(ascii: ",") || separator == UInt8(ascii: "]") else {
                throw fail(.syntax, "neither , nor ] after an element")
            }
            position += 1
            if separator == UInt8(ascii: "]") { return .array(values) }
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= maximumDepth else { throw fail(.tooDeep, "more than \(maximumDepth) levels") }
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fail(.syntax, "a key is missing") }
            let key = try string()
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw fail(.syntax, "a : is missing") }
            position += 1
            let member = try value(depth: depth)
            guard members.updateValue(member, forKey: key) == nil else {
                throw fail(.duplicateKey, "a key comes twice")
            }
            skipSpace()
            let separator = next
            guard separator == UInt8(ascii: ",") || separator == UInt8(ascii: "}") else {
                throw fail(.syntax, "neither , nor } after a member")
            }
            position += 1
            if separator == UInt8(ascii: "}") { return .object(members) }
        }
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\"),
            bytes[position] >= 0x20
        {
            position += 1
        }
        // Most strings have no escape, and are taken as they stand.
        guard next != UInt8(ascii: "\"") else {
            let text = try utf8(bytes[start..<position])
            position += 1
            return text
        }
        var unescaped = Array(bytes[start..<position])
        while true {
            switch next {
            case UInt8(ascii: "\""):
                let text = try utf8(unescaped[...])
                position += 1
                return text
            case UInt8(ascii: "\\"):
                try escape(into: &unescaped)
            case 0..<0x20:
                throw fail(.syntax, position < bytes.count ? "a control character in a string" : "a string has no end")
            default:
                unescaped.append(next)
                position += 1
            }
        }
    }

    private func utf8(_ slice: ArraySlice<UInt8>) throws(JSONSyntaxError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw fail(.notUTF8, "not UTF-8") }
        return text
    }

    private mutating func escape(into output: inout [UInt8]) throws(JSONSyntaxError) {
        position += 1
        let letter = next
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(letter)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"): output.append(contentsOf: try unicodeEscape())
        default: throw fail(.syntax, "an unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(JSONSyntaxError) -> String.UTF8View {
        var code = try fourHexDigits()
        if (0xD800..<0xDC00).contains(code) {
            guard next == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u")
            else { throw fail(.forbiddenCharacter, "half a surrogate pair") }
            position += 2
            let low = try fourHexDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw fail(.forbiddenCharacter, "half a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard code != 0 else { throw fail(.forbiddenCharacter, "U+0000 is not allowed") }
        guard let scalar = Unicode.Scalar(code) else { throw fail(.forbiddenCharacter, "half a surrogate pair") }
        return String(Character(scalar)).utf8
    }

    private mutating func fourHexDigits() throws(JSONSyntaxError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw fail(.syntax, "an escape has no end") }
        var code: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fail(.syntax, "not four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
        }
        position += 4
        return code
    }
}
