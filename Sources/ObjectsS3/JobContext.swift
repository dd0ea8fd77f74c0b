package import HTTPTransfer
package import WorkerCore

/// What the sources and outputs of one attempt have in common: its interruption, and bounds of the memory they use.
package final class JobContext: Sendable {
    package let interruption: Interruption
    package let pool = CachePool()
    let budget = UploadBudget()
    /// Raised with the interruption.
    package let stop: TransferStop
    private let listening: Int

    package init(_ interruption: Interruption = Interruption()) {
        self.interruption = interruption
        let stop = TransferStop()
        self.stop = stop
        listening = interruption.listen { stop.raise() }
    }

    /// What parts of outputs take of memory, and the most that they took.
    package var uploadBytes: Int { budget.bytes }
    package var mostUploadBytes: Int { budget.mostBytes }

    deinit { interruption.stopListening(listening) }
}
