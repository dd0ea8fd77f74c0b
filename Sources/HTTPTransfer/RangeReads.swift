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

/// Told of a range while it comes: what has come is there, too, if the rest never does.
package protocol RangeWitness: AnyObject {
    /// Of the answer, before its bytes.
    func begin(_ head: TransferHead)
    func take(_ count: Int)
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
        let read = try readOrRefusal(request, at: offset, into: buffer, stop: stop)
        if !read.isBehindTheEnd || read.sizeBytes.map({ offset < $0 }) ?? false {
            try read.response.requireSuccess()
        }
        return read
    }

    /// Like `read`, but what is no success is an answer, too, with its explanation.
    package func readOrRefusal(
        _ request: TransferRequest, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer,
        stop: TransferStop = TransferStop(), witness: (any RangeWitness)? = nil
    ) throws(TransferError) -> RangeRead {
        precondition(offset >= 0 && !buffer.isEmpty, "an empty or impossible range")
        var request = request
        request.headers.append(TransferHeader("Range", "bytes=\(offset)-\(offset + Int64(buffer.count) - 1)"))
        let place = request.address.shown
        let target = RangeTarget(buffer: buffer, offset: offset, place: place, witness: witness)
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
    private let buffer: UnsafeMutableRawBufferPointer
    private let offset: Int64
    private let place: String
    private let witness: (any RangeWitness)?
    private(set) var count = 0
    private(set) var expected: Int?
    private(set) var sizeBytes: Int64?

    init(
        buffer: UnsafeMutableRawBufferPointer, offset: Int64, place: String,
        witness: (any RangeWitness)?
    ) {
        (self.buffer, self.offset, self.place, self.witness) = (buffer, offset, place, witness)
    }

    func begin(_ head: TransferHead) throws {
        witness?.begin(head)
        guard head.status == 206 else {
            // A server without ranges sends everything, which is the same if everything fits.
            guard head.status == 200, offset == 0, let length = head.contentLength, length <= buffer.count else {
                throw TransferError(.protocolViolation, "\(place) does not serve ranges")
            }
            (sizeBytes, expected) = (length, Int(length))
            return
        }
        guard let range = head.contentRange, range.offsets.lowerBound == offset, range.offsets.count <= buffer.count
        else { throw TransferError(.protocolViolation, "\(place) sends another range than was asked for") }
        (sizeBytes, expected) = (range.sizeBytes, range.offsets.count)
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count <= buffer.count - count else {
            throw TransferError(.protocolViolation, "\(place) sends more than was asked for")
        }
        UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: bytes)
        count += bytes.count
        witness?.take(bytes.count)
    }
}
