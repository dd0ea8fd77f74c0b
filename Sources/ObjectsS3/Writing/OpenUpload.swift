internal import HTTPTransfer
internal import Model
internal import S3
internal import WorkerCore

/// One upload that a store has begun, until it is complete or was never there.
final class OpenUpload: Sendable {
    private enum Phase {
        case open
        case discarding
        /// Its object exists, or may: whether it stays is not for this object to say.
        case sealed
        case gone
    }

    let lease: Lease
    let uri: String
    let place: S3Place
    let uploadID: String
    let sender: PartSender
    /// Begun by the same call, if that may have happened.
    private let twins: UploadTwins?
    private let vault: UploadVault
    private let phase = Watched(Phase.open)

    init(
        _ vault: UploadVault, lease: Lease, place: S3Place, uploadID: String, twins: UploadTwins?, plan: PartPlan,
        budget: UploadBudget
    ) {
        (self.vault, self.lease, self.place, self.uploadID, self.twins) = (vault, lease, place, uploadID, twins)
        uri = place.uri
        sender = PartSender(vault.client, place, uploadID, limit: plan.inFlight, budget: budget)
    }

    /// It is about to be completed.
    func seal() { phase.change { $0 = .sealed } }

    /// Ends what was begun beside it, late enough that a request which was on its way has arrived.
    func endTwins(_ stop: TransferStop) throws(Failure) { try vault.end(twins, stop) }

    /// Nobody wants it any more: it is aborted meanwhile, on another thread.
    func letGo() {
        guard phase.change({ if case .open = $0 { true } else { false } }) else {
            vault.remove(self)
            return
        }
        sender.cancel()
        OwnThread.start(named: "reelpool.abort") { [self] in discard() }
    }

    /// Aborts it, unless it is sealed, and returns when that is done or cannot be done now: then it is left on record, for
    /// whoever looks after what is left.
    func discard() {
        let isMine = phase.wait { phase -> Bool? in
            switch phase {
            case .open:
                phase = .discarding
                return true
            case .discarding: return nil
            case .sealed, .gone: return false
            }
        }
        defer { vault.remove(self) }
        guard isMine else { return }
        sender.cancel()
        // A part that arrives later than the abort would stay.
        sender.join()
        vault.attempt("an upload to \(uri) was not aborted") { () throws(Failure) in
            try vault.end(twins, vault.always)
            _ = try vault.abort(place, uploadID, vault.always)
            try vault.ledger.forget(lease, uri)
        }
        phase.change { $0 = .gone }
    }
}
