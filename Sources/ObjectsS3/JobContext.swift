package import HTTPTransfer
package import WorkerCore

/// What the sources and outputs of one attempt have in common: its interruption, its lease, and bounds of the memory they use.
package final class JobContext: Sendable {
    package let interruption: Interruption
    /// `nil` where nothing is opened by it.
    package let lease: Lease?
    package let pool = CachePool()
    let budget = UploadBudget()
    /// Raised with the interruption.
    package let stop: TransferStop
    private let listening: Int

    package init(_ interruption: Interruption = Interruption(), lease: Lease? = nil) {
        (self.interruption, self.lease) = (interruption, lease)
        let stop = TransferStop()
        self.stop = stop
        listening = interruption.listen { stop.raise() }
    }

    /// What parts of outputs take of memory, and the most that they took.
    package var uploadBytes: Int { budget.bytes }
    package var mostUploadBytes: Int { budget.mostBytes }

    deinit { interruption.stopListening(listening) }
}

/// Objects whose memory, and that of whatever else a job reads, has common bounds.
package protocol StoredObjects: MediaObjects {
    func heeding(_ context: JobContext) -> any StoredObjects
}

extension StoredObjects {
    package func heeding(_ interruption: Interruption, for lease: Lease?) -> any MediaObjects {
        heeding(JobContext(interruption, lease: lease))
    }
}
