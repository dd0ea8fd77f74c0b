internal import Media
internal import Model
internal import Planning

/// Packets of one source that follow on one another, placed on the grid, and what they sound like.
final class SoundRun {
    /// The frame that the first packet completes.
    let frame: Int64
    private let grid: PacketGrid
    /// Where the first packet's frame begins, in source samples from the segment's origin.
    let content: Int64
    /// What is heard of it at most, in samples of the programme.
    private var bounds: Range<Int64>
    /// Where the last packet says that its track ends; the next one says otherwise.
    private var trackEnd: Int64?
    /// Mutes and bleeps, in samples of the programme.
    private let altered: [Range<Int64>]

    private var packets: [SoundPacket] = []
    /// Packets that were let go.
    private var dropped = 0
    private var decoded: [Int64: SoundFrame] = [:]
    private let decoder: SharedDecoder

    /// - Parameter earliest: sound before this sample of the programme is somebody else's.
    init(
        _ placement: PacketPlacement, on grid: PacketGrid, content: Int64, shaper: SoundShaper, earliest: Int64,
        decoder: SharedDecoder
    ) {
        (frame, self.grid, self.content, self.decoder) = (placement.frame, grid, content, decoder)
        let start = max(earliest, placement.frame * grid.frameSamples)
        bounds = start..<Int64.max
        let offset = placement.frame * grid.frameSamples - content
        altered = shaper.altered.map { $0.lowerBound + offset..<$0.upperBound + offset }
            .filter { $0.upperBound > start }
    }

    /// Behind the last packet's frame.
    var endFrame: Int64 { frame + Int64(dropped + packets.count) }
    /// Source samples from the origin, behind the last packet's frame.
    var endContent: Int64 { content + (endFrame - frame) * grid.frameSamples }
    /// What is heard, in samples of the programme.
    var audible: Range<Int64> {
        guard let trackEnd else { return bounds }
        return bounds.lowerBound..<max(bounds.lowerBound, min(bounds.upperBound, trackEnd))
    }
    /// Nothing follows.
    var isCut: Bool { bounds.upperBound != .max }

    /// - Parameter samples: how long it says it lasts, when it does.
    func append(_ packet: SoundPacket, samples: Int64?) {
        let start = endFrame * grid.frameSamples
        packets.append(packet)
        // Clocks and rounding make it a little less.
        trackEnd = samples.flatMap { $0 < grid.frameSamples * 7 / 8 ? start + max(0, $0) : nil }
    }

    /// What lies before a sample of the programme is not heard.
    func begin(at sample: Int64) {
        bounds = min(max(bounds.lowerBound, sample), bounds.upperBound)..<bounds.upperBound
    }

    /// What lies behind a sample of the programme is not heard.
    func cut(at sample: Int64) {
        bounds = bounds.lowerBound..<max(bounds.lowerBound, min(bounds.upperBound, sample))
    }

    func packet(_ frame: Int64) -> SoundPacket? {
        let index = Int(frame - self.frame) - dropped
        return packets.indices.contains(index) ? packets[index] : nil
    }

    /// - Parameter kept: what the segment lets through unchanged, in samples of the programme.
    func isClean(_ frame: Int64, kept: Range<Int64>) -> Bool {
        PlacedSound(
            audible: audible.clamped(to: kept), packets: self.frame..<endFrame, altered: altered, on: grid
        ).isClean(frame)
    }

    /// The samples of one frame, whether heard or not; `nil` where there is no packet.
    func samples(_ frame: Int64) throws -> SoundFrame? {
        if let known = decoded[frame] { return known }
        guard let packet = packet(frame) else { return nil }
        let found = try decoder.decode(packet, at: frame, of: self)
        decoded[frame] = found
        return found
    }

    func forget(before frame: Int64) {
        // Packets before are needed to decode one.
        let count = max(0, min(packets.count, Int(frame - grid.history - self.frame) - dropped))
        guard count >= 64 || frame > endFrame else { return }
        packets.removeFirst(count)
        dropped += count
        decoded = decoded.filter { $0.key >= frame }
    }
}

/// One decoder for all runs, which goes back some packets where it did not come from the one before.
final class SharedDecoder {
    private let decoder: PacketDecoder
    private let history: Int64
    private var last: (run: ObjectIdentifier, frame: Int64)?

    /// - Parameter history: packets to go back.
    init(_ decoder: PacketDecoder, history: Int64) { (self.decoder, self.history) = (decoder, history) }

    /// - Parameter packet: the run's of that frame.
    func decode(_ packet: SoundPacket, at frame: Int64, of run: SoundRun) throws -> SoundFrame {
        let id = ObjectIdentifier(run)
        if last?.run != id || last?.frame != frame - 1 {
            decoder.reset()
            for earlier in frame - history..<frame {
                if let before = run.packet(earlier) { _ = try decoder.decode(before.bytes) }
            }
        }
        last = (id, frame)
        return try decoder.decode(packet.bytes)
    }
}
