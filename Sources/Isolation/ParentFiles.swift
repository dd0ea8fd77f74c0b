internal import Model

/// A source of the task, as the job's process sees it.
package final class ParentSource: ByteSource {
    private let link: ParentLink
    private let resource: UInt32
    package let sizeBytes: Int64?

    /// - Parameter index: among the task's sources.
    package init(_ link: ParentLink, index: Int, sizeBytes: Int64?) {
        (self.link, resource, self.sizeBytes) = (link, UInt32(index), sizeBytes)
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        // As a file would.
        guard offset >= 0 else { throw IsolationError(.readFailed, "reading before the beginning") }
        return link.read(resource, sizeBytes: sizeBytes, into: buffer, at: offset)
    }
}

/// An output of the task, as the job's process sees it: bytes that leave at once, and can be asked for again.
package final class ParentOutput: RereadableSink {
    private let link: ParentLink
    private let output: UInt32
    private var end: Int64 = 0

    /// Begins the output anew.
    ///
    /// - Parameters:
    ///   - index: among the names that the task may write.
    ///   - headBytes: so many from the beginning may be written again at the end.
    package init(_ link: ParentLink, index: Int, headBytes: Int64) {
        (self.link, output) = (link, UInt32(index))
        link.create(output, headBytes: headBytes)
    }

    package var sizeBytes: Int64? { end }

    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        link.write(output, bytes, at: offset)
        end = max(end, offset + Int64(bytes.count))
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        link.readBack(output, sizeBytes: end, into: buffer, at: offset)
    }

    /// Has the output counted as made when the job succeeds.
    package func commit() { link.commit(output) }
}
