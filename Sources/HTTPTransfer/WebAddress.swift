internal import CCurl
internal import Model

/// An http or https URL, read by the very parser that will connect to it.
///
/// Its text may hold secrets: a presigned URL's query is as good as a password. `shown` is for people and logs.
package struct WebAddress: Sendable, Hashable {
    package enum Scheme: String, Sendable { case http, https }

    package let text: String
    package let scheme: Scheme
    /// In lower case, without the brackets of version 6.
    package let host: String
    package let port: Int

    /// - Throws: `.invalidAddress` for what is no URL, or one of another scheme.
    package init(_ text: String) throws(TransferError) {
        try self.init(text, relativeTo: nil)
    }

    /// Where a reference leads that stands in an answer from this address. Source: RFC 3986 §5.
    package func resolving(_ reference: String) throws(TransferError) -> WebAddress {
        try WebAddress(reference, relativeTo: self.text)
    }

    private init(_ text: String, relativeTo base: String?) throws(TransferError) {
        // A zero would end the text for libcurl and not for us; and it takes more slashes than there should be.
        guard let handle = curl_url(), !text.utf8.contains(0), base != nil || !text.contains(":///") else {
            throw Self.invalid
        }
        defer { curl_url_cleanup(handle) }
        // Dots in a path are a part of an object's name in a store, and signed as such.
        let flags = UInt32(CURLU_PATH_AS_IS)
        if let base {
            guard curl_url_set(handle, CURLUPART_URL, base, flags) == CURLUE_OK else { throw Self.invalid }
        }
        // A server's reference may hold what it should have escaped; browsers do it in its place.
        let leniency = base == nil ? 0 : UInt32(CURLU_URLENCODE)
        guard curl_url_set(handle, CURLUPART_URL, text, flags | leniency) == CURLUE_OK,
            let scheme = Self.part(handle, CURLUPART_SCHEME).flatMap(Scheme.init(rawValue:)),
            let host = Self.part(handle, CURLUPART_HOST)?.lowercased(), !host.isEmpty,
            let port = Self.part(handle, CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) }),
            let whole = Self.part(handle, CURLUPART_URL)
        else { throw Self.invalid }
        (self.text, self.scheme, self.port) = (whole, scheme, port)
        self.host = host.hasPrefix("[") ? String(host.dropFirst().prefix { $0 != "]" && $0 != "%" }) : host
        path = Self.part(handle, CURLUPART_PATH) ?? "/"
    }

    private let path: String

    /// Without user, password, query and fragment.
    package var shown: String { "\(origin)\(path.prefix(200))" }

    /// Scheme, host and port: what credentials are good for. Source: RFC 6454.
    package var origin: String {
        let name = host.contains(":") ? "[\(host)]" : host
        let standard = scheme == .https ? 443 : 80
        return "\(scheme.rawValue)://\(name)\(port == standard ? "" : ":\(port)")"
    }

    private static let invalid = TransferError(.invalidAddress, "not an http or https URL")

    private static func part(_ handle: OpaquePointer, _ part: CURLUPart, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}

extension WebAddress: CustomStringConvertible {
    package var description: String { shown }
}
