internal import Media
internal import Model

/// The output's picture: frames in presentation order, encoded packets out, each with its true duration.
final class VideoTrack {
    private let stage: EncoderStage
    let stream: Int
    /// Durations by presentation time: encoders reorder packets and forget them.
    private var durations: [Int64: Int64] = [:]
    private(set) var frameCount = 0

    init(_ stage: EncoderStage, stream: Int) { (self.stage, self.stream) = (stage, stream) }

    var timeBase: Rational { stage.timeBase }

    /// - Parameters:
    ///   - time: in ticks of `timeBase`, above every earlier one.
    ///   - duration: until the next frame, in the same ticks.
    func submit(_ frame: consuming Frame, at time: Int64, duration: Int64, keyframe: Bool = false) throws {
        frame.time = time
        frame.duration = duration
        frame.requestKeyframe(keyframe)
        durations[time] = duration
        frameCount += 1
        try stage.submit(frame)
    }

    /// Writes the packets that are ready.
    func drain(into muxer: inout Muxer) throws {
        while var packet = stage.poll() {
            if let time = packet.presentationTime, let duration = durations.removeValue(forKey: time) {
                packet.setDuration(duration)
            }
            try muxer.write(&packet, stream: stream, timeBase: timeBase)
        }
    }

    func finish(into muxer: inout Muxer) throws {
        try stage.finish()
        try drain(into: &muxer)
    }
}
