internal import Media
internal import Model
internal import Planning

/// Encodes the sound around seams: consecutive frames of the grid in, packets of the grid out.
///
/// A packet comes some frames after the one that it completes: its transform reaches into the next, and encoders look
/// ahead.
final class SpliceEncoder {
    private var encoder: Encoder
    private var packet: Packet
    private let format: AudioFormat
    private let grid: PacketGrid
    /// The first frame fed.
    private let first: Int64
    /// The next frame to be fed.
    private(set) var next: Int64
    private var packets: [Int64: SoundPacket] = [:]

    /// Samples of the first frame that are left out, so that packets lie on the grid for all of the encoder's priming.
    private let skipped: Int64
    /// Samples not yet encoded, channel by channel.
    private var waiting: SoundFrame
    private var sent: Int64 = 0

    init(_ settings: AudioEncoderSettings, grid: PacketGrid, first: Int64) throws {
        encoder = try Encoder(audio: settings)
        packet = try Packet()
        format = settings.format
        (self.grid, self.first, next) = (grid, first, first)
        skipped = Int64(encoder.primingSamples) % grid.frameSamples
        waiting = SoundFrame(repeating: [], count: format.layout.channels)
    }

    func feed(_ samples: SoundFrame) throws {
        let left = next == first ? Int(skipped) : 0
        for channel in samples.indices { waiting[channel] += samples[channel].dropFirst(left) }
        next += 1
        let count = Int(grid.frameSamples)
        guard waiting.allSatisfy({ $0.count >= count }) else { return }
        let frame = try Frame.samples(count: count, rate: format.sampleRate, layout: format.layout)
        for channel in 0..<format.layout.channels {
            waiting[channel].withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                frame.samples(channel: channel).baseAddress?.update(from: base, count: count)
            }
            waiting[channel].removeFirst(count)
        }
        frame.time = sent
        sent += grid.frameSamples
        try encoder.send(frame)
        while case .produced = try encoder.receive(into: &packet) {
            guard let time = packet.presentationTime else { continue }
            packets[first + grid.frame(ofSample: skipped + time)] = SoundPacket(packet.bytes.map(\.self))
        }
    }

    func packet(_ frame: Int64) -> SoundPacket? { packets[frame] }

    func forget(before frame: Int64) { packets = packets.filter { $0.key >= frame } }
}
