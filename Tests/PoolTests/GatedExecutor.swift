import Model
import Synchronization
import WorkerCore

/// Runs attempts until it is told how they end, and says what runs.
final class GatedExecutor: TaskExecutor {
    private struct State {
        var running: [Lease: (attempt: Attempt, end: CheckedContinuation<AttemptResult, Never>)] = [:]
        var started: [Attempt] = []
        var stopped: [Lease: StopReason] = [:]
        /// What attempts do that nobody ends by hand.
        var automatic: (@Sendable (Attempt) -> AttemptResult?)?
    }

    private let state = Mutex(State())

    init(automatic: (@Sendable (Attempt) -> AttemptResult?)? = nil) { state.withLock { $0.automatic = automatic } }

    func run(_ attempt: Attempt, report: @escaping @Sendable (ProgressEvent) -> Void) async -> AttemptResult {
        report(
            ProgressEvent(
                phase: .encoding, fraction: 0.5, frames: 10, framesPerSecond: 1, speed: 1, remainingSeconds: nil))
        let automatic = state.withLock { state in
            state.started.append(attempt)
            return state.automatic
        }
        if let result = automatic?(attempt) { return result }
        return await withCheckedContinuation { continuation in
            state.withLock { $0.running[attempt.lease] = (attempt, continuation) }
            attempt.stop.listen { [self] reason in
                state.withLock { $0.stopped[attempt.lease] = reason }
                end(attempt.lease, .failed(reason.failure))
            }
        }
    }

    func end(_ lease: Lease, _ result: AttemptResult) {
        state.withLock { $0.running.removeValue(forKey: lease) }?.end.resume(returning: result)
    }

    var started: [Attempt] { state.withLock { $0.started } }
    var running: [Lease] { state.withLock { Array($0.running.keys) } }
    var stopped: [Lease: StopReason] { state.withLock { $0.stopped } }
}

/// Keeps what was told.
final class RecordingSink: ProgressSink {
    private let updates = Mutex<[ProgressUpdate]>([])
    func tell(_ update: ProgressUpdate) { updates.withLock { $0.append(update) } }
    var all: [ProgressUpdate] { updates.withLock { $0 } }
}
