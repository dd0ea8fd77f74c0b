internal import HTTPTransfer
internal import Model
internal import S3
internal import WorkerCore

/// Brings the parts of one upload to the store, a few at a time, each on a thread of its own.
final class PartSender: Sendable {
    private struct State {
        var parts: [S3Part] = []
        var inFlight = 0
        /// The first one.
        var failure: Failure?
    }

    private let client: S3Client
    private let place: S3Place
    private let uploadID: String
    private let limit: Int
    private let budget: UploadBudget
    private let stop = TransferStop()
    private let state = Watched(State())

    init(_ client: S3Client, _ place: S3Place, _ uploadID: String, limit: Int, budget: UploadBudget) {
        (self.client, self.place, self.uploadID) = (client, place, uploadID)
        (self.limit, self.budget) = (limit, budget)
    }

    /// Waits until there is a place for one more part, and lets it go.
    ///
    /// - Parameters:
    ///   - part: its memory was taken from the budget, and goes back to it.
    ///   - count: of its bytes, from the first one on.
    /// - Throws: what an earlier part failed with.
    func send(_ number: Int, _ part: PartBuffer, count: Int) throws(Failure) {
        let taken = part.charged
        budget.send(taken)
        let failure = state.wait { state -> Failure?? in
            if let failure = state.failure { return .some(failure) }
            guard state.inFlight < limit else { return nil }
            state.inFlight += 1
            return .some(nil)
        }
        if let failure {
            budget.giveBack(taken, sent: true)
            throw failure
        }
        OwnThread.start(named: "reelpool.part") { [self] in
            let result = upload(number, part, count)
            budget.giveBack(taken, sent: true)
            state.change { state in
                state.inFlight -= 1
                switch result {
                case .success(let part): state.parts.append(part)
                case .failure(let failure): if state.failure == nil { state.failure = failure }
                }
            }
        }
    }

    private func upload(_ number: Int, _ part: PartBuffer, _ count: Int) -> Result<S3Part, Failure> {
        part.withBytes(0..<count) { bytes in
            do throws(S3Error) {
                return .success(try client.uploadPart(place, uploadID, number: number, bytes: bytes, stop: stop))
            } catch {
                return .failure(Failure(error))
            }
        }
    }

    /// Waits for all parts that were sent.
    ///
    /// - Returns: them in their order.
    func finish() throws(Failure) -> [S3Part] {
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
