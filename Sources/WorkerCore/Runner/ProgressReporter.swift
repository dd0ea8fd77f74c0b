package import Model
internal import Synchronization

/// The progress of one attempt: numbers the updates, and never lets the fraction go back.
package final class ProgressReporter: Sendable {
    private struct State {
        var sequence: Int64 = 0
        var last: ProgressEvent?
        var hasEnded = false
    }

    private let job: JobRecord
    private let sink: any ProgressSink
    private let state = Mutex(State())

    package init(_ job: JobRecord, sink: any ProgressSink) { (self.job, self.sink) = (job, sink) }

    /// Takes what the work reports. A change of phase is told at once, the rest by `tick`.
    package func take(_ event: ProgressEvent) {
        let isNewPhase = state.withLock { state -> Bool in
            guard !state.hasEnded else { return false }
            var event = event
            event.fraction = max(event.fraction, state.last?.fraction ?? 0)
            let isNew = state.last?.phase != event.phase
            state.last = event
            return isNew
        }
        if isNewPhase { tick() }
    }

    /// Tells where the work is. Called once a second, whether or not there is news: silence means that the worker is gone.
    package func tick() {
        let update = state.withLock { state -> ProgressUpdate? in
            guard !state.hasEnded else { return nil }
            state.sequence += 1
            return make(state.sequence, .running, progress: state.last)
        }
        if let update { sink.tell(update) }
    }

    /// Tells the last word of this attempt; nothing comes after it.
    package func end(_ ending: ProgressUpdate.State, failure: Failure? = nil, result: String? = nil) {
        let update = state.withLock { state -> ProgressUpdate in
            state.hasEnded = true
            state.sequence += 1
            return make(state.sequence, ending, progress: state.last, failure: failure, result: result)
        }
        sink.tell(update)
    }

    private func make(
        _ sequence: Int64, _ state: ProgressUpdate.State, progress: ProgressEvent?, failure: Failure? = nil,
        result: String? = nil
    ) -> ProgressUpdate {
        ProgressUpdate(
            job: job.id, kind: job.kind, owner: job.owner, epoch: job.epoch, sequence: sequence, state: state,
            progress: progress, attempt: job.attempt, failure: failure, result: result, route: job.progressRoute)
    }
}
