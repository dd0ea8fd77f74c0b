package import Model

/// How far a job is, as it is told to whoever watches.
///
/// Updates of a job are ordered by (epoch, sequence); a reader drops what is not above the last one it saw.
package struct ProgressUpdate: Sendable, Codable, Equatable {
    package enum State: String, Sendable, Codable {
        case queued, running, succeeded, failed, cancelled, dead
    }

    package var job: JobID
    package var kind: JobKind
    package var owner: String
    package var epoch: Int64
    /// From 1 on within an epoch.
    package var sequence: Int64
    package var state: State
    /// What is being done, while running.
    package var progress: ProgressEvent?
    package var attempt: Int
    package var failure: Failure?
    /// The result as JSON, when it succeeded.
    package var result: String?
    /// Where else it is to be told; JSON as in `NewJob.progressRoute`.
    package var route: String?

    package init(
        job: JobID, kind: JobKind, owner: String, epoch: Int64, sequence: Int64, state: State,
        progress: ProgressEvent? = nil, attempt: Int, failure: Failure? = nil, result: String? = nil,
        route: String? = nil
    ) {
        (self.job, self.kind, self.owner, self.epoch, self.sequence) = (job, kind, owner, epoch, sequence)
        (self.state, self.progress, self.attempt) = (state, progress, attempt)
        (self.failure, self.result, self.route) = (failure, result, route)
    }
}

/// Takes updates and never holds up or fails the work: what cannot be told now is told later, or replaced by what is newer.
package protocol ProgressSink: Sendable {
    func tell(_ update: ProgressUpdate)
}
