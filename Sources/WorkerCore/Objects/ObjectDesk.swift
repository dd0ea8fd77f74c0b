package import Model

/// What the control service does at an object store for workers that have no credentials for it: they move bytes
/// through presigned URLs, and everything else is done here, on record in the upload ledger.
///
/// All functions may block: call them on a thread that may. Owners are checked where a URI comes from a task.
package protocol ObjectDesk: Sendable {
    /// `nil` where there is no such object.
    func info(_ uri: String, owner: String) throws(Failure) -> StoredObjectInfo?
    /// A URL by which anybody can read the object for so long, whole or by ranges.
    func presignRead(_ uri: String, owner: String, seconds: Int) throws(Failure) -> String
    /// Whether the owner may have something written there.
    func checkOutput(_ uri: String, owner: String) throws(Failure)
    /// As `MediaObjects.fence`.
    func fence(_ lease: Lease, outputs: [String]) throws(Failure)
    /// Begins a multipart upload.
    ///
    /// - Returns: the store's name of it.
    func beginUpload(_ uri: String, contentType: String?) throws(Failure) -> String
    /// A URL to which the bytes of one part can be PUT for so long; the answer's `ETag` header names the part.
    ///
    /// - Parameter number: from 1 on.
    func presignPart(_ uri: String, uploadID: String, number: Int, seconds: Int) throws(Failure) -> String
    /// What the ETag of the object will be; `nil` where the parts' own do not tell.
    func etag(of parts: [UploadedPart]) -> String?
    /// Makes the object of its parts visible, and returns its ETag.
    func completeUpload(_ uri: String, uploadID: String, parts: [UploadedPart]) throws(Failure) -> String
    /// `false` when there is no such upload.
    func abortUpload(_ uri: String, uploadID: String) throws(Failure) -> Bool
}

package struct StoredObjectInfo: Sendable, Equatable {
    package var sizeBytes: Int64
    /// Without its quotes.
    package var etag: String
    package init(sizeBytes: Int64, etag: String) { (self.sizeBytes, self.etag) = (sizeBytes, etag) }
}

package struct UploadedPart: Sendable, Equatable, Codable {
    package var number: Int
    package var etag: String
    package init(number: Int, etag: String) { (self.number, self.etag) = (number, etag) }
}
