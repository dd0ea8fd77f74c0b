internal import Media
internal import Model
internal import Planning

/// The decoded sound of one segment of a source that is read for its packets.
final class PacketSound: SoundFrames {
    private let window: PacketWindow
    private var decoder: Decoder
    private var cursor: SoundCursor?
    private var finished = false

    init?(_ window: PacketWindow, limits: DemuxerLimits) throws {
        guard let stream = window.soundStream else { return nil }
        self.window = window
        decoder = try Decoder(window.demuxer, stream: stream, threads: 1, limits: limits)
    }

    var soundTimeBase: Rational { window.soundTimeBase }

    /// Begins decoding far enough before a segment for decoders to have swung in.
    ///
    /// - Parameter origin: the source time of the segment's first picture, in seconds.
    func begin(at origin: Rational) throws {
        decoder.reset()
        finished = false
        cursor = try SoundCursor(window, from: origin - PacketWindow.soundLead)
    }

    func nextSound() throws -> AudioFrame? {
        var frame = try Frame()
        while !finished {
            switch try decoder.receive(into: &frame) {
            case .endOfStream:
                finished = true
            case .produced:
                guard let time = frame.bestEffortTime ?? frame.time, frame.sampleCount > 0 else { continue }
                return AudioFrame(frame, time: window.soundSinceStart(time))
            case .needsInput:
                guard let packet = try cursor?.advance() else {
                    try decoder.finish()
                    continue
                }
                guard try decoder.send(packet.packet) else {
                    throw SmartObstacle.bitstream("sound of the source cannot be decoded")
                }
            }
        }
        return nil
    }
}
