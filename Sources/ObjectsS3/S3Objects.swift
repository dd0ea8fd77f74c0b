internal import HTTPTransfer
package import Model
package import S3
package import WorkerCore

/// Objects in a store that speaks S3, read by range and written by parts while they are made, with nothing on a disk.
package struct S3Objects: StoredObjects {
    /// Of what is left, looked at in one go.
    private static let sweepLimit = 1000

    let rules: ObjectRules
    let vault: UploadVault
    let context: JobContext

    /// - Parameters:
    ///   - ledger: in which uploads are on record, so that a worker that lost its job can do no harm.
    ///   - now: the time of day, in milliseconds since 1970.
    ///   - report: hears of clearing up that failed, and is done another time.
    package init(
        _ client: S3Client, rules: ObjectRules, ledger: any UploadLedger, now: @escaping @Sendable () -> StoreTime,
        report: @escaping @Sendable (String, Failure) -> Void = { _, _ in }
    ) {
        self.init(rules, UploadVault(client, ledger, now: now, report: report), JobContext())
    }

    init(_ rules: ObjectRules, _ vault: UploadVault, _ context: JobContext) {
        (self.rules, self.vault, self.context) = (rules, vault, context)
    }

    package static func isObject(_ uri: String) -> Bool { uri.hasPrefix("s3://") }

    package func heeding(_ context: JobContext) -> any StoredObjects { S3Objects(rules, vault, context) }

    // MARK: Reading

    package func open(_ uri: String, owner: String) throws(Failure) -> any ByteSource {
        try RangedSource(
            S3Ranges(vault.client, try rules.source(uri, owner: owner)), pool: context.pool,
            interruption: context.interruption)
    }

    // MARK: Writing

    package func checkOutput(_ uri: String, owner: String) throws(Failure) {
        _ = try rules.output(uri, owner: owner)
    }

    package func fence(_ lease: Lease, outputs: [String]) throws(Failure) {
        for record in try vault.ledger.uploads(of: lease.job) where record.lease.epoch != lease.epoch {
            guard record.lease.epoch < lease.epoch else { throw StopReason.leaseLost.failure }
            if record.uploadID == nil {
                // It can never become an object.
                vault.attempt("what an earlier attempt began is not aborted") { () throws(Failure) in
                    try vault.end(record, context.stop)
                }
            } else {
                try vault.end(record, context.stop)
            }
        }
    }

    package func stage(
        _ uri: String, name: String?, bounds: OutputBounds, for lease: Lease
    ) throws(Failure) -> any StagedObject {
        let place = try Self.place(uri, name: name)
        vault.uploads.discard(place.uri, of: lease)
        let uploadID = try vault.begin(place, for: lease, context.stop)
        let port = VaultedUpload(vault: vault, place: place, uploadID: uploadID, lease: lease)
        return vault.uploads.stage(
            place.uri, for: lease, uploadID: uploadID, by: port, bounds: bounds, context: context)
    }

    /// - Parameter name: of an object in the folder that `uri` is.
    package static func place(_ uri: String, name: String?) throws(Failure) -> S3Place {
        let full = name.map { uri.hasSuffix("/") ? "\(uri)\($0)" : "\(uri)/\($0)" } ?? uri
        guard let place = S3Place(uri: full), !place.key.isEmpty, !place.key.hasSuffix("/") else {
            throw ObjectRules.refusal(full)
        }
        return place
    }

    package func commit(_ objects: [any StagedObject], for lease: Lease) throws(Failure) {
        let staged = objects.compactMap { $0 as? StagedUpload }
        var complete: [(object: StagedUpload, place: S3Place, parts: [S3Part], etag: String)] = []
        for object in staged {
            let parts = try object.finishParts().map { S3Part($0) }
            let place = try Self.place(object.uri, name: nil)
            try vault.endTwins(place, of: lease, context.stop)
            complete.append((object, place, parts, Self.etag(parts)))
        }
        for (object, _, _, etag) in complete {
            guard try vault.ledger.seal(object.uri, etag: etag, for: lease) else { throw StopReason.leaseLost.failure }
        }
        for (object, _, _, _) in complete { object.seal() }
        do throws(Failure) {
            for (object, place, parts, etag) in complete {
                _ = try vault.complete(place, object.uploadID, parts, sealedAs: etag, for: lease, context.stop)
            }
        } catch {
            takeBack(complete.map { ($0.object, $0.etag) }, lease)
            throw error
        }
    }

    /// What is on record of an object before it is there. Where a store encrypts with keys of others, nobody can say
    /// beforehand: such an object is not deleted by what it is, and stays if its job fails in the moment after this.
    static func etag(_ parts: [S3Part]) -> String { ETag.of(parts) ?? "" }

    /// Removes what is there of outputs that did not come about as a whole, as long as nobody else may be writing them.
    private func takeBack(_ uploads: [(StagedUpload, etag: String)], _ lease: Lease) {
        // Whoever waits for the end of this has not the time; it is done by the record.
        guard !context.interruption.isRaised else { return }
        for (upload, etag) in uploads {
            vault.attempt("\(upload.uri) is not taken back") { () throws(Failure) in
                guard try vault.ledger.seal(upload.uri, etag: etag, for: lease),
                    let record = try vault.record(upload.uri, of: lease), record.uploadID == upload.uploadID
                else { return }
                try vault.end(record, context.stop)
            }
        }
    }

    // MARK: What is kept for a while

    package func openKept(_ uri: String, owner: String) throws(Failure) -> any ByteSource {
        try RangedSource(
            S3Ranges(vault.client, try rules.output(uri, owner: owner)), pool: context.pool,
            interruption: context.interruption)
    }

    package func removeKept(_ folder: String, name: String) throws(Failure) {
        let place = try Self.place(folder, name: name)
        do throws(S3Error) {
            try vault.client.delete(place, stop: context.stop)
        } catch {
            // What was in a bucket that is gone is gone.
            if error.kind != .noSuchBucket { throw Failure(error) }
        }
    }

    // MARK: What is left

    package func settle(_ lease: Lease, succeeded: Bool) {
        vault.attempt("what \(lease.job) left is not cleared up") { () throws(Failure) in
            for record in try vault.ledger.uploads(of: lease.job) where record.lease.epoch <= lease.epoch {
                if succeeded, record.lease.epoch == lease.epoch {
                    try vault.ledger.forget(record.lease, record.uri)
                } else {
                    try vault.end(record, context.stop)
                }
            }
        }
    }

    package func unsettled() -> [Lease] {
        var leases: [Lease] = []
        vault.attempt("what is left of uploads cannot be read") { () throws(Failure) in
            for record in try vault.ledger.left(limit: Self.sweepLimit) where !leases.contains(record.lease) {
                leases.append(record.lease)
            }
        }
        return leases
    }

    package func settleForgotten(_ lease: Lease) { settle(lease, succeeded: false) }
}
