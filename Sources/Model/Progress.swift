/// How far a piece of work is. Fractions never go back.
package struct ProgressEvent: Codable, Sendable, Equatable {
    package enum Phase: String, Codable, Sendable {
        case probing, transferring, decoding, encoding, finishing, completed
    }

    package var phase: Phase
    /// 0 to 1 of the whole work.
    package var fraction: Double
    package var frames: Int
    package var framesPerSecond: Double
    /// Media seconds made in a second.
    package var speed: Double
    /// `nil` until it can be told.
    package var remainingSeconds: Double?

    package init(
        phase: Phase, fraction: Double, frames: Int, framesPerSecond: Double, speed: Double, remainingSeconds: Double?
    ) {
        (self.phase, self.fraction, self.frames) = (phase, fraction, frames)
        (self.framesPerSecond, self.speed, self.remainingSeconds) = (framesPerSecond, speed, remainingSeconds)
    }
}
