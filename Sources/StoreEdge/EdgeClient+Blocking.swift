internal import EdgeWire
package import HTTPTransfer
package import Model
internal import WorkerCore

/// For threads that work for an attempt and may block.
extension EdgeClient {
    private static let pauses = Backoff(baseSeconds: 0.3, capSeconds: 5)

    /// Asks on the calling thread, again and again while nobody answers, for what may be asked again without harm.
    ///
    /// - Parameters:
    ///   - seconds: of one try.
    ///   - patience: of all, in seconds; an attempt that cannot reach its pool for long loses its lease before.
    /// - Throws: the failure that the service names; `cancelled` within a second after the stop was raised.
    package func insist<Answer: Decodable>(
        _ path: String, _ message: some Encodable, within seconds: Double = 35, patience: Double = 120,
        stop: TransferStop
    ) throws(Failure) -> Answer {
        let clock = SystemClock()
        let end = clock.now + patience
        var tries = 0
        while true {
            let refusal: Refusal
            let result: Result<Answer, Refusal> = answer(path, message, within: seconds, stop: stop)
            switch result {
            case .success(let answer): return answer
            case .failure(let found): refusal = found
            }
            tries += 1
            let pause = Self.pauses.pauseSeconds(afterAttempt: tries, unit: .random(in: 0.5..<1))
            guard !stop.isRaised else { throw Self.stopped }
            guard refusal.mayPass, clock.now + pause < end else { throw refusal.failure }
            guard stop.sleep(seconds: pause) else { throw Self.stopped }
        }
    }

    private static let stopped = Failure(code: .cancelled, message: "the transfer was stopped")
}

/// Why there is no answer from the service, or none of use.
struct Refusal: Error {
    /// 0 without an answer.
    private var status = 0
    /// For people.
    private var words: String
    /// As the service classifies it.
    private var code: FailureCode?
    /// Asked again, it may be answered.
    var mayPass: Bool

    /// There was no answer.
    init(_ error: any Error) {
        let failure = Failure(error)
        (words, mayPass) = ([failure.message, failure.detail].compactMap(\.self).joined(separator: " "), true)
    }

    /// - Returns: `nil` for a success.
    init?(_ response: TransferResponse) {
        guard !response.head.isSuccess else { return nil }
        let problem = try? JSONValue(parsing: response.body)
        status = response.status
        words = problem?["title"]?.stringValue ?? String(decoding: response.body.prefix(200), as: UTF8.self)
        code = problem?["code"]?.stringValue.flatMap(FailureCode.init(rawValue:))
        // What stands between the two answers so, too, while the service is away. Source: RFC 9110 §15.6. What a store said
        // to the service is its last word: the service has asked it again and again.
        mayPass =
            (response.status >= 500 || [408, 425, 429].contains(response.status))
            && code != .storageRefused && code != .transferFailed
    }

    init(notUnderstood response: TransferResponse, _ error: any Error) {
        (status, words, mayPass) = (response.status, "the answer is not understood: \(error)", false)
    }

    var obstacle: EdgeClient.Obstacle {
        if status == 0 { return .unreachable(words) }
        return mayPass ? .unreachable("\(status): \(words)") : .refused(status: status, words)
    }

    /// What it is to the job that it was asked for.
    var failure: Failure {
        // What was asked for is refused, or cannot be had now: by the service's own words.
        if let code, [409, 422, 503].contains(status), code != .invalidTask {
            return Failure(code: code, message: words)
        }
        // The worker itself is refused, or there is none who would answer: that is not the job's affair.
        return Failure(
            code: .storeUnavailable, message: "the control service does not answer this worker",
            detail: status == 0 ? words : "\(status): \(words)")
    }
}
