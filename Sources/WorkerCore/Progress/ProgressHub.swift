internal import Synchronization

/// Progress within this process: the latest word on each job, and streams for those who watch.
package final class ProgressHub: ProgressSink {
    /// Ended jobs whose last word is kept for who comes late.
    private static let keptEnded = 1000
    /// Updates that a slow watcher may be behind; of more, the newest count.
    private static let watcherBacklog = 64

    private struct State {
        var latest: [JobID: ProgressUpdate] = [:]
        var ended: [JobID] = []
        var watchers: [JobID: [Int: AsyncStream<ProgressUpdate>.Continuation]] = [:]
        var nextWatcher = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func tell(_ update: ProgressUpdate) {
        let watchers = state.withLock { state -> [AsyncStream<ProgressUpdate>.Continuation] in
            if let last = state.latest[update.job] {
                guard (last.epoch, last.sequence) < (update.epoch, update.sequence) else { return [] }
            }
            state.latest[update.job] = update
            if update.state.isFinal {
                state.ended.append(update.job)
                if state.ended.count > Self.keptEnded { state.latest[state.ended.removeFirst()] = nil }
            }
            return state.watchers[update.job].map { Array($0.values) } ?? []
        }
        for watcher in watchers {
            watcher.yield(update)
            if update.state.isFinal { watcher.finish() }
        }
    }

    package func latest(_ job: JobID) -> ProgressUpdate? { state.withLock { $0.latest[job] } }

    /// What there is now, and all that follows; ends with the job.
    package func watch(_ job: JobID) -> AsyncStream<ProgressUpdate> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ProgressUpdate.self, bufferingPolicy: .bufferingNewest(Self.watcherBacklog))
        let (number, latest) = state.withLock { state -> (Int, ProgressUpdate?) in
            state.nextWatcher += 1
            state.watchers[job, default: [:]][state.nextWatcher] = continuation
            return (state.nextWatcher, state.latest[job])
        }
        continuation.onTermination = { [weak self] _ in self?.forget(job, number) }
        if let latest {
            continuation.yield(latest)
            if latest.state.isFinal { continuation.finish() }
        }
        return stream
    }

    private func forget(_ job: JobID, _ number: Int) {
        state.withLock { state in
            state.watchers[job]?[number] = nil
            if state.watchers[job]?.isEmpty == true { state.watchers[job] = nil }
        }
    }
}

extension ProgressUpdate.State {
    package var isFinal: Bool {
        switch self {
        case .queued, .running: false
        case .succeeded, .failed, .cancelled, .dead: true
        }
    }
}

/// Tells several.
package struct ProgressFan: ProgressSink {
    private let sinks: [any ProgressSink]
    package init(_ sinks: [any ProgressSink]) { self.sinks = sinks }
    package func tell(_ update: ProgressUpdate) { for sink in sinks { sink.tell(update) } }
}
