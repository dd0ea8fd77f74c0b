internal import Model
internal import Synchronization
internal import WorkerCore

/// How far a divided render is, whoever makes its chunks: frames of those that are done, and parts of those being made.
final class ChunkProgress: Sendable {
    /// Of a render's time, before its chunks are joined.
    static let encodingShare = 0.95

    private struct State {
        var records: [ChunkRecord]
        /// Of a chunk made here: newer than what is on record.
        var own: (number: Int, frames: Int, fraction: Double)?
    }

    private let state: Mutex<State>
    private let seconds: Double
    private let clock: any PoolClock
    private let began: Double
    private let framesBefore: Int

    /// - Parameters:
    ///   - records: as the attempt found them.
    ///   - seconds: that the programme lasts.
    init(_ records: [ChunkRecord], seconds: Double, clock: any PoolClock) {
        state = Mutex(State(records: records))
        (self.seconds, self.clock, began) = (seconds, clock, clock.now)
        framesBefore = records.reduce(0) { $1.state == .done ? $0 + $1.frames : $0 }
    }

    func note(_ records: [ChunkRecord]) {
        state.withLock { state in
            state.records = records
            if let own = state.own, records.indices.contains(own.number), records[own.number].state != .taken {
                state.own = nil
            }
        }
    }

    func note(_ number: Int, _ event: ProgressEvent) {
        state.withLock { $0.own = (number, event.frames, event.fraction) }
    }

    /// Where it is now; `nil` when nothing is known.
    var event: ProgressEvent? {
        let (frames, total) = state.withLock { state in
            var (frames, total) = (0.0, 0)
            for (number, record) in state.records.enumerated() {
                total += record.frames
                switch record.state {
                case .done: frames += Double(record.frames)
                case .taken, .free:
                    let own = state.own.flatMap { $0.number == number ? $0.fraction : nil }
                    frames += max(own ?? 0, record.state == .taken ? record.fraction : 0) * Double(record.frames)
                }
            }
            return (frames, total)
        }
        guard total > 0 else { return nil }
        let share = min(1, frames / Double(total))
        let elapsed = max(1e-6, clock.now - began)
        let made = max(0, frames - Double(framesBefore))
        let rate = made / elapsed
        return ProgressEvent(
            phase: .encoding, fraction: Self.encodingShare * share, frames: Int(frames), framesPerSecond: rate,
            speed: seconds * made / Double(total) / elapsed,
            remainingSeconds: rate > 0 && elapsed > 0.5 ? (Double(total) - frames) / rate : nil)
    }

    /// The rest of the way.
    func joining(_ event: ProgressEvent) -> ProgressEvent {
        var event = event
        event.fraction = Self.encodingShare + (1 - Self.encodingShare) * event.fraction
        if event.phase != .completed { event.phase = .finishing }
        event.frames = max(event.frames, state.withLock { $0.records.reduce(0) { $0 + $1.frames } })
        return event
    }
}
