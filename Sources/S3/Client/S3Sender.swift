internal import HTTPTransfer

/// A request as it goes over the wire, good for one try.
struct S3Wire {
    var url: String
    var headers: [TransferHeader]
    /// By the store's clock, in seconds since 1970.
    var signedAt: Int64 = 0
}

/// What makes a store do as a request says: keys, or a URL that somebody with keys has signed.
protocol S3Authority {
    func wire(_ request: S3Request) -> S3Wire
    func setback(_ refusal: Refusal, _ wire: S3Wire, _ place: S3Place, _ course: S3Course) -> Setback
}

/// Sends requests until there is an answer or no reason to ask again.
struct S3Sender: Sendable {
    let http: HTTPClient
    let settings: S3ClientSettings

    /// Hands over the bytes of a range of one object as they come, each once.
    func stream(
        _ place: S3Place, _ range: Range<Int64>, ofETag etag: String, by authority: some S3Authority,
        stop: TransferStop, take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws(S3Error) {
        let request = S3Request("GET", place, headers: [("If-Match", ETag.quoted(etag))])
        var course = S3Course(settings, bytes: range.count)
        let target = S3Target.range(range, S3RangeProgress(etag: etag, .stream(take)))
        let answer = try send(request, .none, into: target, course: &course, by: authority, stop: stop)
        // Whether it is shorter now is for a read to find out.
        guard answer.head.status != 416 else { throw S3Client.error(.malformedAnswer, place) }
        // Also where a store does not heed the condition.
        guard answer.etag == etag, answer.count == range.count else {
            throw S3Client.error(.preconditionFailed, place)
        }
    }

    func send(
        _ request: S3Request, _ body: S3Body, into target: S3Target, course: inout S3Course,
        by authority: some S3Authority, stop: TransferStop
    ) throws(S3Error) -> S3Answer {
        while true {
            let setback: Setback
            switch attempt(request, body, into: target, course: course, by: authority, stop: stop) {
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
        _ request: S3Request, _ body: S3Body, into target: S3Target, course: S3Course, by authority: some S3Authority,
        stop: TransferStop
    ) -> Result<S3Answer, Setback> {
        let sent = authority.wire(request)
        var answer = S3Answer()
        let response: TransferResponse
        do throws(TransferError) {
            var wire = TransferRequest(request.method, try WebAddress(sent.url), headers: sent.headers)
            wire.wantsNewConnection = course.mustKnow
            wire.limits.connectSeconds = settings.connectSeconds
            wire.limits.totalSeconds = course.secondsLeft
            wire.limits.slowSeconds = course.stallSeconds
            if case .range(let range, let progress) = target {
                guard progress.beginTry(of: range) else {
                    answer.head = progress.head ?? answer.head
                    (answer.count, answer.sizeBytes) = (progress.count, answer.head.contentRange?.sizeBytes)
                    return .success(answer)
                }
                let before = progress.count
                let rest = range.lowerBound + Int64(before)..<range.upperBound
                let read = try http.readOrRefusal(wire, rest, into: progress, stop: stop)
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
            return .failure(authority.setback(refusal, sent, request.place, course))
        }
        if let fault = answer.fault(target, request.place) { return .failure(fault) }
        return .success(answer)
    }
}
