internal import Media
internal import Model

/// The output's picture: frames in presentation order, encoded packets out, each with its true duration.
///
/// A frame's duration is known when the next one comes. Packets wait for it, not pictures: they are a hundredth of
/// the size.
final class VideoTrack {
    private final class WaitingPacket {
        var packet: Packet
        init(_ packet: consuming Packet) { self.packet = packet }
    }

    private let stage: EncoderStage
    private let stream: Int
    /// Durations by presentation time, until their packets are written.
    private var durations: [Int64: Int64] = [:]
    private var waiting: [WaitingPacket] = []
    private var lastTime: Int64?
    private(set) var frameCount = 0

    init(_ stage: EncoderStage, stream: Int) { (self.stage, self.stream) = (stage, stream) }

    var timeBase: Rational { stage.timeBase }

    /// - Parameter time: in ticks of `timeBase`, above every earlier one.
    func submit(_ frame: consuming Frame, at time: Int64, keyframe: Bool = false) throws {
        if let lastTime { durations[lastTime] = time - lastTime }
        lastTime = time
        frame.time = time
        frame.requestKeyframe(keyframe)
        frameCount += 1
        try stage.submit(frame)
    }

    /// Writes the packets that are ready.
    func drain(into muxer: inout Muxer) throws {
        while let packet = stage.poll() { waiting.append(WaitingPacket(packet)) }
        var written = 0
        for entry in waiting {
            guard let time = entry.packet.presentationTime, let duration = durations.removeValue(forKey: time) else {
                break
            }
            entry.packet.setDuration(duration)
            try muxer.write(&entry.packet, stream: stream, timeBase: timeBase)
            written += 1
        }
        waiting.removeFirst(written)
    }

    /// - Parameter end: when the last frame's time is over.
    func finish(at end: Int64, into muxer: inout Muxer) throws {
        if let lastTime { durations[lastTime] = max(1, end - lastTime) }
        try stage.finish()
        try drain(into: &muxer)
    }
}
