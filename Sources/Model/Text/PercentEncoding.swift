/// Text in addresses: every byte but those of letters, digits, `-`, `.`, `_` and `~` as `%XX`.
///
/// Source: RFC 3986 §2; AWS, "Create a signed AWS API request", UriEncode.
package enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// - Parameter keepsSlashes: of a path, whose slashes stand.
    package static func encode(_ text: String, keepsSlashes: Bool = false) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if isUnreserved(byte) || (keepsSlashes && byte == UInt8(ascii: "/")) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Returns: `nil` for escapes that are none, and for bytes that are not UTF-8.
    package static func decode(_ text: some StringProtocol) -> String? {
        bytes(text) { _ in nil }.flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// What forms make: `+` is a space, too.
    package static func decodeForm(_ text: String) -> String? {
        decode(String(text.map { $0 == "+" ? " " : $0 }))
    }

    /// Of people's own writing: a percent sign that begins no escape stands for itself.
    package static func decodeLeniently(_ text: some StringProtocol) -> String {
        String(decoding: bytes(text) { $0 } ?? [], as: UTF8.self)
    }

    /// - Parameter mend: what stands for a percent sign that begins no escape; `nil` refuses the text.
    private static func bytes(_ text: some StringProtocol, mend: (UInt8) -> UInt8?) -> [UInt8]? {
        let coded = Array(text.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < coded.count {
            let pair = coded[(index + 1)...].prefix(2)
            if coded[index] != UInt8(ascii: "%") {
                bytes.append(coded[index])
            } else if pair.count == 2, let value = Hexadecimal.bytes(String(decoding: pair, as: UTF8.self)) {
                bytes += value
                index += 2
            } else {
                guard let mended = mend(coded[index]) else { return nil }
                bytes.append(mended)
            }
            index += 1
        }
        return bytes
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
