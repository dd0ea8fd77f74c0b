internal import Model

/// An output as a store takes it that is sent in parts while it is written: the head is kept and may be written at will,
/// all that follows is gone once it is written, in order, but for its end.
///
/// SAFETY: used by the job's thread until the job has ended, and by the test after that.
package final class StreamedSink: RereadableSink, @unchecked Sendable {
    private let headBytes: Int
    private let keptBytes: Int
    private var head: [UInt8] = []
    private var rest: [UInt8] = []

    /// - Parameters:
    ///   - headBytes: what may be written out of order.
    ///   - keptBytes: what may be read of the end. Stores promise a MiB; less finds more mistakes in small files.
    package init(headBytes: Int64, keptBytes: Int = 64 << 10) {
        (self.headBytes, self.keptBytes) = (Int(headBytes), keptBytes)
    }

    /// All of it.
    package var bytes: [UInt8] { head + rest }
    /// So many bytes could be neither written again nor read back in the end.
    package var goneBytes: Int { max(0, rest.count - keptBytes) }
    package var sizeBytes: Int64? { Int64(head.count + rest.count) }

    package func write(_ new: UnsafeRawBufferPointer, at offset: Int64) throws {
        let inHead = max(0, min(new.count, headBytes - Int(offset)))
        if inHead > 0 {
            let end = Int(offset) + inHead
            if end > head.count { head += [UInt8](repeating: 0, count: end - head.count) }
            head.withUnsafeMutableBytes {
                $0[Int(offset)..<end].copyBytes(from: UnsafeRawBufferPointer(rebasing: new[..<inHead]))
            }
        }
        guard inHead < new.count else { return }
        guard head.count == headBytes, Int(offset) + inHead == headBytes + rest.count else {
            throw Failure(
                code: .outputNotWritable,
                message: "\(new.count) bytes at \(offset), the head of \(headBytes), \(rest.count) behind it")
        }
        rest.append(contentsOf: UnsafeRawBufferPointer(rebasing: new[inHead...]))
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let (position, size) = (Int(offset), head.count + rest.count)
        guard position >= 0, position < size else { return 0 }
        let part: ArraySlice<UInt8>
        if position < head.count {
            part = head[position...].prefix(buffer.count)
        } else {
            guard position >= size - keptBytes else {
                throw Failure(code: .readFailed, message: "byte \(position) of \(size) has been sent")
            }
            part = rest[(position - head.count)...].prefix(buffer.count)
        }
        buffer.copyBytes(from: part)
        return part.count
    }
}
