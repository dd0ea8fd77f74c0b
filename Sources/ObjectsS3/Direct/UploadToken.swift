internal import Crypto
internal import FoundationEssentials
internal import Model
internal import S3
internal import WorkerCore

/// All that is known of an upload, in its id: so that nothing has to be kept of it, and any service can go on with it.
struct UploadToken: Equatable {
    var wanted: WantedUpload
    var place: S3Place
    /// The store's name of it; `nil` for one in one piece.
    var uploadID: String?
    /// Of every part but the last.
    var partBytes: Int64
    var expiresAt: StoreTime

    var partCount: Int { uploadID == nil ? 1 : Int((wanted.sizeBytes + partBytes - 1) / partBytes) }

    /// - Parameter number: from 1 to `partCount`.
    func bytes(ofPart number: Int) -> Int64 { min(partBytes, wanted.sizeBytes - Int64(number - 1) * partBytes) }
}

/// Writes ids, and reads those that it wrote.
struct UploadSeal {
    /// Ids of another meaning are those of another key.
    private static let purpose = "reelpool direct uploads 1"
    private static let longestText = 8192

    private let key: SymmetricKey

    /// - Parameter secret: what all services of a pool have, and nobody else.
    init(secret: String) {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array(Self.purpose.utf8), using: SymmetricKey(data: Array(secret.utf8)))
        key = SymmetricKey(data: code)
    }

    /// Looks like any other name, and is the same for the same words.
    func name(of words: [String]) -> String {
        // Each with its length, so that no two lists are one text.
        let text = words.map { "\($0.utf8.count):\($0)" }.joined()
        var bytes = Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key).prefix(16))
        // Source: RFC 9562 §5.8, a UUID of a form of one's own.
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array(Hexadecimal.text(bytes))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }

    func seal(_ token: UploadToken) -> String {
        let value: JSONValue = [
            "o": .string(token.wanted.owner), "n": .string(token.wanted.name),
            "s": .integer(token.wanted.sizeBytes), "t": .string(token.wanted.contentType),
            "b": .string(token.place.bucket), "k": .string(token.place.key), "u": .text(token.uploadID),
            "p": .integer(token.partBytes), "e": .integer(token.expiresAt),
        ]
        let code = HMAC<SHA256>.authenticationCode(for: value.bytes, using: key)
        return "\(Self.text(value.bytes)).\(Self.text(Array(code)))"
    }

    /// - Returns: `nil` for what this key did not write.
    func open(_ text: String) -> UploadToken? {
        let halves = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.longestText, halves.count == 2, let bytes = Self.bytes(halves[0]),
            let code = Self.bytes(halves[1]),
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: bytes, using: key),
            let value = try? JSONValue(parsing: bytes), let owner = value["o"]?.stringValue,
            let name = value["n"]?.stringValue, let size = value["s"]?.integerValue,
            let type = value["t"]?.stringValue, let bucket = value["b"]?.stringValue,
            let key = value["k"]?.stringValue, let part = value["p"]?.integerValue, part > 0,
            let expiry = value["e"]?.integerValue
        else { return nil }
        return UploadToken(
            wanted: WantedUpload(owner: owner, name: name, sizeBytes: size, contentType: type),
            place: S3Place(bucket: bucket, key: key), uploadID: value["u"]?.stringValue, partBytes: part,
            expiresAt: expiry)
    }

    /// For a place in a path. Source: RFC 4648 §5, without padding.
    private static func text(_ bytes: [UInt8]) -> String {
        String(
            Data(bytes).base64EncodedString().compactMap { character in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let plain = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        // The last character may have bits that mean nothing (RFC 4648 §3.5): only the way that ids are written counts.
        guard let bytes = Data(base64Encoded: plain + padding).map(Array.init), Self.text(bytes) == text else {
            return nil
        }
        return bytes
    }
}
