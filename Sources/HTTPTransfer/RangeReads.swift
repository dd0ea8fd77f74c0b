internal import Model

/// What a read of a part of an object found.
package struct RangeRead: Sendable {
    /// Bytes that were put into the buffer; fewer than fit only at the object's end.
    package var count: Int
    /// The whole object's size, where the server says.
    package var sizeBytes: Int64?
    package var response: TransferResponse

    /// Nothing is at the offset that was asked for. Source: RFC 9110 §15.5.17.
    package var isBehindTheEnd: Bool { response.status == 416 }
}

/// Takes the bytes of a range in their order. What it has taken stays taken if the rest never comes.
package protocol RangeTaker: AnyObject {
    /// Of the answer, before its bytes.
    func begin(_ head: TransferHead)
    /// Called on the thread of the transfer; may block.
    func take(_ bytes: UnsafeRawBufferPointer) throws
}

extension HTTPClient {
    /// Reads a part of an object straight into the caller's memory, on the calling thread.
    ///
    /// - Parameters:
    ///   - request: a GET; the `Range` is added. With an `If-Match` an object that has been replaced is `.status(412)`.
    ///   - offset: at or behind the end, nothing is read.
    /// - Throws: `.status` for what is no success; `.protocolViolation` when the server sends other bytes than asked for.
    package func read(
        _ request: TransferRequest, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer,
        stop: TransferStop = TransferStop()
    ) throws(TransferError) -> RangeRead {
        let range = offset..<offset + Int64(buffer.count)
        let read = try readOrRefusal(request, range, into: MemoryTaker(buffer), stop: stop)
        if !read.isBehindTheEnd || read.sizeBytes.map({ offset < $0 }) ?? false {
            try read.response.requireSuccess()
        }
        return read
    }

    /// Like `read`, but what is no success is an answer, too, with its explanation.
    ///
    /// - Parameter range: not empty.
    package func readOrRefusal(
        _ request: TransferRequest, _ range: Range<Int64>, into taker: any RangeTaker,
        stop: TransferStop = TransferStop()
    ) throws(TransferError) -> RangeRead {
        precondition(range.lowerBound >= 0 && !range.isEmpty, "an empty or impossible range")
        var request = request
        request.headers.append(TransferHeader("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
        let place = request.address.shown
        let target = RangeTarget(range, taker, place: place)
        let sink = TransferSink(begin: target.begin, take: target.take)
        let response = try perform(request, into: sink, stop: stop)
        if response.status == 416 {
            // "bytes */1234".
            let size = response.head["Content-Range"]?.split(separator: "/").last.flatMap { Int64($0) }
            return RangeRead(count: 0, sizeBytes: size, response: response)
        }
        guard response.head.isSuccess else { return RangeRead(count: 0, sizeBytes: nil, response: response) }
        guard target.count == target.expected ?? target.count else {
            throw TransferError(.truncated, "\(place) sent \(target.count) bytes of a range")
        }
        return RangeRead(count: target.count, sizeBytes: target.sizeBytes, response: response)
    }
}

/// Takes the bytes of one range and no others.
private final class RangeTarget {
    private let range: Range<Int64>
    private let taker: any RangeTaker
    private let place: String
    private(set) var count = 0
    private(set) var expected: Int?
    private(set) var sizeBytes: Int64?

    init(_ range: Range<Int64>, _ taker: any RangeTaker, place: String) {
        (self.range, self.taker, self.place) = (range, taker, place)
    }

    func begin(_ head: TransferHead) throws {
        taker.begin(head)
        guard head.status == 206 else {
            // A server without ranges sends everything, which is the same if everything fits.
            guard head.status == 200, range.lowerBound == 0, let length = head.contentLength, length <= range.count
            else { throw TransferError(.protocolViolation, "\(place) does not serve ranges") }
            (sizeBytes, expected) = (length, Int(length))
            return
        }
        guard let sent = head.contentRange, sent.offsets.lowerBound == range.lowerBound,
            sent.offsets.count <= range.count
        else { throw TransferError(.protocolViolation, "\(place) sends another range than was asked for") }
        (sizeBytes, expected) = (sent.sizeBytes, sent.offsets.count)
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count <= range.count - count else {
            throw TransferError(.protocolViolation, "\(place) sends more than was asked for")
        }
        try taker.take(bytes)
        count += bytes.count
    }
}

/// Fills memory that lasts as long as the call.
private final class MemoryTaker: RangeTaker {
    private let buffer: UnsafeMutableRawBufferPointer
    private var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

    func begin(_ head: TransferHead) {}

    func take(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: bytes)
        count += bytes.count
    }
}
