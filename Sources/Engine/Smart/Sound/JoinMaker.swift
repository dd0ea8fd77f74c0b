internal import Media
internal import Model
internal import Planning

/// Makes copied and encoded packets meet, as the codec can; what comes of it is measured, because not all of that is
/// told at the head of a packet.
final class JoinMaker {
    private let programme: ProgrammeSound
    private let codec: any SoundCopyCodec
    private let check: JoinCheck

    init(_ programme: ProgrammeSound, codec: any SoundCopyCodec, check: JoinCheck) {
        (self.programme, self.codec, self.check) = (programme, codec, check)
    }

    /// Frames behind a joint that it takes to make and measure it.
    var reach: Int64 { codec.settling + codec.encoderDelay }

    private func meant(around joint: Int64) throws -> [SoundFrame] {
        try (joint - 1...joint + codec.settling).map { try programme.samples($0) }
    }

    /// An encoder that was fed all frames to `last`, beginning so far before `joint` that it has found its way there.
    ///
    /// - Parameter change: of the frame `changed`.
    func makeEncoder(
        _ settings: AudioEncoderSettings? = nil, upTo last: Int64, warmingUpTo joint: Int64,
        _ change: SoundChange? = nil, at changed: Int64 = 0
    ) throws -> SpliceEncoder {
        let encoder = try SpliceEncoder(settings ?? codec.splice, grid: codec.grid, first: joint - codec.warmUp)
        while encoder.next <= last {
            var samples = try programme.samples(encoder.next)
            if encoder.next == changed { change?.apply(to: &samples) }
            try encoder.feed(samples)
        }
        return encoder
    }

    /// Makes the programme's first packets.
    func beginning(at frame: Int64) throws -> SpliceEncoder {
        try SpliceEncoder(codec.splice, grid: codec.grid, first: frame - codec.beginningWarmUp)
    }

    // MARK: From copied to encoded packets

    struct Entry {
        /// The first encoded packet, and the frame where it overlaps with the last copied one.
        let joint: Int64
        let encoder: SpliceEncoder
        let quality: JoinQuality
    }

    /// Encodes from `joint` on; `nil` where it cannot.
    ///
    /// - Parameter earlier: what is written before the last copied packet, as many as decoding takes where there are.
    func entry(at joint: Int64, after earlier: [SoundPacket]) throws -> Entry? {
        guard let run = programme.run(cleanAt: joint), let before = run.packet(joint - 1) else { return nil }
        let plain = try makeEncoder(upTo: joint + reach, warmingUpTo: joint)
        guard let own = plain.packet(joint - 1) else { return nil }
        var best = try entry(at: joint, after: earlier, before, plain)
        for change in codec.entryChanges(own: own, copied: before) {
            let changed = try makeEncoder(upTo: joint + reach, warmingUpTo: joint, change, at: joint)
            guard let found = try entry(at: joint, after: earlier, before, changed) else { continue }
            if found.quality.decibels < best?.quality.decibels ?? .infinity { best = found }
            if found.quality.isClean { break }
        }
        return best
    }

    private func entry(
        at joint: Int64, after earlier: [SoundPacket], _ before: SoundPacket, _ encoder: SpliceEncoder
    ) throws -> Entry? {
        let made = (joint...joint + codec.settling).compactMap(encoder.packet)
        guard let first = made.first, made.count == Int(codec.settling) + 1, codec.meets(before, first) else {
            return nil
        }
        let quality = try check.measure(earlier + [before] + made, meant: try meant(around: joint))
        return Entry(joint: joint, encoder: encoder, quality: quality)
    }

    /// Where packets do not meet: still encoded, with whatever is heard of it.
    func hardEntry(at joint: Int64) throws -> Entry {
        let encoder = try makeEncoder(upTo: joint + reach, warmingUpTo: joint)
        return Entry(joint: joint, encoder: encoder, quality: JoinQuality(decibels: 0, neighbours: 0))
    }

    // MARK: From encoded to copied packets

    struct Exit {
        /// The first copied packet, and the frame where it overlaps with the last encoded one.
        let joint: Int64
        /// The last encoded packet.
        let last: SoundPacket
        let quality: JoinQuality
    }

    /// Copies from `joint` on; `nil` where it cannot.
    ///
    /// - Parameters:
    ///   - encoder: fed as far as the packet before `joint` takes.
    ///   - earlier: what is written before that one, as many as decoding takes where there are.
    func exit(at joint: Int64, from encoder: SpliceEncoder, after earlier: [SoundPacket]) throws -> Exit? {
        guard let run = programme.run(cleanAt: joint), let plain = encoder.packet(joint - 1) else { return nil }
        let copied = (joint...joint + codec.settling).compactMap(run.packet)
        guard let first = copied.first, copied.count == Int(codec.settling) + 1 else { return nil }
        let before = (1...codec.grid.history).compactMap { run.packet(joint - $0) }
        var best: Exit?
        for attempt in codec.exits(SoundExit(last: plain, first: first, earlier: before)) {
            guard let last = try last(attempt, before: joint, encoder), codec.meets(last, first) else { continue }
            let quality = try check.measure(earlier + [last] + copied, meant: try meant(around: joint))
            if quality.decibels < best?.quality.decibels ?? .infinity {
                best = Exit(joint: joint, last: last, quality: quality)
            }
            if quality.isClean { break }
        }
        return best
    }

    /// The last packet before `joint`, made in the way of an attempt.
    private func last(
        _ attempt: SoundExitAttempt, before joint: Int64, _ encoder: SpliceEncoder
    ) throws -> SoundPacket? {
        let frame = joint - 1
        let maker =
            try attempt.needsEncoder
            ? makeEncoder(
                attempt.encoder, upTo: frame + codec.encoderDelay, warmingUpTo: frame, attempt.change, at: joint)
            : encoder
        return maker.packet(frame).flatMap { attempt.finish($0, maker.packet(frame - 1)) }
    }
}
