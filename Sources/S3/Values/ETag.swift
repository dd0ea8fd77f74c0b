internal import Crypto
internal import Model

/// Names of an object's content, as a store makes them.
package enum ETag {
    /// As people and browsers have it: with quotes or without.
    package static func plain(_ text: String) -> String { unquoted(text) }

    static func unquoted(_ text: String) -> String {
        let strong = text.hasPrefix("W/") ? text.dropFirst(2) : text[...]
        guard strong.count >= 2, strong.hasPrefix("\""), strong.hasSuffix("\"") else { return String(strong) }
        return String(strong.dropFirst().dropLast())
    }

    static func quoted(_ etag: String) -> String { "\"\(etag)\"" }

    /// Of an object that was put in one piece, where a store does not encrypt with keys of others.
    ///
    /// Source: AWS, "Object", Amazon S3 API Reference, ETag.
    package static func of(_ bytes: UnsafeRawBufferPointer) -> String {
        Hexadecimal.text(Insecure.MD5.hash(data: bytes))
    }

    /// Of an object that was put in parts: the MD5 of their MD5s, and their number.
    ///
    /// AWS states the form only; it is what Amazon's, Cloudflare's, MinIO's and SeaweedFS's stores make.
    /// - Returns: `nil` when the ETag of a part is no MD5, as with encryption.
    package static func of(_ parts: [S3Part]) -> String? {
        var hash = Insecure.MD5()
        for part in parts.sorted(by: { $0.number < $1.number }) {
            guard let digest = md5(part.etag) else { return nil }
            hash.update(data: digest)
        }
        return "\(Hexadecimal.text(hash.finalize()))-\(parts.count)"
    }

    static func md5(_ etag: String) -> [UInt8]? {
        etag.utf8.count == 32 ? Hexadecimal.bytes(etag) : nil
    }
}
