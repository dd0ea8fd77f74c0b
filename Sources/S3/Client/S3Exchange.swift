internal import HTTPTransfer

/// What is sent along.
enum S3Body {
    case none
    case document([UInt8])
    case object([UInt8])
    /// Of an object; must last as long as the call.
    case memory(UnsafeRawBufferPointer)

    var onTheWire: TransferBody {
        switch self {
        case .none: .none
        case .document(let bytes), .object(let bytes): .bytes(bytes)
        case .memory(let bytes):
            .pull(length: Int64(bytes.count), isRepeatable: true) { buffer, offset in
                let part = UnsafeRawBufferPointer(rebasing: bytes[Int(offset)...].prefix(buffer.count))
                buffer.copyMemory(from: part)
                return part.count
            }
        }
    }
}

/// What the answer is to be.
enum S3Target {
    case nothing
    /// What an object is: its size and its ETag.
    case info
    /// With a root of this name.
    case document(String)
    /// With the ETag of bytes that were sent.
    case etag(ofMD5: String)
    /// Bytes of a range.
    case range(Range<Int64>, S3RangeProgress)
}

/// How much of a read is there already, so that another try goes on from where one broke off. Only of an object that is
/// known to be the one.
final class S3RangeProgress: RangeTaker {
    enum Destination {
        /// What came of another object is overwritten by the next try. Lasts as long as the call.
        case memory(UnsafeMutableRawBufferPointer)
        /// Gets what is of the one, and nothing else.
        case stream((UnsafeRawBufferPointer) throws -> Void)
    }

    private let etag: String?
    private let destination: Destination
    private var isTheOne = false
    /// Of this try.
    private var position = 0
    private(set) var count = 0
    /// Of the last answer that was of the one.
    private(set) var head: TransferHead?

    init(etag: String?, _ destination: Destination) { (self.etag, self.destination) = (etag, destination) }

    func begin(_ head: TransferHead) {
        isTheOne = etag != nil && head["ETag"].map(ETag.unquoted) == etag
        if isTheOne { self.head = head }
        position = count
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        switch destination {
        case .memory(let buffer):
            UnsafeMutableRawBufferPointer(rebasing: buffer[position...]).copyMemory(from: bytes)
        case .stream(let take): if isTheOne { try take(bytes) }
        }
        position += bytes.count
        if isTheOne { count += bytes.count }
    }

    /// All came, and still it was no answer: memory can be filled once more, and of a stream nothing is left to ask for.
    ///
    /// - Returns: whether there is something to ask for.
    func beginTry(of range: Range<Int64>) -> Bool {
        guard count == range.count else { return true }
        guard case .memory = destination else { return false }
        count = 0
        return true
    }
}

/// A success.
struct S3Answer {
    /// A thousand entries of a list, with the longest keys, each byte escaped.
    static let longestDocument = 16 << 20

    var head = TransferHead(status: 0, headers: [])
    var document = AnswerElement(name: "")
    /// Something came that no store says.
    var isForeign = false
    /// Of a range's bytes.
    var count = 0
    /// Of the whole object.
    var sizeBytes: Int64?

    var etag: String? { head["ETag"].map(ETag.unquoted) }

    /// - Returns: that it is no success after all.
    mutating func take(_ response: TransferResponse, _ target: S3Target, _ place: S3Place) -> Refusal? {
        if case .range = target, response.status == 416 { return nil }
        guard response.head.isSuccess else { return Refusal(response, isAboutBucket: place.key.isEmpty) }
        guard !response.body.isEmpty, let read = AnswerElement.read(response.body) else {
            isForeign = !response.body.isEmpty
            return nil
        }
        document = read
        return read.name == "Error" ? Refusal(response.head, read, isAboutBucket: place.key.isEmpty) : nil
    }

    /// What is wrong with a success.
    func fault(_ target: S3Target, _ place: S3Place) -> Setback? {
        switch target {
        case .nothing:
            // Such as a page of something that stands between, which has done nothing of what was asked.
            return isForeign ? Setback(.malformedAnswer, place, "what came is not of a store") : nil
        case .info:
            guard head.contentLength == nil || etag == nil else { return nil }
            return Setback(.malformedAnswer, place, "no size came, or no ETag")
        case .document(let root):
            if document.name == root { return nil }
            return Setback(.malformedAnswer, place, "no \(root) came")
        case .etag(let md5):
            guard let etag else { return Setback(.malformedAnswer, place, "no ETag came") }
            // Encryption with keys of others makes ETags of another kind.
            // Source: AWS, "Object", Amazon S3 API Reference, ETag.
            let isPlain =
                ["AES256", nil].contains(head["x-amz-server-side-encryption"])
                && head["x-amz-server-side-encryption-customer-algorithm"] == nil
            guard isPlain, ETag.md5(etag) != nil, etag.lowercased() != md5 else { return nil }
            return Setback(.corrupt, place, "the store has \(etag), and \(md5) was sent")
        case .range(let range, _):
            guard head.status != 416 else { return nil }
            guard let sizeBytes, etag != nil else {
                return Setback(.malformedAnswer, place, "no size came, or no ETag")
            }
            if Int64(count) == min(Int64(range.count), sizeBytes - range.lowerBound) { return nil }
            return Setback(.transfer(.truncated), place, "\(count) bytes came of those at \(range.lowerBound)")
        }
    }
}

extension Setback {
    init(_ error: TransferError, _ place: S3Place) {
        self.init(
            error: S3Error(error, place), isTransient: ErrorTable.isTransient(.transfer(error.kind), code: nil),
            isUnclear: ![.unresolved, .unreachable, .tls].contains(error.kind))
    }

    init(_ refusal: Refusal, _ place: S3Place) {
        let mayHaveWorked =
            switch refusal.kind {
            case .server, .transfer: true
            default: false
            }
        self.init(
            error: refusal.error(place), isTransient: ErrorTable.isTransient(refusal.kind, code: refusal.code),
            isUnclear: mayHaveWorked, retryAfterSeconds: refusal.retryAfterSeconds)
    }

    init(_ kind: S3Error.Kind, _ place: S3Place, _ detail: String) {
        self.init(
            error: S3Error(kind, "\(place): \(ErrorTable.words(kind))", detail: detail),
            isTransient: ErrorTable.isTransient(kind, code: nil), isUnclear: true)
    }
}
