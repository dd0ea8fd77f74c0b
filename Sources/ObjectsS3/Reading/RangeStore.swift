package import HTTPTransfer
package import Model

/// Which object it is that was found under a name: another content means another version.
package struct ObjectVersion: Sendable, Equatable {
    package var sizeBytes: Int64
    /// As its store writes it.
    package var etag: String?
    /// As its server writes it.
    package var modified: String?

    package init(sizeBytes: Int64, etag: String?, modified: String? = nil) {
        (self.sizeBytes, self.etag, self.modified) = (sizeBytes, etag, modified)
    }
}

/// Where a source's bytes come from, in ranges.
package protocol RangeStore: Sendable {
    /// What people may read of its name: no secrets.
    var shownName: String { get }

    /// Fills the buffer from an offset on, on the calling thread, which may block; retries are its own affair.
    ///
    /// - Parameter version: that the object must still be; `nil` in the first request, which tells it.
    /// - Returns: how many bytes there were, fewer than fit only at the end; 0 for an object that is empty.
    /// - Throws: `source_changed` for another version; `cancelled` within a second after the stop was raised.
    func fetch(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer, version: ObjectVersion?, stop: TransferStop
    ) throws(Failure) -> (count: Int, version: ObjectVersion)

    /// Hands over the bytes of a range in their order as they come, each once; retries are its own affair.
    ///
    /// - Parameters:
    ///   - range: not empty, and within the object.
    ///   - take: called on this thread; may block, and what it throws ends the stream.
    /// - Throws: as `fetch`.
    func stream(
        _ range: Range<Int64>, version: ObjectVersion, stop: TransferStop,
        take: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws(Failure)
}
