package import Envelopes
internal import HTTPTransfer

/// What became of one try.
package enum WebhookOutcome: Sendable, Equatable {
    case delivered
    /// For good: the receiver wants no more (410), or the URL leads where it must not.
    case dropped(String)
    /// To be tried again.
    case failed(String)
}

/// Sends webhooks, signed.
package struct WebhookSender: Sendable {
    private static let timeoutSeconds = 10.0
    private static let answerBytes = 64 << 10

    private let client: HTTPClient
    private let signature: WebhookSignature
    private let rules: WebhookRules
    /// Seconds since 1970.
    private let clock: @Sendable () -> Int64

    package init(secret: String, rules: WebhookRules, userAgent: String, clock: @escaping @Sendable () -> Int64) {
        var settings = HTTPClient.Settings(.guarded(rules.addresses), userAgent: userAgent)
        settings.keptLanes = WebhookRelay.mostAtATime
        client = HTTPClient(settings)
        (signature, self.rules, self.clock) = (WebhookSignature(secret: secret), rules, clock)
    }

    package func send(_ notice: WebhookNotice) async -> WebhookOutcome {
        // The rules may have been tightened since it was taken.
        if let problem = rules.problem(with: notice.url) { return .dropped("the URL \(problem)") }
        let body = notice.body
        do throws(TransferError) {
            var request = TransferRequest("POST", try WebAddress(notice.url))
            request.headers = [
                TransferHeader("Content-Type", "application/json"), TransferHeader("Idempotency-Key", notice.id),
                TransferHeader("Reelpool-Signature", signature.header(for: body, at: clock())),
            ]
            request.limits.totalSeconds = Self.timeoutSeconds
            let response = try await client.send(request, body: body, upTo: Self.answerBytes)
            if response.head.isSuccess { return .delivered }
            if response.status == 410 { return .dropped("the receiver is gone (410)") }
            return .failed("status \(response.status)")
        } catch {
            switch error.kind {
            case .refusedAddress, .invalidAddress: return .dropped(error.message)
            // It has been taken; nobody reads what is said to that.
            case .tooLarge: return .delivered
            case .unresolved, .unreachable, .tls, .timedOut, .stalled, .reset, .truncated, .protocolViolation,
                .tooManyRedirects, .status, .cancelled, .handler, .library:
                return .failed(error.message)
            }
        }
    }
}
