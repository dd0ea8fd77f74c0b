internal import Crypto
internal import FoundationEssentials
internal import Model

/// Signature version 4, in headers and in the query: pure functions of request, credentials and time.
///
/// Source: AWS, "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference.
package struct S3Signer: Sendable {
    private static let algorithm = "AWS4-HMAC-SHA256"
    /// What S3 allows at most.
    package static let longestSeconds = 604_800

    package var endpoint: S3Endpoint
    package var credentials: S3Credentials

    package init(endpoint: S3Endpoint, credentials: S3Credentials) {
        (self.endpoint, self.credentials) = (endpoint, credentials)
    }

    /// - Parameter seconds: since 1970, by the server's clock.
    /// - Returns: the URL, and all headers that must be sent as they are; `Host` is the URL's own.
    package func sign(
        _ request: S3Request, _ payload: S3Payload, at seconds: Int64
    ) -> (url: String, headers: [S3Field]) {
        let moment = Moment(seconds)
        let (host, path) = endpoint.target(request.place)
        var headers = request.headers
        headers.append(("x-amz-content-sha256", payload.text))
        headers.append(("x-amz-date", moment.full))
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        let query = Self.canonicalQuery(request.query)
        let canonical = Canonical(headers + [("host", host)])
        let signature = signature(
            request.method, path, query, canonical, payload.text, moment)
        headers.append(
            (
                "Authorization",
                "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope(moment)), "
                    + "SignedHeaders=\(canonical.names), Signature=\(signature)"
            ))
        return (url(host, path, query), headers)
    }

    /// A URL that is good by itself, for so many seconds. Whoever has it may do what it says: it is a secret.
    ///
    /// - Parameter seconds: since 1970, when it begins to be good.
    package func presign(_ request: S3Request, for duration: Int, at seconds: Int64) -> String {
        let moment = Moment(seconds)
        let (host, path) = endpoint.target(request.place)
        let canonical = Canonical(request.headers + [("host", host)])
        var query = request.query
        query.append(("X-Amz-Algorithm", Self.algorithm))
        query.append(("X-Amz-Credential", "\(credentials.accessKey)/\(scope(moment))"))
        query.append(("X-Amz-Date", moment.full))
        query.append(("X-Amz-Expires", "\(max(1, min(duration, Self.longestSeconds)))"))
        if let token = credentials.sessionToken { query.append(("X-Amz-Security-Token", token)) }
        query.append(("X-Amz-SignedHeaders", canonical.names))
        let text = Self.canonicalQuery(query)
        let signature = signature(
            request.method, path, text, canonical, S3Payload.unsigned.text, moment)
        return url(host, path, "\(text)&X-Amz-Signature=\(signature)")
    }

    // MARK: Pieces

    private func url(_ host: String, _ path: String, _ query: String) -> String {
        "\(endpoint.scheme.rawValue)://\(host)\(path)\(query.isEmpty ? "" : "?\(query)")"
    }

    private func scope(_ moment: Moment) -> String { "\(moment.day)/\(endpoint.region)/s3/aws4_request" }

    private func signature(
        _ method: String, _ path: String, _ query: String, _ headers: Canonical, _ payload: String, _ moment: Moment
    ) -> String {
        let request = [method, path, query, headers.lines, headers.names, payload].joined(separator: "\n")
        let hash = Hexadecimal.text(SHA256.hash(data: Array(request.utf8)))
        let text = [Self.algorithm, moment.full, scope(moment), hash].joined(separator: "\n")
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretKey)".utf8))
        for part in [moment.day, endpoint.region, "s3", "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return Hexadecimal.text(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }

    /// In the order of the encoded names, then values.
    private static func canonicalQuery(_ query: [S3Field]) -> String {
        query.map { (Array(PercentEncoding.encode($0.name).utf8), PercentEncoding.encode($0.value)) }
            .sorted { left, right in
                left.0 == right.0
                    ? left.1.utf8.lexicographicallyPrecedes(right.1.utf8) : left.0.lexicographicallyPrecedes(right.0)
            }
            .map { "\(String(decoding: $0, as: UTF8.self))=\($1)" }.joined(separator: "&")
    }

    /// Headers in the form that is signed: names in lower case and in order, values without needless spaces.
    private struct Canonical {
        let lines: String
        let names: String

        init(_ headers: [S3Field]) {
            var values: [String: [String]] = [:]
            for header in headers {
                let words = header.value.split(separator: " ", omittingEmptySubsequences: true)
                values[header.name.lowercased(), default: []].append(words.joined(separator: " "))
            }
            let sorted = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            lines = sorted.map { "\($0.key):\($0.value.joined(separator: ","))\n" }.joined()
            names = sorted.map(\.key).joined(separator: ";")
        }
    }

    /// As S3 writes times: 20130524T000000Z.
    private struct Moment {
        let full: String
        var day: String { String(full.prefix(8)) }

        init(_ seconds: Int64) {
            let style = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)
            full = Date(timeIntervalSince1970: Double(seconds)).formatted(style)
        }
    }
}
