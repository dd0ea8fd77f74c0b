package import Model

/// Turns counts into progress events, at most so many a second, never going back.
package final class ProgressMeter {
    private let report: (ProgressEvent) -> Void
    private let now: () -> Double
    private let minimumInterval: Double
    private let started: Double
    private var lastReport = -Double.infinity
    private var lastPhase: ProgressEvent.Phase?
    private var fraction = 0.0

    /// - Parameter now: seconds on a clock that does not jump.
    package init(
        minimumInterval: Double = 0.1, now: @escaping () -> Double = monotonicSeconds,
        report: @escaping (ProgressEvent) -> Void = { _ in }
    ) {
        (self.minimumInterval, self.now, self.report) = (minimumInterval, now, report)
        started = now()
    }

    package var elapsedSeconds: Double { now() - started }

    package func update(
        _ phase: ProgressEvent.Phase, fraction newFraction: Double, frames: Int = 0, mediaSeconds: Double = 0
    ) {
        let time = now()
        guard phase != lastPhase || time - lastReport >= minimumInterval else { return }
        (lastReport, lastPhase) = (time, phase)
        fraction = max(fraction, min(1, newFraction))
        let elapsed = max(1e-6, time - started)
        report(
            ProgressEvent(
                phase: phase, fraction: fraction, frames: frames, framesPerSecond: Double(frames) / elapsed,
                speed: mediaSeconds / elapsed,
                remainingSeconds: fraction > 0.01 && elapsed > 0.5 ? elapsed * (1 - fraction) / fraction : nil
            ))
    }
}
