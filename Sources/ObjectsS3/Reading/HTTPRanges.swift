package import HTTPTransfer
package import Model
internal import Synchronization
package import WorkerCore

/// What is behind a URL, in ranges.
///
/// Every request is a GET, because a presigned URL is good for nothing else, and each is guarded and redirected anew.
package final class HTTPRanges: RangeStore {
    /// A server that has no ranges is asked for everything, if that is no more.
    private static let wholeBytes = 16 << 20
    /// Tries in a row that brought nothing.
    private static let mostTries = 6
    /// A server's wish for more patience than that is for the job's next attempt.
    private static let longestWish = 30.0

    private let client: HTTPClient
    private let address: WebAddress
    /// When the URL runs out, if it says so.
    private let expiry: StoreTime?
    private let now: @Sendable () -> StoreTime
    private let pauses: Backoff
    private let stallSeconds: Int
    /// All there is, of a server without ranges.
    private let whole = Mutex<Whole?>(nil)

    private struct Whole {
        var bytes: [UInt8]
        var version: ObjectVersion
    }

    /// - Parameters:
    ///   - now: the time of day, in milliseconds since 1970.
    ///   - stallSeconds: a server that sends nothing for so long is given up.
    package init(
        _ client: HTTPClient, _ address: WebAddress, now: @escaping @Sendable () -> StoreTime,
        pauses: Backoff = Backoff(baseSeconds: 0.2, capSeconds: 5), stallSeconds: Int = 30
    ) {
        (self.client, self.address, self.now, self.pauses) = (client, address, now, pauses)
        self.stallSeconds = stallSeconds
        expiry = URLExpiry.moment(of: address.text)
    }

    package var shownName: String { address.shown }

    package func fetch(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer, version: ObjectVersion?, stop: TransferStop
    ) throws(Failure) -> (count: Int, version: ObjectVersion) {
        if let answer = copyOfWhole(from: offset, into: buffer) { return answer }
        let answer = RangeAnswer(
            place: shownName, range: offset..<offset + Int64(buffer.count), version: version,
            wholeBytes: version == nil && offset == 0 ? Self.wholeBytes : 0
        ) { bytes, position in
            UnsafeMutableRawBufferPointer(rebasing: buffer[position...]).copyMemory(from: bytes)
        }
        try fill(answer, stop)
        guard let found = answer.version else {
            throw Failure(code: .transferFailed, message: "\(shownName) does not say what it is")
        }
        guard let all = answer.whole else { return (answer.filled, found) }
        whole.withLock { $0 = Whole(bytes: all, version: found) }
        return copyOfWhole(from: offset, into: buffer) ?? (0, found)
    }

    package func stream(
        _ range: Range<Int64>, version: ObjectVersion, stop: TransferStop,
        take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws(Failure) {
        if let whole = whole.withLock({ $0 }) {
            do {
                try whole.bytes.withUnsafeBytes { bytes in
                    let part = Int(range.lowerBound)..<min(bytes.count, Int(range.upperBound))
                    try take(UnsafeRawBufferPointer(rebasing: bytes[part]))
                }
            } catch {
                throw Failure(error)
            }
            return
        }
        let answer = RangeAnswer(place: shownName, range: range, version: version, wholeBytes: 0) { bytes, _ in
            try take(bytes)
        }
        try fill(answer, stop)
        guard answer.filled == range.count else {
            throw Failure(code: .transferFailed, message: "\(shownName) is shorter than it says")
        }
    }

    private func fill(_ answer: RangeAnswer, _ stop: TransferStop) throws(Failure) {
        var (tries, filled) = (0, 0)
        while true {
            var wish = 0.0
            let problem: TransferError
            do throws(TransferError) {
                return try once(answer, stop, &wish)
            } catch {
                problem = error
            }
            // Each byte came with an answer that named it and its object.
            if answer.isComplete { return }
            if answer.filled > filled { tries = 0 }
            filled = answer.filled
            tries += 1
            guard problem.mayPass || answer.mayBeGarbled(problem), tries < Self.mostTries else {
                throw Failure(problem)
            }
            let pause = max(wish, pauses.pauseSeconds(afterAttempt: tries, unit: .random(in: 0.5..<1)))
            guard stop.sleep(seconds: pause) else {
                throw Failure(code: .cancelled, message: "the transfer was stopped")
            }
        }
    }

    private func copyOfWhole(
        from offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) -> (count: Int, version: ObjectVersion)? {
        whole.withLock { whole in
            guard let whole else { return nil }
            let rest = whole.bytes.dropFirst(Int(clamping: offset)).prefix(buffer.count)
            buffer.copyBytes(from: rest)
            return (rest.count, whole.version)
        }
    }

    /// - Parameter wish: what the server asks to wait for, in seconds.
    private func once(
        _ answer: RangeAnswer, _ stop: TransferStop, _ wish: inout Double
    ) throws(TransferError) {
        // What is cached is the object itself.
        let headers = answer.conditions() + [TransferHeader("Accept-Encoding", "identity")]
        var request = TransferRequest("GET", address, headers: headers)
        request.redirects = TransferRequest.mostRedirects
        request.limits.slowSeconds = stallSeconds
        let response = try client.perform(
            request, into: TransferSink(begin: answer.begin, take: answer.take), stop: stop)
        if response.head.isSuccess { return try answer.end() }
        wish = min(Self.longestWish, response.head.retryAfterSeconds ?? 0)
        switch response.status {
        case 400, 401, 403:
            let expiries = [expiry, URLExpiry.moment(of: response.address.text)].compactMap(\.self)
            guard !expiries.contains(where: { $0 <= now() }) else {
                throw TransferError(.handler(.urlExpired), "\(shownName) has expired")
            }
        case 404, 410, 412: if answer.hasVersion { throw answer.changed("answered with \(response.status)") }
        case 416:
            if answer.isEmpty(response.head) { return }
            if answer.hasVersion { throw answer.refusedRange(response.head) }
        default: break
        }
        try response.requireSuccess()
    }
}

/// Takes the bytes of one range, over as many connections as it needs.
private final class RangeAnswer {
    private let place: String
    private let range: Range<Int64>
    private let wholeBytes: Int
    /// Takes bytes in order, and at which position in the range.
    private let deliver: (UnsafeRawBufferPointer, Int) throws -> Void
    private(set) var version: ObjectVersion?
    private(set) var filled = 0
    /// Instead of a range.
    private(set) var whole: [UInt8]?
    private var expected: Int?

    /// - Parameter wholeBytes: so much may come of a server that has no ranges.
    init(
        place: String, range: Range<Int64>, version: ObjectVersion?, wholeBytes: Int,
        deliver: @escaping (UnsafeRawBufferPointer, Int) throws -> Void
    ) {
        (self.place, self.range, self.version) = (place, range, version)
        (self.wholeBytes, self.deliver) = (wholeBytes, deliver)
    }

    /// Everything has come, however it ended.
    var isComplete: Bool { whole == nil && version != nil && filled == range.count }

    var hasVersion: Bool { version != nil && whole == nil }

    /// Whether a server that has shown that it can answers amiss, so that something on the way may be the reason.
    func mayBeGarbled(_ problem: TransferError) -> Bool {
        hasVersion && (problem.kind == .protocolViolation || problem.kind == .tls)
    }

    /// Of bytes that are there by all that is known. A store that has much to do says so at times (JuiceFS's gateway;
    /// measured), and then it is no other object unless it has another size.
    func refusedRange(_ head: TransferHead) -> TransferError {
        let size = head["Content-Range"].flatMap { $0.hasPrefix("bytes */") ? Int64($0.dropFirst(8)) : nil }
        if let size, size != version?.sizeBytes { return changed("has \(size) bytes") }
        return TransferError(.protocolViolation, "\(place) refuses a range that it has")
    }

    func changed(_ sign: String) -> TransferError {
        TransferError(.handler(.sourceChanged), "\(place) was replaced while it was read", detail: sign)
    }

    /// What the next request says. A weak ETag matches nothing. Source: RFC 9110 §13.1.1.
    func conditions() -> [TransferHeader] {
        let range = TransferHeader(
            "Range", "bytes=\(range.lowerBound + Int64(filled))-\(range.upperBound - 1)")
        guard let version else { return [range] }
        if let etag = version.etag {
            return etag.hasPrefix("W/") ? [range] : [range, TransferHeader("If-Match", etag)]
        }
        return [range] + (version.modified.map { [TransferHeader("If-Unmodified-Since", $0)] } ?? [])
    }

    func begin(_ head: TransferHead) throws {
        guard head.status == 206 else {
            guard !hasVersion else {
                throw TransferError(.protocolViolation, "\(place) serves ranges no more")
            }
            guard wholeBytes > 0, head.contentLength ?? 0 <= Int64(wholeBytes) else { throw hasNoRanges }
            // Another try begins anew.
            whole = []
            version = nil
            expected = head.contentLength.map { Int($0) }
            return
        }
        guard let sent = head.contentRange, let size = sent.sizeBytes,
            sent.offsets.lowerBound == range.lowerBound + Int64(filled), sent.offsets.upperBound < size,
            sent.offsets.upperBound < range.upperBound
        else { throw TransferError(.protocolViolation, "\(place) sends another range than was asked for") }
        let found = ObjectVersion(sizeBytes: size, etag: head["ETag"], modified: head["Last-Modified"])
        if let version {
            // An answer that does not say it says nothing.
            guard (version.etag == nil) == (found.etag == nil) else {
                throw TransferError(.protocolViolation, "\(place) does not say what it is each time")
            }
            guard Self.isSame(version, found) else { throw changed("\(found) in place of \(version)") }
        }
        (version, whole) = (found, nil)
        expected = Int(min(size - range.lowerBound, Int64(range.count)))
    }

    private static func isSame(_ one: ObjectVersion, _ other: ObjectVersion) -> Bool {
        guard one.sizeBytes == other.sizeBytes, one.etag == other.etag else { return false }
        return one.etag != nil || one.modified == other.modified
    }

    private var hasNoRanges: Failure {
        Failure(
            code: .notReadable,
            message: "\(place) does not serve ranges, and is too large to be fetched as a whole")
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        if whole != nil {
            guard bytes.count <= wholeBytes - (whole?.count ?? 0) else { throw hasNoRanges }
            whole?.append(contentsOf: bytes)
            return
        }
        guard bytes.count <= range.count - filled else {
            throw TransferError(.protocolViolation, "\(place) sends more than was asked for")
        }
        try deliver(bytes, filled)
        filled += bytes.count
    }

    /// The answer is whole.
    func end() throws(TransferError) {
        let count = whole?.count ?? filled
        guard count == expected ?? count else {
            throw TransferError(.truncated, "\(place) sent \(count) bytes of a range")
        }
        if let whole { version = ObjectVersion(sizeBytes: Int64(whole.count), etag: nil) }
    }

    /// Whether a refusal says that nothing is there at all. Source: RFC 9110 §15.5.17.
    func isEmpty(_ head: TransferHead) -> Bool {
        guard version == nil, range.lowerBound == 0, head["Content-Range"] == "bytes */0" else { return false }
        version = ObjectVersion(sizeBytes: 0, etag: head["ETag"])
        return true
    }
}
