internal import Media
internal import Model
internal import Planning

/// Encodes the sound around seams: consecutive frames of the grid in, packets of the grid out.
///
/// A packet comes two frames after the one that it completes: its transform reaches into the next, and the encoder
/// looks
/// at one more.
final class SpliceEncoder {
    private var encoder: Encoder
    private var packet: Packet
    private let format: AudioFormat
    /// The first frame fed.
    private let first: Int64
    /// The next frame to be fed.
    private(set) var next: Int64
    private var packets: [Int64: SoundPacket] = [:]

    /// Frames that a packet comes after its own.
    static let delay: Int64 = 2

    /// Below this, in bits a second for each channel, a few packets would sound poorer than those around them: they are
    /// coded for the second time.
    private static let leastBitRate = 96_000

    static func settings(_ format: AudioFormat, sourceBitRate: Int?) -> AudioEncoderSettings {
        let channels = format.layout.channels
        let wanted = max((sourceBitRate ?? 0) * 3 / 2, leastBitRate * channels)
        // Source: ISO/IEC 14496-3 §4.5.3.1: 6144 bits a packet and channel; some way below, for the rate control.
        let limit = 5 * format.sampleRate * channels
        var settings = AudioEncoderSettings(encoder: "aac", format: format, bitRate: min(wanted, limit))
        // Noise in place of sound, and one channel's sound in place of two, would not meet what was copied.
        settings.options = ["aac_pns": "0", "aac_is": "0"]
        return settings
    }

    init(_ settings: AudioEncoderSettings, first: Int64) throws {
        encoder = try Encoder(audio: settings)
        packet = try Packet()
        format = settings.format
        (self.first, next) = (first, first)
    }

    func feed(_ samples: SoundFrame) throws {
        let count = Int(PacketGrid.frameSamples)
        let frame = try Frame.samples(count: count, rate: format.sampleRate, layout: format.layout)
        for channel in 0..<format.layout.channels {
            samples[channel].withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                frame.samples(channel: channel).baseAddress?.update(from: base, count: count)
            }
        }
        frame.time = (next - first) * PacketGrid.frameSamples
        next += 1
        try encoder.send(frame)
        while case .produced = try encoder.receive(into: &packet) {
            guard let time = packet.presentationTime else { continue }
            packets[first + PacketGrid.frame(ofSample: time)] = SoundPacket(packet.bytes.map(\.self))
        }
    }

    func packet(_ frame: Int64) -> SoundPacket? { packets[frame] }

    func forget(before frame: Int64) { packets = packets.filter { $0.key >= frame } }
}
