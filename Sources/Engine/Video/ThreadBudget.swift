/// One number of threads, shared out over everything a job runs: decoder, filters, encoder.
///
/// With 1, all of it happens on the calling thread. With 2, decoding and filtering are on the calling thread and the
/// encoder is on one of its own. From there on the encoder, the costliest, gets the most.
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
        let caller = 1
        encoder = max(1, self.total - caller - (decoder > 1 ? decoder : 0))
    }
}
