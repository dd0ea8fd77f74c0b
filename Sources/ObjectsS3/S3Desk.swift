internal import HTTPTransfer
package import Model
package import S3
package import WorkerCore

/// The store for workers without keys: what `S3Objects` does, but for the bytes, which go by URLs that are signed here.
package struct S3Desk: ObjectDesk {
    private let objects: S3Objects
    private let endpoint: S3Endpoint?

    private var vault: UploadVault { objects.vault }
    private var stop: TransferStop { objects.context.stop }

    /// - Parameter endpoint: where those workers reach the store; as this process does unless it is given.
    package init(_ objects: S3Objects, endpoint: S3Endpoint? = nil, heeding interruption: Interruption) {
        self.endpoint = endpoint
        self.objects = S3Objects(objects.rules, objects.vault, JobContext(interruption))
    }

    package func read(_ uri: String, owner: String, seconds: Int) throws(Failure) -> SignedSource {
        let place = try objects.rules.source(uri, owner: owner)
        let info: S3ObjectInfo?
        do throws(S3Error) {
            info = try vault.client.info(place, stop: stop)
        } catch {
            throw Failure(error)
        }
        guard let info else { throw Failure(code: .fileNotFound, message: "\(place): there is no such object") }
        return SignedSource(
            url: vault.client.presign("GET", place, seconds: seconds, at: endpoint), sizeBytes: info.sizeBytes,
            etag: info.etag)
    }

    package func checkOutput(_ uri: String, owner: String) throws(Failure) {
        try objects.checkOutput(uri, owner: owner)
    }

    package func fence(_ lease: Lease, outputs: [String]) throws(Failure) {
        try objects.fence(lease, outputs: outputs)
    }

    package func beginUpload(_ uri: String, for lease: Lease) throws(Failure) -> String {
        let place = try S3Objects.place(uri, name: nil)
        // An intent, too: its upload may be there, with this process dead before it could say its name.
        if let left = try vault.record(place.uri, of: lease) { try vault.end(left, stop) }
        return try vault.begin(place, for: lease, stop)
    }

    package func presignParts(
        _ uri: String, uploadID: String, numbers: [Int], for lease: Lease, seconds: Int
    ) throws(Failure) -> [String] {
        let place = try S3Objects.place(uri, name: nil)
        _ = try record(place, uploadID, lease)
        return numbers.map { number in
            vault.client.presign(
                "PUT", place, query: [("partNumber", "\(number)"), ("uploadId", uploadID)], seconds: seconds,
                at: endpoint)
        }
    }

    package func completeUpload(
        _ uri: String, uploadID: String, parts: [UploadedPart], for lease: Lease
    ) throws(Failure) -> String {
        let place = try S3Objects.place(uri, name: nil)
        let earlier = try record(place, uploadID, lease).etag
        let parts = parts.map { S3Part($0) }
        let etag = S3Objects.etag(parts)
        try vault.endTwins(place, of: lease, stop)
        guard try vault.ledger.seal(place.uri, etag: etag, for: lease) else { throw StopReason.leaseLost.failure }
        return try vault.complete(place, uploadID, parts, sealedAs: etag, before: earlier, for: lease, stop)
    }

    package func abortUpload(_ uri: String, uploadID: String, of lease: Lease) throws(Failure) {
        let place = try S3Objects.place(uri, name: nil)
        guard let record = try vault.record(place.uri, of: lease), record.uploadID == uploadID else { return }
        try vault.endTwins(place, of: lease, stop)
        _ = try vault.abort(place, uploadID, stop)
        // What was sealed may be an object, and stores need not say that there was no upload: that is for the sweep to judge.
        if record.etag == nil { try vault.ledger.forget(lease, place.uri) }
    }

    private func record(_ place: S3Place, _ uploadID: String, _ lease: Lease) throws(Failure) -> UploadRecord {
        guard let record = try vault.record(place.uri, of: lease), record.uploadID == uploadID else {
            throw Failure(code: .transferFailed, message: "\(place): there is no such upload on record")
        }
        return record
    }
}
