package import HTTPTransfer
internal import WorkerCore

/// Objects, uploads and buckets of one store, each request signed.
///
/// Every function blocks the calling thread, which must not be one of Swift's own pool, and ends within a second after
/// its stop was raised. What may go well another time is tried again, within the settings' bounds.
package final class S3Client: Sendable {
    package let endpoint: S3Endpoint
    private let signer: S3Signer
    let sender: S3Sender
    private let time: ServerClock

    var settings: S3ClientSettings { sender.settings }

    package init(
        endpoint: S3Endpoint, credentials: S3Credentials, http: HTTPClient, settings: S3ClientSettings
    ) {
        self.endpoint = endpoint
        sender = S3Sender(http: http, settings: settings)
        signer = S3Signer(endpoint: endpoint, credentials: credentials)
        time = ServerClock(settings.clock.wallSeconds)
    }

    /// How far this machine's clock is ahead of the store's, as far as a refusal taught it; 0 if there was none.
    package var clockIsAheadSeconds: Double { time.localIsAheadSeconds }

    /// A URL for whoever has it, for so long as it is good: a secret.
    ///
    /// - Parameters:
    ///   - headers: those that must be sent with it, exactly so.
    ///   - seconds: at most a week. A quarter of an hour is usual: time for a form, none for a leak.
    ///   - endpoint: where whoever has it reaches the store; as this client does unless it is given.
    package func presign(
        _ method: String, _ place: S3Place, query: [S3Field] = [], headers: [S3Field] = [], seconds: Int = 900,
        at endpoint: S3Endpoint? = nil
    ) -> String {
        var signer = signer
        if let endpoint { signer.endpoint = endpoint }
        return signer.presign(
            S3Request(method, place, query: query, headers: headers), for: seconds, at: time.seconds)
    }

    // MARK: Requests

    /// Asks until there is an answer or no reason to ask again.
    func send(
        _ request: S3Request, _ body: S3Body = .none, into target: S3Target = .nothing, course: inout S3Course,
        stop: TransferStop
    ) throws(S3Error) -> S3Answer {
        try sender.send(request, body, into: target, course: &course, by: keys(for: body), stop: stop)
    }

    func keys(for body: S3Body) -> some S3Authority {
        SignedHere(signer: signer, time: time, clock: settings.clock, payload: payload(of: body))
    }

    private func payload(of body: S3Body) -> S3Payload {
        switch body {
        case .none: return .none
        case .document(let bytes): return .of(bytes)
        case .object(let bytes): return settings.signsBodies ? .of(bytes) : .unsigned
        case .memory(let bytes): return settings.signsBodies ? .of(bytes) : .unsigned
        }
    }
}

/// Signs each try with the time that is known by then, and learns from refusals what time it is for the store.
private struct SignedHere: S3Authority {
    let signer: S3Signer
    let time: ServerClock
    let clock: S3Clock
    let payload: S3Payload

    func wire(_ request: S3Request) -> S3Wire {
        let now = time.seconds
        let signed = signer.sign(request, payload, at: now)
        return S3Wire(
            url: signed.url, headers: signed.headers.map { TransferHeader($0.name, $0.value) }, signedAt: now)
    }

    func setback(_ refusal: Refusal, _ wire: S3Wire, _ place: S3Place, _ course: S3Course) -> Setback {
        var setback = Setback(refusal, place)
        guard refusal.mayBeAboutTime, let server = refusal.serverSeconds else { return setback }
        setback.isWrongTime = time.learn(server: server, signed: wire.signedAt)
        if refusal.kind == .clockSkew {
            let minutes = Int((abs(Double(server) - clock.wallSeconds()) / 60).rounded())
            let words = "the store's clock and this machine's differ by \(minutes) minutes"
            let more = course.hasCorrectedTime ? ", and it refuses its own time, too" : ""
            setback.error = refusal.error(place, words: words + more)
        }
        return setback
    }
}
