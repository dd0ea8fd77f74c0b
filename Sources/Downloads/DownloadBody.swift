internal import Crypto
internal import HTTPTransfer
internal import Model
internal import WorkerCore

/// What has come of one body, over however many connections: judged, counted, hashed, and handed on at once.
///
/// What has been handed on cannot be taken back, because a store may have it. So what comes after a break must be of the
/// very same object, and the server has to vouch for that: by a strong ETag, in both answers (RFC 9110 §8.8.3, §13.1.5).
final class DownloadBody {
    private static let reportSeconds = 0.25
    /// Longer ones are not worth sending back.
    private static let longestETag = 1024

    private let place: String
    private let limitBytes: Int64
    private let stage: (_ limitBytes: Int64) throws -> any StagedObject
    private let report: (ProgressEvent) -> Void
    private let clock: () -> Double

    /// Nothing of it has been handed on: it may be another body's after a break.
    private var head: [UInt8] = []
    private(set) var staged: (any StagedObject)?
    private(set) var contentType = ""
    private(set) var receivedBytes: Int64 = 0
    private(set) var totalBytes: Int64?
    private var hash = SHA256()
    private var etag: String?
    private var servesRanges = true
    private let begun: Double
    private var told: (at: Double, fraction: Double)

    /// - Parameters:
    ///   - place: the URL as people may see it.
    ///   - stage: begins the output of at most so many bytes; called once, when it is clear that this is media.
    ///   - clock: seconds of one that nobody sets.
    init(
        place: String, limitBytes: Int64, stage: @escaping (Int64) throws -> any StagedObject,
        report: @escaping (ProgressEvent) -> Void, clock: @escaping () -> Double
    ) {
        (self.place, self.limitBytes, self.stage) = (place, limitBytes, stage)
        (self.report, self.clock) = (report, clock)
        begun = clock()
        told = (begun, 0)
    }

    /// Of everything that has come.
    var sha256: String { Hexadecimal.text(hash.finalize()) }

    /// Whether a broken transfer can go on.
    var mayGoOn: Bool { receivedBytes == 0 || etag != nil && servesRanges }

    /// What a request for the rest says. `If-Match` spares a body that would not be taken; a server that does not know it
    /// may know `If-Range`; and what comes is checked against both.
    var conditions: [TransferHeader] {
        guard receivedBytes > 0, let etag else { return [] }
        return [
            TransferHeader("Range", "bytes=\(receivedBytes)-"), TransferHeader("If-Match", etag),
            TransferHeader("If-Range", etag),
        ]
    }

    // MARK: What a transfer calls

    func begin(_ answer: TransferHead) throws {
        if receivedBytes == 0 { try beginFirst(answer) } else { try beginRest(answer) }
        try checkTotal()
        tell(force: true)
    }

    private func beginFirst(_ answer: TransferHead) throws {
        guard answer.status != 206 else {
            throw TransferError(.protocolViolation, "\(place) sends a part where all was asked for")
        }
        let type = answer["Content-Type"]
        guard ContentType.mayBeMedia(type) else {
            throw Failure(code: .notMedia, message: "\(place) is no media by its own account", detail: type)
        }
        head = []
        // Chunks go before a length that stands beside them. Source: RFC 9112 §6.3.
        totalBytes = answer["Transfer-Encoding"] == nil ? answer.contentLength : nil
        etag = answer["ETag"].flatMap { Self.isStrong($0) ? $0 : nil }
        servesRanges = answer["Accept-Ranges"]?.lowercased() != "none"
    }

    private func beginRest(_ answer: TransferHead) throws {
        guard answer.status == 206 else {
            throw Failure(code: .transferFailed, message: "\(place) has changed, or sends no rest of what broke off")
        }
        guard answer["ETag"] == etag, let range = answer.contentRange, range.offsets.lowerBound == receivedBytes else {
            throw Failure(code: .transferFailed, message: "\(place) sends a rest of something else")
        }
        // Where neither answer says how much there is, nobody could tell that there is more.
        guard let total = range.sizeBytes ?? totalBytes, total == totalBytes ?? total, range.offsets.upperBound < total
        else {
            throw Failure(code: .transferFailed, message: "\(place) has another size than before, or none")
        }
        totalBytes = total
    }

    private func checkTotal() throws {
        if let totalBytes, totalBytes > limitBytes { throw tooLarge("has \(Self.megabytes(totalBytes)) MB") }
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        let sofar = receivedBytes + Int64(head.count) + Int64(bytes.count)
        guard sofar <= limitBytes else { throw tooLarge("has more than \(Self.megabytes(limitBytes)) MB") }
        guard sofar <= totalBytes ?? .max else {
            throw TransferError(.protocolViolation, "\(place) sends more than it announced")
        }
        if let staged { return try put(bytes, into: staged) }
        head.append(contentsOf: bytes)
        if head.count >= MediaSignature.headBytes { try judge() }
    }

    /// The answer is whole.
    ///
    /// - Throws: also when there is a rest, as `.truncated`: a server may send less than was asked for.
    func end() throws {
        if staged == nil {
            guard !head.isEmpty else { throw Failure(code: .emptyFile, message: "\(place) is empty") }
            try judge()
        }
        guard receivedBytes == totalBytes ?? receivedBytes else {
            throw TransferError(.truncated, "\(place) ended before its announced length")
        }
    }

    // MARK: Handing on

    private func judge() throws {
        guard let type = MediaSignature.type(of: head) else {
            throw Failure(code: .notMedia, message: "\(place) has no media that is known here")
        }
        contentType = type
        let staged = try stage(totalBytes ?? limitBytes)
        self.staged = staged
        try head.withUnsafeBytes { try put($0, into: staged) }
        head = []
    }

    private func put(_ bytes: UnsafeRawBufferPointer, into staged: any StagedObject) throws {
        try staged.write(bytes, at: receivedBytes)
        hash.update(bufferPointer: bytes)
        receivedBytes += Int64(bytes.count)
        tell(force: false)
    }

    private func tell(force: Bool) {
        let now = clock()
        let fraction = totalBytes.map { Double(receivedBytes) / Double(max(1, $0)) } ?? 0
        guard force || now - told.at >= Self.reportSeconds || fraction - told.fraction >= 0.01 else { return }
        told = (now, fraction)
        var event = ProgressEvent(
            phase: .transferring, fraction: fraction, frames: 0, framesPerSecond: 0, speed: 0, remainingSeconds: nil)
        if fraction > 0 { event.remainingSeconds = (now - begun) * (1 - fraction) / fraction }
        report(event)
    }

    private func tooLarge(_ what: String) -> Failure {
        Failure(
            code: .sourceTooLarge,
            message: "\(place) \(what); downloads may have \(Self.megabytes(limitBytes)) MB")
    }

    /// With a fraction where there is little.
    private static func megabytes(_ bytes: Int64) -> String {
        bytes >= 100 << 20 ? "\(bytes >> 20)" : "\((Double(bytes) / 10_485.76).rounded() / 100)"
    }

    /// Source: RFC 9110 §8.8.3; a weak one begins with `W/`.
    private static func isStrong(_ etag: String) -> Bool {
        etag.utf8.count <= longestETag && etag.wholeMatch(of: #/"[^"]+"/#) != nil
    }
}
