package import HTTPTransfer
internal import WorkerCore

/// Objects, uploads and buckets of one store, each request signed.
///
/// Every function blocks the calling thread, which must not be one of Swift's own pool, and ends within a second after
/// its stop was raised. What may go well another time is tried again, within the settings' bounds.
package final class S3Client: Sendable {
    package let endpoint: S3Endpoint
    let settings: S3ClientSettings
    private let signer: S3Signer
    private let http: HTTPClient
    private let time: ServerClock

    package init(
        endpoint: S3Endpoint, credentials: S3Credentials, http: HTTPClient, settings: S3ClientSettings
    ) {
        (self.endpoint, self.settings, self.http) = (endpoint, settings, http)
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
    package func presign(
        _ method: String, _ place: S3Place, query: [S3Field] = [], headers: [S3Field] = [], seconds: Int = 900
    ) -> String {
        signer.presign(
            S3Request(method, place, query: query, headers: headers), for: seconds, at: time.seconds)
    }

    // MARK: Requests

    /// Asks until there is an answer or no reason to ask again.
    func send(
        _ request: S3Request, _ body: S3Body = .none, into target: S3Target = .nothing, course: inout S3Course,
        stop: TransferStop
    ) throws(S3Error) -> S3Answer {
        let payload = payload(of: body)
        while true {
            let setback: Setback
            switch attempt(request, body, payload, into: target, course: course, stop: stop) {
            case .success(let answer): return answer
            case .failure(let failure): setback = failure
            }
            if setback.isWrongTime, !course.hasCorrectedTime {
                course.hasCorrectedTime = true
                continue
            }
            guard let pause = course.pause(after: setback) else { throw setback.error }
            guard settings.clock.pause(pause, stop) else { throw .cancelled }
        }
    }

    private func attempt(
        _ request: S3Request, _ body: S3Body, _ payload: S3Payload, into target: S3Target, course: S3Course,
        stop: TransferStop
    ) -> Result<S3Answer, Setback> {
        let signedAt = time.seconds
        let signed = signer.sign(request, payload, at: signedAt)
        let headers = signed.headers.map { TransferHeader($0.name, $0.value) }
        var answer = S3Answer()
        let response: TransferResponse
        do throws(TransferError) {
            var wire = TransferRequest(request.method, try WebAddress(signed.url), headers: headers)
            wire.wantsNewConnection = course.mustKnow
            wire.limits.connectSeconds = settings.connectSeconds
            wire.limits.totalSeconds = course.secondsLeft
            wire.limits.slowSeconds = course.stallSeconds
            if case .memory(let buffer, let offset, let progress) = target {
                // All came, and still it was no answer.
                if progress.count == buffer.count { progress.reset() }
                let before = progress.count
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[before...])
                let read = try http.readOrRefusal(
                    wire, at: offset + Int64(before), into: rest, stop: stop, witness: progress)
                (answer.count, answer.sizeBytes, response) = (before + read.count, read.sizeBytes, read.response)
            } else {
                response = try http.perform(
                    wire, body: body.onTheWire, into: .collect(upTo: S3Answer.longestDocument), stop: stop)
            }
        } catch {
            return .failure(Setback(error, request.place))
        }
        answer.head = response.head
        if let refusal = answer.take(response, target, request.place) {
            return .failure(setback(refusal, request.place, signedAt: signedAt, course: course))
        }
        if let fault = answer.fault(target, request.place) { return .failure(fault) }
        return .success(answer)
    }

    private func setback(_ refusal: Refusal, _ place: S3Place, signedAt: Int64, course: S3Course) -> Setback {
        var setback = Setback(refusal, place)
        guard refusal.mayBeAboutTime, let server = refusal.serverSeconds else { return setback }
        setback.isWrongTime = time.learn(server: server, signed: signedAt)
        if refusal.kind == .clockSkew {
            let minutes = Int((abs(Double(server) - settings.clock.wallSeconds()) / 60).rounded())
            let words = "the store's clock and this machine's differ by \(minutes) minutes"
            let more = course.hasCorrectedTime ? ", and it refuses its own time, too" : ""
            setback.error = refusal.error(place, words: words + more)
        }
        return setback
    }

    private func payload(of body: S3Body) -> S3Payload {
        let isSigned =
            switch settings.bodySigning {
            case .always: true
            case .withoutTLS: endpoint.scheme == .http
            case .never: false
            }
        switch body {
        case .none: return .none
        case .document(let bytes): return .of(bytes)
        case .object(let bytes): return isSigned ? .of(bytes) : .unsigned
        case .memory(let bytes): return isSigned ? .of(bytes) : .unsigned
        }
    }
}
