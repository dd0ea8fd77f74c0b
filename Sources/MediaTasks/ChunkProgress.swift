internal import Model
internal import Synchronization
internal import WorkerCore

/// How far a divided render is, whoever makes its chunks: those that are done, and parts of those being made.
final class ChunkProgress: Sendable {
    /// Of a render's time, before its chunks are joined.
    static let encodingShare = 0.95

    private struct State {
        var records: [ChunkRecord]
        /// Of a chunk made here: newer than what is on record.
        var own: (number: Int, fraction: Double)?
    }

    /// What was done, in frames: of the pictures, and of everything that is to be done.
    private struct Done {
        var frames = 0.0
        var work = 0.0
    }

    private let state: Mutex<State>
    private let division: ChunkDivision
    private let weights: [Int]
    private let clock: any PoolClock
    private let began: Double
    private let before: Done

    /// - Parameter records: as the attempt found them.
    init(_ records: [ChunkRecord], _ division: ChunkDivision, clock: any PoolClock) {
        state = Mutex(State(records: records))
        (self.division, weights) = (division, division.weights)
        (self.clock, began) = (clock, clock.now)
        before = Self.done(of: records, division, weights) { $0.state == .done ? 1 : 0 }
    }

    private static func done(
        of records: [ChunkRecord], _ division: ChunkDivision, _ weights: [Int], share: (ChunkRecord) -> Double
    ) -> Done {
        var done = Done()
        for record in records where weights.indices.contains(record.number) {
            let share = share(record)
            done.work += share * Double(weights[record.number])
            if record.number < division.frames.count {
                done.frames += share * Double(record.made?.frames ?? division.frames[record.number])
            }
        }
        return done
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
        state.withLock { $0.own = (number, event.fraction) }
    }

    /// Where it is now; `nil` when nothing is known.
    var event: ProgressEvent? {
        let done = state.withLock { state in
            Self.done(of: state.records, division, weights) { record in
                if record.state == .done { return 1 }
                let own = state.own.flatMap { $0.number == record.number ? $0.fraction : nil }
                return max(own ?? 0, record.state == .taken ? record.fraction : 0)
            }
        }
        let total = Double(weights.reduce(0, +))
        guard total > 0 else { return nil }
        let share = min(1, done.work / total)
        let elapsed = max(1e-6, clock.now - began)
        let made = max(0, done.work - before.work)
        return ProgressEvent(
            phase: .encoding, fraction: Self.encodingShare * share, frames: Int(done.frames),
            framesPerSecond: max(0, done.frames - before.frames) / elapsed,
            speed: division.seconds * made / total / elapsed,
            remainingSeconds: made > 0 && elapsed > 0.5 ? (total - done.work) / (made / elapsed) : nil)
    }

    /// The rest of the way.
    func joining(_ event: ProgressEvent) -> ProgressEvent {
        var event = event
        event.fraction = Self.encodingShare + (1 - Self.encodingShare) * event.fraction
        if event.phase != .completed { event.phase = .finishing }
        let frames = state.withLock { Self.done(of: $0.records, division, weights) { _ in 1 }.frames }
        event.frames = max(event.frames, Int(frames))
        return event
    }
}
