internal import HTTPTransfer
internal import Model
internal import S3
internal import Synchronization
internal import WorkerCore

/// The uploads of a pool's attempts: begun on record, and ended by the record.
///
/// The order of things is what makes a stale worker harmless: the intent is recorded before the store hears of it, the
/// store's name for it before the first part, and what it will be before it is complete; each only while the attempt has
/// its lease. So whoever comes later finds everything that there may be.
final class UploadVault: Sendable {
    private struct Key: Hashable {
        var lease: Lease
        var uri: String
    }

    /// Between the intent on record and the store's note of when it began: clocks differ, and requests are repeated.
    private static let earliestMilliseconds: StoreTime = -60_000
    private static let latestMilliseconds: StoreTime = 300_000
    /// At what is there, before it is asked another time.
    private static let mostLooks = 5

    let client: S3Client
    let ledger: BlockingLedger
    private let now: @Sendable () -> StoreTime
    private let report: @Sendable (String, Failure) -> Void
    /// For what has to be done although the attempt is over; never raised.
    let always = TransferStop()
    let uploads = OpenUploads()
    /// Of uploads that are neither complete nor aborted.
    private let twins = Mutex<[Key: UploadTwins]>([:])

    /// - Parameters:
    ///   - now: the time of day, in milliseconds since 1970.
    ///   - report: hears of clearing up that did not succeed and is tried again later.
    init(
        _ client: S3Client, _ ledger: any UploadLedger, now: @escaping @Sendable () -> StoreTime,
        report: @escaping @Sendable (String, Failure) -> Void
    ) {
        (self.client, self.ledger) = (client, BlockingLedger(ledger: ledger))
        (self.now, self.report) = (now, report)
    }

    // MARK: Beginning

    /// - Returns: the store's name of the upload, on record.
    func begin(_ place: S3Place, for lease: Lease, _ stop: TransferStop) throws(Failure) -> String {
        guard try ledger.begin(place.uri, for: lease) else { throw StopReason.leaseLost.failure }
        let uploadID = try create(place, lease, stop)
        if try name(place, uploadID, lease) { return uploadID }
        // What an earlier one left that could not be aborted then, or was never heard of.
        guard let left = try record(place.uri, of: lease), left.uploadID != nil else {
            throw StopReason.leaseLost.failure
        }
        try end(left, stop)
        guard try ledger.begin(place.uri, for: lease) else { throw StopReason.leaseLost.failure }
        let next = try create(place, lease, stop)
        guard try name(place, next, lease) else { throw StopReason.leaseLost.failure }
        return next
    }

    func record(_ uri: String, of lease: Lease) throws(Failure) -> UploadRecord? {
        try ledger.uploads(of: lease.job).first { $0.lease == lease && $0.uri == uri }
    }

    private func create(_ place: S3Place, _ lease: Lease, _ stop: TransferStop) throws(Failure) -> String {
        let begin = ContinuousClock.now
        var mayHaveMore = false
        do throws(S3Error) {
            let uploadID = try client.beginUpload(
                place, contentType: ContentTypes.type(ofKey: place.key), mayHaveMore: &mayHaveMore, stop: stop)
            let begun = UploadTwins(place: place, uploadID: uploadID, duration: ContinuousClock.now - begin)
            twins.withLock { $0[Key(lease: lease, uri: place.uri)] = mayHaveMore ? begun : nil }
            return uploadID
        } catch {
            switch error.kind {
            case .noSuchKey, .noSuchBucket, .accessDenied, .signatureRefused, .clockSkew, .notImplemented,
                .invalidRequest, .preconditionFailed:
                // Otherwise there may be one that nobody knows the name of.
                if !mayHaveMore {
                    attempt("an intent stays on record") { () throws(Failure) in try ledger.forget(lease, place.uri) }
                }
            case .noSuchUpload, .conflict, .slowDown, .server, .transfer, .malformedAnswer, .corrupt, .cancelled:
                break
            }
            throw Failure(error)
        }
    }

    /// Aborts what tries without an answer have begun besides the upload that has a name: before it is sealed, late
    /// enough that a request which was on its way has arrived. When all is well the record is struck off afterwards, and
    /// nobody would look for them any more.
    func endTwins(_ place: S3Place, of lease: Lease, _ stop: TransferStop) throws(Failure) {
        let key = Key(lease: lease, uri: place.uri)
        guard let found = twins.withLock({ $0[key] }) else { return }
        for other in found.among(try uploads(to: place, stop)) { _ = try abort(place, other.uploadID, stop) }
        twins.withLock { $0[key] = nil }
    }

    private func uploads(to place: S3Place, _ stop: TransferStop) throws(Failure) -> [S3Upload] {
        do throws(S3Error) {
            return try client.uploads(in: place.bucket, prefix: place.key, stop: stop).filter { $0.place == place }
        } catch {
            // What was in a bucket that is gone is gone.
            if error.kind == .noSuchBucket { return [] }
            throw Failure(error)
        }
    }

    /// - Returns: `false` if it must not be used; it is aborted then.
    private func name(_ place: S3Place, _ uploadID: String, _ lease: Lease) throws(Failure) -> Bool {
        do throws(Failure) {
            if try ledger.name(place.uri, uploadID, for: lease) { return true }
        } catch {
            attempt("an upload was not aborted") { () throws(Failure) in _ = try abort(place, uploadID, always) }
            throw error
        }
        attempt("an upload was not aborted") { () throws(Failure) in _ = try abort(place, uploadID, always) }
        return false
    }

    // MARK: Completing

    /// Makes the object of an upload, which is sealed with the ETag that its parts make.
    ///
    /// - Parameter earlier: what it was sealed with before this: then it may be complete, and its answer was lost.
    /// - Returns: the object's ETag.
    func complete(
        _ place: S3Place, _ uploadID: String, _ parts: [S3Part], sealedAs etag: String, before earlier: String? = nil,
        for lease: Lease, _ stop: TransferStop
    ) throws(Failure) -> String {
        let made: String
        do throws(S3Error) {
            made = try client.completeUpload(place, uploadID, parts: parts, condition: .none, stop: stop)
        } catch {
            guard let earlier, let found = existing(place, stop), found == etag || found == earlier else {
                throw Failure(error)
            }
            made = found
        }
        guard made != etag else { return made }
        // A store that names its objects in another way: as it does is how this one will be known, unless the answer was
        // changed on its way.
        if let found = existing(place, stop), found != made { return made }
        attempt("the record of \(place) has another ETag than the object") { () throws(Failure) in
            _ = try ledger.seal(place.uri, etag: made, for: lease)
        }
        return made
    }

    private func existing(_ place: S3Place, _ stop: TransferStop) -> String? {
        do throws(S3Error) {
            return try client.info(place, stop: stop)?.etag
        } catch {
            // The first reason says more than that this cannot be asked either.
            return nil
        }
    }

    // MARK: Ending

    /// Does what can be done another time as well: its failure is nobody's who waits for something else.
    func attempt(_ what: String, _ body: () throws(Failure) -> Void) {
        do throws(Failure) {
            try body()
        } catch {
            // Who stops it knows.
            if error.code != .cancelled { report(what, error) }
        }
    }

    /// - Returns: `false` when there was none.
    func abort(_ place: S3Place, _ uploadID: String, _ stop: TransferStop) throws(Failure) -> Bool {
        do throws(S3Error) {
            return try client.abortUpload(place, uploadID, stop: stop)
        } catch {
            // What was in a bucket that is gone is gone.
            if error.kind == .noSuchBucket { return false }
            throw Failure(error)
        }
    }

    /// Makes sure that nothing comes or stays of an upload whose attempt is over, and strikes it off.
    ///
    /// What it has become is told by its ETag; another one's object stays. Only while no later attempt of the job writes:
    /// the same bytes in the same parts have the same ETag.
    func end(_ record: UploadRecord, _ stop: TransferStop) throws(Failure) {
        guard let place = S3Place(uri: record.uri) else { return try ledger.forget(record.lease, record.uri) }
        guard let uploadID = record.uploadID else { return try endNameless(record, place, stop) }
        try abortUnknown(record, place, stop)
        _ = try abort(place, uploadID, stop)
        // Stores need not say that there was none; and one that was completed cannot be aborted.
        if let etag = record.etag, !etag.isEmpty { try delete(place, ifETagIs: etag, stop) }
        try ledger.forget(record.lease, record.uri)
    }

    /// Afterwards nobody looks again: an answer that was changed on its way must not leave it there. That there is another
    /// object, or none, is believed when it was said twice.
    private func delete(_ place: S3Place, ifETagIs etag: String, _ stop: TransferStop) throws(Failure) {
        do throws(S3Error) {
            var earlier = try client.info(place, stop: stop)?.etag
            for _ in 1...Self.mostLooks where earlier != etag {
                let found = try client.info(place, stop: stop)?.etag
                if found == earlier { return }
                earlier = found
            }
            if earlier == etag { return try client.delete(place, stop: stop) }
        } catch {
            throw Failure(error)
        }
        throw Failure(code: .storeUnavailable, message: "The store names another object each time at \(place)")
    }

    /// Its worker was killed, or did not hear the store's answer. Without a name on record it can never be completed; it
    /// is only in the way, and is known by its place and its time.
    private func endNameless(_ record: UploadRecord, _ place: S3Place, _ stop: TransferStop) throws(Failure) {
        try abortUnknown(record, place, stop)
        // A request on its way may still begin one; then this is done again.
        if now() > Self.window(of: record).upperBound { try ledger.forget(record.lease, record.uri) }
    }

    /// Aborts what a record's attempt has begun without hearing of it, perhaps besides the one whose name it knows.
    private func abortUnknown(_ record: UploadRecord, _ place: S3Place, _ stop: TransferStop) throws(Failure) {
        let named = Set(try ledger.uploads(of: record.lease.job).compactMap(\.uploadID))
        let window = Self.window(of: record)
        for upload in try uploads(to: place, stop) where !named.contains(upload.uploadID) {
            guard let begun = InstantText.milliseconds(upload.begunAt), window.contains(begun) else { continue }
            _ = try abort(place, upload.uploadID, stop)
        }
    }

    private static func window(of record: UploadRecord) -> ClosedRange<StoreTime> {
        record.begunAt + earliestMilliseconds...record.begunAt + latestMilliseconds
    }
}

/// One upload's way, by the keys of the store.
struct VaultedUpload: UploadPort {
    let vault: UploadVault
    let place: S3Place
    let uploadID: String
    let lease: Lease

    func send(
        _ number: Int, _ bytes: UnsafeRawBufferPointer, stop: TransferStop
    ) throws(Failure) -> UploadedPart {
        do throws(S3Error) {
            let part = try vault.client.uploadPart(place, uploadID, number: number, bytes: bytes, stop: stop)
            return UploadedPart(number: part.number, etag: part.etag)
        } catch {
            throw Failure(error)
        }
    }

    func abort() {
        vault.attempt("an upload to \(place) was not aborted") { () throws(Failure) in
            try vault.endTwins(place, of: lease, vault.always)
            _ = try vault.abort(place, uploadID, vault.always)
            try vault.ledger.forget(lease, place.uri)
        }
    }
}

extension S3Part {
    init(_ part: UploadedPart) { self.init(number: part.number, etag: part.etag) }
}
