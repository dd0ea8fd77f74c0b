package import Model

/// What the control service does at an object store for workers that have no credentials for it: they move bytes
/// through presigned URLs, and everything else is done here, on record in the upload ledger.
///
/// All functions may block: call them on a thread that may. That a lease is current, and what its job names, is checked
/// by the caller for what is read; what is written needs the lease in the ledger, too.
package protocol ObjectDesk: Sendable {
    /// A URL by which anybody can read the object for so long, whole or by ranges, and what the object is now.
    func read(_ uri: String, owner: String, seconds: Int) throws(Failure) -> SignedSource
    /// Whether the owner may have something written there.
    func checkOutput(_ uri: String, owner: String) throws(Failure)
    /// As `MediaObjects.fence`.
    func fence(_ lease: Lease, outputs: [String]) throws(Failure)
    /// Begins a multipart upload, on record before the store hears of it. One that the lease has there already is aborted:
    /// the answer that named it was lost.
    ///
    /// - Returns: the store's name of it.
    func beginUpload(_ uri: String, for lease: Lease) throws(Failure) -> String
    /// URLs to which the bytes of one part each can be PUT for so long; the answer's `ETag` header names the part.
    ///
    /// - Parameter numbers: from 1 on.
    func presignParts(
        _ uri: String, uploadID: String, numbers: [Int], for lease: Lease, seconds: Int
    ) throws(Failure) -> [String]
    /// Makes the object of its parts visible, with its ETag on record before. Asked again, it answers again.
    ///
    /// - Returns: the object's ETag.
    func completeUpload(
        _ uri: String, uploadID: String, parts: [UploadedPart], for lease: Lease
    ) throws(Failure) -> String
    /// Ends an upload that is not complete, if the lease has it on record. Needs no current lease.
    func abortUpload(_ uri: String, uploadID: String, of lease: Lease) throws(Failure)
}

package struct SignedSource: Sendable, Equatable {
    package var url: String
    package var sizeBytes: Int64
    /// Without its quotes.
    package var etag: String

    package init(url: String, sizeBytes: Int64, etag: String) {
        (self.url, self.sizeBytes, self.etag) = (url, sizeBytes, etag)
    }
}

package struct UploadedPart: Sendable, Equatable, Codable {
    /// Of one upload, from 1. Source: AWS, "Amazon S3 multipart upload limits".
    package static let mostNumbers = 10_000

    package var number: Int
    package var etag: String
    package init(number: Int, etag: String) { (self.number, self.etag) = (number, etag) }
}
