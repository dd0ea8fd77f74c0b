internal import HTTPTransfer
internal import Model
internal import WorkerCore

/// Brings the parts of one upload to the store, a few at a time, each on a thread of its own.
final class PartSender: Sendable {
    private struct State {
        var parts: [UploadedPart] = []
        var inFlight = 0
        /// The first one.
        var failure: Failure?
    }

    private let port: any UploadPort
    private let limit: Int
    private let budget: UploadBudget
    private let stop = TransferStop()
    private let state = Watched(State())

    init(_ port: any UploadPort, limit: Int, budget: UploadBudget) {
        (self.port, self.limit, self.budget) = (port, limit, budget)
    }

    /// Waits until there is a place for one more part, and lets it go.
    ///
    /// - Parameters:
    ///   - part: its memory was taken from the budget, and goes back to it.
    ///   - count: of its bytes, from the first one on.
    /// - Throws: what an earlier part failed with.
    func send(_ number: Int, _ part: PartBuffer, count: Int) throws(Failure) {
        budget.send(part.charged)
        let failure = state.wait { state -> Failure?? in
            if let failure = state.failure { return .some(failure) }
            guard state.inFlight < limit else { return nil }
            state.inFlight += 1
            return .some(nil)
        }
        if let failure {
            budget.giveBack(sent: part)
            throw failure
        }
        OwnThread.start(named: "reelpool.part") { [self] in
            let result = upload(number, part, count)
            budget.giveBack(sent: part)
            state.change { state in
                state.inFlight -= 1
                switch result {
                case .success(let part): state.parts.append(part)
                case .failure(let failure): if state.failure == nil { state.failure = failure }
                }
            }
        }
    }

    private func upload(_ number: Int, _ part: PartBuffer, _ count: Int) -> Result<UploadedPart, Failure> {
        part.withBytes(0..<count) { bytes in
            do throws(Failure) {
                return .success(try port.send(number, bytes, stop: stop))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Waits for all parts that were sent.
    ///
    /// - Returns: them in their order.
    func finish() throws(Failure) -> [UploadedPart] {
        let state = state.wait { $0.inFlight == 0 ? $0 : nil }
        if let failure = state.failure { throw failure }
        return state.parts.sorted { $0.number < $1.number }
    }

    /// Nothing more leaves; what is on its way is stopped, within moments.
    func cancel() {
        state.change { state in
            if state.failure == nil {
                state.failure = Failure(code: .cancelled, message: "the transfer was stopped")
            }
        }
        stop.raise()
    }

    /// Returns when nothing is on its way any more.
    func join() { state.wait { $0.inFlight == 0 ? () : nil } }
}
