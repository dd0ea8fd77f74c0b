internal import Model

/// Bring what is behind a URL into a store.
package struct DownloadTask: Sendable, Equatable, Decodable {
    private static let longestURL = 8 << 10

    /// An http or https URL, as its sender wrote it. It may hold secrets: a presigned one is as good as a password.
    package var source: String
    package var output: String
    /// The most that it may have, within what its worker allows.
    package var maxBytes: Int64?
    /// When the URL runs out, if it does not say so itself.
    package var expiresAt: StoreTime?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case source, output
        case maxBytes = "max_bytes"
        case expiresAt = "expires_at"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        source = try container.decode(String.self, forKey: .source)
        guard Self.isURL(source) else {
            throw EditError.invalid(
                path: "source", reason: "is an http or https URL of at most \(Self.longestURL) bytes")
        }
        output = try container.decode(String.self, forKey: .output)
        maxBytes = try container.decodeIfPresent(Int64.self, forKey: .maxBytes)
        guard (maxBytes ?? 1) > 0 else { throw EditError.invalid(path: "max_bytes", reason: "is more than 0") }
        if let text = try container.decodeIfPresent(String.self, forKey: .expiresAt) {
            guard let moment = InstantText.milliseconds(text) else {
                throw EditError.invalid(path: "expires_at", reason: "is a time such as 2026-01-02T03:04:05Z")
            }
            expiresAt = moment
        }
    }

    /// So that a sender hears at once of what is none; the reader of URLs that connects has the last word.
    private static func isURL(_ text: String) -> Bool {
        text.utf8.count <= longestURL && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            && text.lowercased().prefixMatch(of: /https?:\/\/[^\/?#]/) != nil
    }

    /// When the URL runs out: the earlier of what the sender and what the URL itself says.
    package var expiry: StoreTime? { [expiresAt, URLExpiry.moment(of: source)].compactMap(\.self).min() }
}
