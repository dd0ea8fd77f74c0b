internal import HTTPTransfer
internal import Model

/// A pool's service as its commands see it. `GET /openapi.json` describes what is behind it.
struct PoolClient: Sendable {
    private static let answerBytes = 64 << 20
    private static let answerSeconds = 60.0

    private let service: WebAddress
    private let token: String?
    private let client = HTTPClient(.init(.open, userAgent: "reelpool/\(Reelpool.version)"))

    init(service: WebAddress, token: String?) { (self.service, self.token) = (service, token) }

    func get(_ path: String, _ query: [(String, String)] = []) throws -> JSONValue {
        try ask("GET", path, query).body
    }

    /// - Returns: the status as well: 200 and 202, or 201, say different things.
    func post(_ path: String, _ body: JSONValue? = nil) throws -> (status: Int, body: JSONValue) {
        try ask("POST", path, body: body)
    }

    /// Reads an endless answer, piece by piece, on the calling thread.
    ///
    /// - Parameters:
    ///   - silenceSeconds: how long nothing may come.
    ///   - begin: once, when the service has agreed.
    ///   - stop: ends it.
    func stream(
        _ path: String, silenceSeconds: Int, stop: TransferStop, begin: @escaping () -> Void,
        take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var request = try request("GET", path, [])
        request.limits.slowSeconds = silenceSeconds
        let sink = TransferSink(begin: { _ in begin() }, take: take)
        try Self.check(try client.perform(request, into: sink, stop: stop))
    }

    private func ask(
        _ method: String, _ path: String, _ query: [(String, String)] = [], body: JSONValue? = nil
    ) throws -> (status: Int, body: JSONValue) {
        var request = try request(method, path, query)
        request.limits.totalSeconds = Self.answerSeconds
        var sent = TransferBody.none
        if let body {
            request.headers.append(TransferHeader("Content-Type", "application/json"))
            sent = .bytes(body.bytes)
        }
        let response = try client.perform(request, body: sent, into: .collect(upTo: Self.answerBytes))
        try Self.check(response)
        do {
            return (response.status, try JSONValue(parsing: response.body))
        } catch {
            throw Failure(code: .transferFailed, message: "\(service.shown) does not answer as a pool's service does")
        }
    }

    private func request(_ method: String, _ path: String, _ query: [(String, String)]) throws -> TransferRequest {
        let pairs = query.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
        let base = service.text.hasSuffix("/") ? String(service.text.dropLast()) : service.text
        let address = try WebAddress("\(base)/v1/\(path)\(pairs.isEmpty ? "" : "?\(pairs)")")
        var request = TransferRequest(method, address)
        // Whom jobs are billed to may depend on who brings them.
        request.headers.append(TransferHeader("Reelpool-Client", "cli"))
        if let token { request.headers.append(TransferHeader("Authorization", "Bearer \(token)")) }
        return request
    }

    /// - Throws: the service's own words for what it refuses (RFC 9457).
    private static func check(_ response: TransferResponse) throws {
        guard !response.head.isSuccess else { return }
        if let problem = try? JSONValue(parsing: response.body), let title = problem["title"]?.stringValue,
            let code = problem["code"]?.stringValue.flatMap(FailureCode.init(rawValue:))
        {
            throw Failure(code: code, message: title)
        }
        try response.requireSuccess()
    }
}
