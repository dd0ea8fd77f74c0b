internal import HTTPTransfer
internal import Model

/// Stripe, asked for what events leave out.
package struct StripeAPI: Sendable {
    /// Stripe itself waits some seconds for what it told to be taken.
    private static let timeoutSeconds = 8.0
    private static let answerBytes = 4 << 20
    /// Of a hundred lines each; a checkout has no more than a hundred.
    private static let mostPages = 10

    private let url: String
    private let key: String
    private let client: HTTPClient

    /// - Parameters:
    ///   - url: `https://api.stripe.com`, or what stands in for it.
    ///   - key: a restricted one that may read checkout sessions will do.
    package init(url: String, key: String, userAgent: String) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.key = key
        client = HTTPClient(.init(.open, userAgent: userAgent))
    }

    /// All that was bought. Source: Stripe API reference, "Retrieve a Checkout Session's line items".
    ///
    /// - Throws: `transfer_failed` whenever Stripe does not say: it will tell the event once more.
    func items(of session: String) async throws(Failure) -> [StripeEvent.Item] {
        var items: [StripeEvent.Item] = []
        var after: String?
        for _ in 0..<Self.mostPages {
            var path = "/v1/checkout/sessions/\(PercentEncoding.encode(session))/line_items?limit=100"
            if let after { path += "&starting_after=\(PercentEncoding.encode(after))" }
            guard let page = StripeEvent.page(try await get(path)) else {
                throw Self.failure("Stripe's list of what was bought cannot be read")
            }
            items += page.items
            guard let next = page.next else { return items }
            after = next
        }
        throw Self.failure("Stripe's list of what was bought does not end")
    }

    private func get(_ path: String) async throws(Failure) -> JSONValue {
        let body: [UInt8]
        do throws(TransferError) {
            var request = TransferRequest("GET", try WebAddress(url + path))
            request.headers = [TransferHeader("Authorization", "Bearer \(key)")]
            request.limits.totalSeconds = Self.timeoutSeconds
            let response = try await client.send(request, upTo: Self.answerBytes)
            try response.requireSuccess()
            body = response.body
        } catch {
            throw Self.failure("Stripe does not say what was bought", error.detail ?? error.message)
        }
        guard let json = try? JSONValue(parsing: body) else {
            throw Self.failure("Stripe's list of what was bought cannot be read")
        }
        return json
    }

    private static func failure(_ message: String, _ detail: String? = nil) -> Failure {
        Failure(code: .transferFailed, message: message, detail: detail)
    }
}
