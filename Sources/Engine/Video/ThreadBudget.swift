/// One number of threads, shared out over everything a job runs: decoder, filters, encoder.
///
/// With 1, all of it happens on the calling thread. With more, that many encode, fed by the calling thread, which
/// decodes
/// and filters a few frames ahead and then waits. docs/decisions/0002 has the reasons.
package struct ThreadBudget: Sendable, Equatable {
    package let total: Int
    /// libavcodec frame threads; 1 decodes on the calling thread.
    package let decoder: Int
    package let encoder: Int
    /// Slice threads of the filter graph; filtering is on the calling thread's account.
    package let filters = 1
    /// The encoder works while the calling thread decodes.
    package var isConcurrent: Bool { total > 1 }

    package init(total: Int) {
        self.total = max(1, total)
        decoder = self.total < 6 ? 1 : self.total / 3
        encoder = self.total - (decoder > 1 ? decoder : 0)
    }
}
