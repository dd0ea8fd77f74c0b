/// Random-access bytes to read media from: a file, an object in a store, or another process's answer.
///
/// Called from one thread at a time. A slow source blocks; it must return soon after a cancellation.
package protocol ByteSource: AnyObject {
    /// `nil` when unknown.
    var sizeBytes: Int64? { get }
    /// Fills as much of `buffer` as is there from `offset` on; 0 only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int
    /// All of it will be read, mostly in order: whoever fetches it need not fear to fetch too much.
    func expectWhole()
}

extension ByteSource {
    package func expectWhole() {}
}

/// A source that can be told from what stood in its place before, or will.
package protocol VersionedSource: ByteSource {
    /// Differs when the bytes do; `nil` when nothing tells.
    var versionText: String? { get }
}

/// Where a muxer's bytes go. Writes are mostly in order; a container may return to its beginning once at the end.
package protocol ByteSink: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws
}

/// A sink whose bytes can be read back while it is written, as a local file's can.
package typealias RereadableSink = ByteSink & ByteSource
