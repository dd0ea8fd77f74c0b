internal import WorkerCore

/// Time that is not set back.
typealias Instant = ContinuousClock.Instant

extension Instant {
    static var now: Instant { ContinuousClock.now }

    /// From now on; 0 when it is past.
    var millisecondsLeft: Int {
        let left = Instant.now.duration(to: self).components
        return max(0, Int(left.seconds) * 1000 + Int(left.attoseconds / 1_000_000_000_000_000))
    }
}

/// Pauses between tries that fail one after another.
struct Retries {
    private let backoff: Backoff
    private var failures = 0

    init(_ backoff: Backoff) { self.backoff = backoff }

    /// Never quite nothing, so that nothing turns in a circle.
    mutating func nextPauseSeconds() -> Double {
        failures += 1
        return max(0.05, backoff.pauseSeconds(afterAttempt: failures, unit: .random(in: 0..<1)))
    }

    mutating func succeeded() { failures = 0 }
}
