internal import Media
internal import Model
internal import Planning

/// One frame's samples, channel by channel.
typealias SoundFrame = [[Float]]

/// Decodes packets of sound one by one.
final class PacketDecoder {
    private var decoder: Decoder
    private var frame: Frame
    private let format: AudioFormat
    private let frameSamples: Int64
    /// A frame of it.
    private let silence: SoundFrame

    init(_ codec: any SoundCopyCodec) throws {
        format = codec.format
        frameSamples = codec.grid.frameSamples
        decoder = try Decoder(
            codec.decoderParameters(), timeBase: Rational(1, Int64(format.sampleRate)), threads: 1)
        frame = try Frame()
        silence = codec.silence
    }

    /// Forgets the packets before: the next frames will not be all there.
    func reset() { decoder.reset() }

    /// The frame that a packet completes; silence where it is damaged.
    func decode(_ bytes: [UInt8]) throws -> SoundFrame {
        // An empty one would be taken for the end.
        guard !bytes.isEmpty else { return silence }
        let packet = try Packet(copying: bytes, time: 0, duration: frameSamples, isKey: true)
        var found: SoundFrame?
        guard try decoder.send(packet) else { return silence }
        while try receive() {
            guard frame.sampleCount == Int(frameSamples), frame.channels == format.layout.channels,
                frame.sampleRate == format.sampleRate
            else { throw EngineError(.damagedMedia, "the sound is not what its description says") }
            found = (0..<format.layout.channels).map { Array(frame.samples(channel: $0)) }
        }
        return found ?? silence
    }

    /// - Returns: `false` when there is no further frame. Damaged ones are passed over.
    private func receive() throws -> Bool {
        while true {
            do throws(MediaError) {
                guard case .produced = try decoder.receive(into: &frame) else { return false }
                return true
            } catch {
                guard error.code == .damagedMedia else { throw error }
            }
        }
    }
}
