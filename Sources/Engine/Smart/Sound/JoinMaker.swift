internal import Media
internal import Model
internal import Planning

/// Makes copied and encoded packets meet.
///
/// A packet's transform is windowed by a slope over each of its two frames. In the frame where two packets overlap,
/// both
/// must have been windowed by the same slope, long or short, of one shape: else what each folds into the frame stays.
/// What comes of it is measured, because not all of that is told at the head of a packet.
final class JoinMaker {
    /// Frames encoded before the first packet that is kept, for the encoder to find its way.
    static let warmUp: Int64 = 4
    /// The most that sound is changed by where slopes differ, in the order tried.
    private static let corrections = [4.0, 2.0]

    private let programme: ProgrammeSound
    private let settings: AudioEncoderSettings
    private let check: JoinCheck

    init(_ programme: ProgrammeSound, settings: AudioEncoderSettings, check: JoinCheck) {
        (self.programme, self.settings, self.check) = (programme, settings, check)
    }

    // MARK: From copied to encoded packets

    struct Entry {
        /// The first encoded packet, and the frame where it overlaps with the last copied one.
        let joint: Int64
        let encoder: SpliceEncoder
        let quality: JoinQuality
    }

    /// Encodes from `joint` on; `nil` where windows cannot meet.
    ///
    /// - Parameter earlier: what is written before the last copied packet.
    func entry(at joint: Int64, after earlier: SoundPacket?) throws -> Entry? {
        guard let run = programme.run(cleanAt: joint), let before = run.packet(joint - 1), let head = before.head
        else { return nil }
        let copied = [earlier, before].compactMap(\.self)
        let plain = try makeEncoder(upTo: joint + 1 + SpliceEncoder.delay, warmingUpTo: joint)
        // The decoder takes the slope over the frame from the packet before; the encoder took its own.
        guard let own = plain.packet(joint - 1)?.head, own.endsLong, head.endsLong, own.shape != head.shape else {
            return try entry(at: joint, after: copied, plain)
        }
        var best = try entry(at: joint, after: copied, plain)
        for limit in Self.corrections {
            let slopes = WindowSlopes.correction(from: own.shape, to: head.shape, rising: true, limit: limit)
            let corrected = try makeEncoder(upTo: joint + 1 + SpliceEncoder.delay, warmingUpTo: joint) { fed, samples in
                if fed == joint { self.multiply(&samples, by: slopes) }
            }
            guard let found = try entry(at: joint, after: copied, corrected) else { continue }
            if found.quality.decibels < best?.quality.decibels ?? .infinity { best = found }
            if found.quality.isClean { break }
        }
        return best
    }

    private func entry(at joint: Int64, after copied: [SoundPacket], _ encoder: SpliceEncoder) throws -> Entry? {
        guard let first = encoder.packet(joint), let second = encoder.packet(joint + 1), let before = copied.last?.head,
            first.head?.beginsLong == before.endsLong
        else { return nil }
        let quality = try check.measure(copied + [first, second], meant: try meant(around: joint))
        return Entry(joint: joint, encoder: encoder, quality: quality)
    }

    /// Where no window fits: still encoded, with whatever is heard of it.
    func hardEntry(at joint: Int64) throws -> Entry {
        let encoder = try makeEncoder(upTo: joint + 1 + SpliceEncoder.delay, warmingUpTo: joint)
        return Entry(joint: joint, encoder: encoder, quality: JoinQuality(decibels: 0, neighbours: 0))
    }

    private func meant(around joint: Int64) throws -> [SoundFrame] {
        try (joint - 1...joint + 1).map { try programme.samples($0) }
    }

    /// An encoder that was fed all frames to `last`, beginning so far before `joint` that it has found its way there.
    func makeEncoder(
        upTo last: Int64, warmingUpTo joint: Int64, _ change: (Int64, inout SoundFrame) -> Void = { _, _ in }
    ) throws -> SpliceEncoder {
        let encoder = try SpliceEncoder(settings, first: joint - Self.warmUp)
        while encoder.next <= last {
            var samples = try programme.samples(encoder.next)
            change(encoder.next, &samples)
            try encoder.feed(samples)
        }
        return encoder
    }

    /// The low-frequency channel's slope is the sine for every encoder. Source: ISO/IEC 14496-3 §4.5.2.2.
    private func multiply(_ samples: inout SoundFrame, by slopes: [Float]) {
        for channel in samples.indices where samples.count < 6 || channel != 3 {
            for index in slopes.indices { samples[channel][index] *= slopes[index] }
        }
    }

    // MARK: From encoded to copied packets

    struct Exit {
        /// The first copied packet, and the frame where it overlaps with the last encoded one.
        let joint: Int64
        /// The last encoded packet.
        let last: SoundPacket
        let quality: JoinQuality
    }

    /// Copies from `joint` on; `nil` where windows cannot meet.
    ///
    /// - Parameters:
    ///   - encoder: fed as far as the packet before `joint` takes.
    ///   - earlier: what is written before that one, two packets where there are as many.
    func exit(at joint: Int64, from encoder: SpliceEncoder, after earlier: [SoundPacket]) throws -> Exit? {
        guard let run = programme.run(cleanAt: joint), let first = run.packet(joint),
            let second = run.packet(joint + 1), let isLong = first.head?.beginsLong,
            let shape = run.packet(joint - 1)?.head?.shape
        else { return nil }
        guard let last = encoder.packet(joint - 1), let head = last.head, head.endsLong == isLong else {
            return nil
        }
        func exit(after last: SoundPacket) throws -> Exit {
            let quality = try check.measure(earlier + [last, first, second], meant: try meant(around: joint))
            return Exit(joint: joint, last: last, quality: quality)
        }
        var best = try exit(after: last)
        guard isLong, head.shape != shape else { return best }
        for limit in Self.corrections {
            guard let last = try reshaped(joint - 1, from: head.shape, to: shape, limit: limit) else { continue }
            let found = try exit(after: last)
            if found.quality.decibels < best.quality.decibels { best = found }
            if found.quality.isClean { break }
        }
        return best
    }

    /// The packet of a frame encoded again, so that it slopes over the next one in the shape wanted.
    ///
    /// The encoder knows one shape. But the shape is a bit in the packet, and sound that was changed by what the two
    /// shapes differ comes out of either as it should.
    private func reshaped(
        _ frame: Int64, from own: AACBlockHead.Shape, to shape: AACBlockHead.Shape, limit: Double
    ) throws -> SoundPacket? {
        // A single element's bit is all there is.
        guard settings.format.layout.channels <= 2 else { return nil }
        let slopes = WindowSlopes.correction(from: own, to: shape, rising: false, limit: limit)
        let encoder = try makeEncoder(upTo: frame + SpliceEncoder.delay, warmingUpTo: frame) { fed, samples in
            if fed == frame + 1 { self.multiply(&samples, by: slopes) }
        }
        guard let packet = encoder.packet(frame), let head = packet.head, head.speaksForElement, head.beginsLong,
            head.endsLong, head.shape == own, encoder.packet(frame - 1)?.head?.shape == own
        else { return nil }
        return SoundPacket(head.reshaped(packet.bytes, to: shape))
    }
}
