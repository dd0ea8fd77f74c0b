internal import Media
internal import Model
internal import Planning

/// One frame of 1024 samples, channel by channel.
typealias SoundFrame = [[Float]]

/// Decodes AAC packets one by one.
final class PacketDecoder {
    private var decoder: Decoder
    private var frame: Frame
    private let format: AudioFormat
    static let silence = [Float](repeating: 0, count: Int(PacketGrid.frameSamples))

    init(_ parameters: CodecParameters, format: AudioFormat) throws {
        decoder = try Decoder(parameters, timeBase: Rational(1, Int64(format.sampleRate)), threads: 1)
        frame = try Frame()
        self.format = format
    }

    /// Forgets the packet before: the next frame will be half there only.
    func reset() { decoder.reset() }

    /// The frame that a packet completes; silence where it is damaged.
    func decode(_ bytes: [UInt8]) throws -> SoundFrame {
        // An empty one would be taken for the end.
        guard !bytes.isEmpty else { return Self.silent(format) }
        let packet = try Packet(copying: bytes, time: 0, duration: PacketGrid.frameSamples, isKey: true)
        var found: SoundFrame?
        guard try decoder.send(packet) else { return Self.silent(format) }
        while try receive() {
            guard frame.sampleCount == Int(PacketGrid.frameSamples), frame.channels == format.layout.channels,
                frame.sampleRate == format.sampleRate
            else { throw EngineError(.damagedMedia, "the sound is not what its description says") }
            found = (0..<format.layout.channels).map { Array(frame.samples(channel: $0)) }
        }
        return found ?? Self.silent(format)
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

    static func silent(_ format: AudioFormat) -> SoundFrame {
        SoundFrame(repeating: silence, count: format.layout.channels)
    }
}
