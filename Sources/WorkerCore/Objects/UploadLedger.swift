/// One output's way into an object store, on record before its first byte leaves.
package struct UploadRecord: Sendable, Equatable {
    package var lease: Lease
    /// `s3://bucket/key`.
    package var uri: String
    /// The store's name of the multipart upload; `nil` between the intent and the store's answer.
    package var uploadID: String?
    /// What the complete object's ETag will be; set before it is completed, so that whoever finds an object can tell
    /// whether it is this one.
    package var etag: String?
    /// When the intent was recorded, by the ledger's clock.
    package var begunAt: StoreTime

    package init(lease: Lease, uri: String, uploadID: String? = nil, etag: String? = nil, begunAt: StoreTime) {
        (self.lease, self.uri, self.uploadID, self.etag, self.begunAt) = (lease, uri, uploadID, etag, begunAt)
    }
}

/// Which uploads exist because of which attempt: what fences outputs in an object store.
///
/// An attempt that is no longer its job's newest, or has lost its lease, can record nothing; what it recorded is ended by
/// whoever comes after it. When an attempt succeeds, its uploads are struck off by the transaction that says so: what is on
/// record is never a job's result. Records outlive their jobs. Each function is one transaction.
package protocol UploadLedger: Sendable {
    /// Records that the attempt is about to begin an upload there; what is on record for that place already stays as it
    /// is. `false` when the lease is lost.
    func beginUpload(_ uri: String, for lease: Lease) async throws(StoreError) -> Bool
    /// Records what the store called it. `false` when the lease is lost, when the upload is not on record, or when another
    /// name is: abort it. Two uploads to one place are made one after the other, with the first forgotten.
    func nameUpload(_ uri: String, _ uploadID: String, for lease: Lease) async throws(StoreError) -> Bool
    /// Records the ETag before the upload is completed. `false` when the lease is lost or the upload is not on record: do
    /// not complete it.
    func sealUpload(_ uri: String, etag: String, for lease: Lease) async throws(StoreError) -> Bool
    /// Uploads on record for a job, of all its attempts, oldest first.
    func uploads(of job: JobID) async throws(StoreError) -> [UploadRecord]
    /// Uploads of attempts that no longer run: at most `limit`, oldest first.
    ///
    /// Where a later attempt succeeded with an object at the same place, the record has no ETag any more: whatever is found
    /// there is the job's result, however much it resembles what was uploaded before.
    func leftUploads(limit: Int) async throws(StoreError) -> [UploadRecord]
    /// Strikes uploads of one attempt off: aborted, replaced or deleted. Needs no lease.
    func forgetUploads(_ lease: Lease, uris: [String]) async throws(StoreError)
}
