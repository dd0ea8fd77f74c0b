internal import Model
package import WorkerCore

extension EdgeWire {
    package struct Finish: Codable, Sendable {
        package var worker: String
        package var endings: [EdgeEnding]
        package init(worker: String, endings: [EdgeEnding]) { (self.worker, self.endings) = (worker, endings) }
    }

    package struct Finished: Codable, Sendable {
        /// In the order of the endings: the job's state, or nothing for what came too late.
        package var states: [JobState?]

        package init(_ outcomes: [FinishOutcome]) {
            states = outcomes.map { if case .accepted(let state) = $0 { state } else { nil } }
        }

        package var outcomes: [FinishOutcome] { states.map { $0.map { .accepted($0) } ?? .stale } }
    }
}

/// How an attempt ended.
package struct EdgeEnding: Codable, Sendable {
    private enum Outcome: String, Codable, Sendable { case succeeded, failed, retry, interrupted, dead, cancelled }

    package var lease: Lease
    /// It was sent before, and the answer never came: it may be written already.
    package var isRepeated: Bool
    private var outcome: Outcome
    private var result: String?
    private var failure: EdgeFailure?
    private var afterSeconds: Double?
    private var avoidingWorker: Bool?
    private var overflowBytes: Int64?

    package init(_ ending: AttemptEnding, isRepeated: Bool) {
        (lease, self.isRepeated) = (ending.lease, isRepeated)
        switch ending.outcome {
        case .succeeded(let result): (outcome, self.result) = (.succeeded, result)
        case .failed(let failure): (outcome, self.failure) = (.failed, EdgeFailure(failure))
        case .interrupted(let failure): (outcome, self.failure) = (.interrupted, EdgeFailure(failure))
        case .dead(let failure): (outcome, self.failure) = (.dead, EdgeFailure(failure))
        case .cancelled(let failure): (outcome, self.failure) = (.cancelled, EdgeFailure(failure))
        case .retry(let failure, let seconds, let avoiding, let overflow):
            (outcome, self.failure, afterSeconds) = (.retry, EdgeFailure(failure), seconds)
            (avoidingWorker, overflowBytes) = (avoiding, overflow?.memoryBytes)
        }
    }

    package var ending: AttemptEnding {
        let failure = failure?.failure ?? Failure(code: .internalFault, message: "a worker gave no reason")
        let outcome: AttemptEnding.Outcome =
            switch self.outcome {
            case .succeeded: .succeeded(result ?? "{}")
            case .failed: .failed(failure)
            case .interrupted: .interrupted(failure)
            case .dead: .dead(failure)
            case .cancelled: .cancelled(failure)
            case .retry:
                .retry(
                    failure, afterSeconds: afterSeconds ?? 0, avoidingWorker: avoidingWorker ?? false,
                    overflow: overflowBytes.map { OverflowRetry(memoryBytes: $0) })
            }
        return AttemptEnding(lease: lease, outcome: outcome)
    }
}
