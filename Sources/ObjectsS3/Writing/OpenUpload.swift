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
    let uploadID: String
    let sender: PartSender
    private let uploads: OpenUploads
    private let port: any UploadPort
    private let phase = Watched(Phase.open)

    init(
        _ uploads: OpenUploads, lease: Lease, uri: String, uploadID: String, port: any UploadPort, sender: PartSender
    ) {
        (self.uploads, self.lease, self.uri, self.uploadID) = (uploads, lease, uri, uploadID)
        (self.port, self.sender) = (port, sender)
    }

    /// It is about to be completed.
    func seal() { phase.change { $0 = .sealed } }

    /// Nobody wants it any more: it is aborted meanwhile, on another thread.
    func letGo() {
        guard phase.change({ if case .open = $0 { true } else { false } }) else {
            uploads.remove(self)
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
        defer { uploads.remove(self) }
        guard isMine else { return }
        sender.cancel()
        // A part that arrives later than the abort would stay.
        sender.join()
        port.abort()
        phase.change { $0 = .gone }
    }
}
