internal import HTTPTransfer
internal import Model
internal import WorkerCore

/// Where a store is, and how it is spoken to.
package struct S3Endpoint: Sendable, Equatable {
    /// Where a bucket's name stands: in the path, or before the host's.
    package enum Style: String, Sendable, CaseIterable { case path, virtualHost = "virtual" }

    package enum Scheme: String, Sendable { case http, https }

    package var scheme: Scheme
    /// With the port, where it is not the scheme's own.
    package var host: String
    /// `auto` for Cloudflare R2.
    package var region: String
    package var style: Style

    package init(scheme: Scheme, host: String, region: String, style: Style) {
        (self.scheme, self.host, self.region, self.style) = (scheme, host.lowercased(), region, style)
    }

    /// - Parameter url: of http or https, with nothing behind the host but a port.
    /// - Returns: `nil` for any other URL.
    package init?(url: String, region: String, style: Style) {
        let place = url.split(separator: "://", maxSplits: 1).last ?? ""
        let host = place.hasSuffix("/") ? place.dropLast() : place
        guard !host.contains(where: { "/?#@".contains($0) }), let address = try? WebAddress(url),
            let scheme = Scheme(rawValue: address.scheme.rawValue)
        else { return nil }
        // As it will be asked for: in lower case, without a port that need not be said.
        let origin = address.origin.dropFirst("\(scheme.rawValue)://".count)
        self.init(scheme: scheme, host: String(origin), region: region, style: style)
    }

    package var url: String { "\(scheme.rawValue)://\(host)" }

    /// - Returns: the host that is asked, and the path as it is sent and signed: encoded once, and nothing else done to it.
    ///   Source: AWS, "Signature Version 4", on S3's exception from normalising paths.
    func target(_ place: S3Place) -> (host: String, path: String) {
        let key = PercentEncoding.encode(place.key, keepsSlashes: true)
        // A certificate for *.host does not cover a bucket's name with dots, and nothing is below an address.
        let isNamed = style == .virtualHost && !(scheme == .https && place.bucket.contains(".")) && !isAddress
        if place.bucket.isEmpty { return (host, "/") }
        if isNamed { return ("\(place.bucket).\(host)", "/\(key)") }
        let bucket = PercentEncoding.encode(place.bucket)
        return (host, key.isEmpty ? "/\(bucket)" : "/\(bucket)/\(key)")
    }

    private var isAddress: Bool {
        // Version 6 stands in brackets.
        host.hasPrefix("[") || IPAddress(String(host.prefix { $0 != ":" })) != nil
    }
}
