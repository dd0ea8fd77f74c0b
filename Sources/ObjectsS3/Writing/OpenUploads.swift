internal import Synchronization
package import WorkerCore

/// The uploads that this process has begun and not ended: the ledger has one of an attempt for each place.
package final class OpenUploads: Sendable {
    private struct Key: Hashable {
        var lease: Lease
        var uri: String
    }

    private let open = Mutex<[Key: OpenUpload]>([:])

    package init() {}

    /// Before another one to this place is begun: of two the later one counts.
    package func discard(_ uri: String, of lease: Lease) {
        open.withLock { $0[Key(lease: lease, uri: uri)] }?.discard()
    }

    /// An output that goes into an upload that was begun for it.
    package func stage(
        _ uri: String, for lease: Lease, uploadID: String, by port: any UploadPort, bounds: OutputBounds,
        context: JobContext
    ) -> StagedUpload {
        let plan = PartPlan(bounds)
        let sender = PartSender(port, limit: plan.inFlight, budget: context.budget)
        let upload = OpenUpload(self, lease: lease, uri: uri, uploadID: uploadID, port: port, sender: sender)
        open.withLock { $0[Key(lease: lease, uri: uri)] = upload }
        return StagedUpload(upload, plan: plan, context: context)
    }

    func remove(_ upload: OpenUpload) {
        open.withLock { open in
            let key = Key(lease: upload.lease, uri: upload.uri)
            if open[key] === upload { open[key] = nil }
        }
    }
}
