internal import Media
internal import Model
internal import Planning

/// Makes the output's packets in order: the sources' own where the sound is as it was, encoded ones around seams.
///
/// A packet overlaps with the next in a frame. Where copied and encoded packets meet, that frame must be clean, both
/// must slope alike over it, and what they sound like together is measured before it is written.
final class SoundSplicer {
    /// Frames encoded before the first packet that is kept, for the encoder to find its way.
    static let warmUp: Int64 = 4
    /// Places tried for a join, one frame apart: busy sound goes through a dozen short blocks in a row.
    static let search: Int64 = 16
    /// Frames behind the last packet written that may still be asked for.
    static let memory = warmUp + search + 4
    /// The most that sound is changed by where slopes differ, in the order tried.
    private static let corrections = [4.0, 2.0]
    /// How often, and how many frames apart, joining is tried in one clean stretch.
    private static let rounds = 3
    private static let roundDistance: Int64 = 64

    private enum State {
        case starting
        case copying
        case encoding(SpliceEncoder)
    }

    private let programme: ProgrammeSound
    private let settings: AudioEncoderSettings
    private let check: JoinCheck
    private let cancellation: Cancellation
    private var state = State.starting
    /// The next packet to be written, by the frame that it completes.
    private var next: Int64 = -1
    /// Frames before this were looked at.
    private var scanned: Int64 = 0
    /// Rounds of joining that failed in the clean stretch at `scanned`.
    private var failedRounds = 0
    /// The frame at which the next round begins.
    private var retry: Int64 = 0
    /// The last packets written.
    private var written: [Int64: SoundPacket] = [:]
    /// Packets to be written, in order.
    var ready: [SoundPacket] = []
    private(set) var report = SoundCopyReport()

    init(
        _ programme: ProgrammeSound, settings: AudioEncoderSettings, check: JoinCheck, cancellation: Cancellation
    ) {
        (self.programme, self.settings) = (programme, settings)
        (self.check, self.cancellation) = (check, cancellation)
    }

    private var isFinal: Bool { programme.length != nil }
    private var horizon: Int64 { programme.horizon }
    private var isFinished: Bool { isFinal && next >= horizon }

    /// Makes all packets that can be made of what is known.
    func run() throws {
        while !isFinished {
            let goesOn =
                switch state {
                case .starting: try start()
                case .copying: try copy()
                case .encoding(let encoder): try encode(with: encoder)
                }
            guard goesOn else { return }
        }
    }

    private func isClean(_ frame: Int64) -> Bool { frame < horizon && programme.run(cleanAt: frame) != nil }

    /// The first frame from `start` on that is not clean; the horizon when all are.
    private func endOfClean(from start: Int64) -> Int64 {
        var frame = start
        while frame < horizon, isClean(frame) { frame += 1 }
        return frame
    }

    private func write(_ packet: SoundPacket, copied: Bool) {
        ready.append(packet)
        written[next] = packet
        written[next - Self.memory] = nil
        next += 1
        if copied { report.packetsCopied += 1 } else { report.packetsEncoded += 1 }
        programme.forget(before: next - Self.memory)
    }

    private func noteJoin(_ quality: JoinQuality?) {
        guard let quality else { return }
        report.joins += 1
        report.worstJoinDecibels = max(report.worstJoinDecibels, quality.decibels)
    }

    /// The run-in is not heard: nothing is joined where a programme begins with the packets of its source.
    ///
    /// - Returns: `false` when more must be known.
    private func start() throws -> Bool {
        let end = endOfClean(from: 0)
        let isEnough = end > SoundCutter.leastCopied
        guard isEnough || isFinal || end < horizon else { return false }
        if isEnough {
            state = .copying
        } else {
            state = .encoding(try makeEncoder(upTo: 0, warmingUpTo: 0))
            scanned = 1
        }
        return true
    }

    // MARK: Copying, and from copied to encoded packets

    /// - Returns: `false` when more must be known.
    private func copy() throws -> Bool {
        scanned = endOfClean(from: max(scanned, next))
        let isOpen = scanned == horizon && !isFinal
        try copy(upTo: scanned - 1 - Self.search)
        // Joining takes sound beyond the last clean frame.
        guard !isOpen, isFinal || horizon >= scanned + SpliceEncoder.delay + 2 else { return false }
        var best: Entry?
        for joint in stride(from: scanned - 1, through: max(next, scanned - 1 - Self.search), by: -1) {
            guard let entry = try entry(at: joint) else { continue }
            if entry.quality.decibels < best?.quality.decibels ?? .infinity { best = entry }
            if entry.quality.isClean { break }
            report.refusedJoins += 1
        }
        let entry = try best ?? hardEntry(at: scanned - 1)
        try copy(upTo: entry.joint)
        noteJoin(entry.quality)
        (state, failedRounds, retry) = (.encoding(entry.encoder), 0, 0)
        return true
    }

    private func copy(upTo end: Int64) throws {
        while next < end {
            guard let packet = programme.run(cleanAt: max(0, next))?.packet(next) else {
                throw EngineError(.internalFault, "a packet of sound was let go too early")
            }
            write(packet, copied: true)
        }
    }

    private struct Entry {
        /// The first encoded packet, and the frame where it overlaps with the last copied one.
        let joint: Int64
        let encoder: SpliceEncoder
        let quality: JoinQuality
    }

    /// Encodes from `joint` on; `nil` where windows cannot meet.
    private func entry(at joint: Int64) throws -> Entry? {
        guard let run = programme.run(cleanAt: joint), let before = run.packet(joint - 1), let head = before.head
        else { return nil }
        let earlier = joint - 2 >= next ? run.packet(joint - 2) : written[joint - 2]
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
    private func hardEntry(at joint: Int64) throws -> Entry {
        report.hardJoins += 1
        let encoder = try makeEncoder(upTo: joint + 1 + SpliceEncoder.delay, warmingUpTo: joint)
        return Entry(joint: joint, encoder: encoder, quality: JoinQuality(decibels: 0, neighbours: 0))
    }

    private func meant(around joint: Int64) throws -> [SoundFrame] {
        try (joint - 1...joint + 1).map { try programme.samples($0) }
    }

    private func makeEncoder(
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

    // MARK: Encoding, and from encoded to copied packets

    /// - Returns: `false` when more must be known.
    private func encode(with encoder: SpliceEncoder) throws -> Bool {
        // Two packets are encoded at least, so that the ends do not touch.
        scanned = max(scanned, next + 1)
        while scanned < horizon, !isClean(scanned) {
            scanned += 1
            (failedRounds, retry) = (0, 0)
        }
        let end = endOfClean(from: scanned)
        let isClosed = isFinal || end < horizon
        let start = max(scanned, retry)
        let room = end - start - SoundCutter.leastCopied
        guard failedRounds < Self.rounds, room > 0, isClosed || room > Self.search else {
            let isHopeless = isClosed || failedRounds == Self.rounds
            if isHopeless { scanned = end }
            // Where packets may yet be copied, the last encoded one waits for its shape.
            try write(from: encoder, upTo: isFinal && end == horizon ? end : min(start, end) - 1)
            return isClosed
        }
        try write(from: encoder, upTo: start - 1)
        var best: Exit?
        for joint in start..<start + min(room, Self.search) {
            guard let exit = try exit(at: joint, encoder) else { continue }
            if exit.quality.decibels < best?.quality.decibels ?? .infinity { best = exit }
            if exit.quality.isClean { break }
            report.refusedJoins += 1
        }
        guard let best, best.quality.isClean || best.quality.isBearable else {
            failedRounds += 1
            retry = start + Self.roundDistance
            return true
        }
        try write(from: encoder, upTo: best.joint - 1)
        write(best.last, copied: false)
        noteJoin(best.quality)
        (state, scanned) = (.copying, end)
        return true
    }

    private func write(from encoder: SpliceEncoder, upTo end: Int64) throws {
        while next < end {
            // A source's sound may be over hours before its pictures.
            try cancellation.check()
            try feed(encoder, upTo: next + SpliceEncoder.delay)
            guard let packet = encoder.packet(next) else {
                // Its last frame is not known yet.
                return
            }
            write(packet, copied: false)
            encoder.forget(before: next - Self.memory)
        }
    }

    /// Feeds frames up to `last`, as far as they are known; behind the programme there is silence.
    private func feed(_ encoder: SpliceEncoder, upTo last: Int64) throws {
        while encoder.next <= last, isFinal || encoder.next < horizon {
            try encoder.feed(try programme.samples(encoder.next))
        }
    }

    private struct Exit {
        /// The first copied packet, and the frame where it overlaps with the last encoded one.
        let joint: Int64
        /// The last encoded packet.
        let last: SoundPacket
        let quality: JoinQuality
    }

    /// Copies from `joint` on; `nil` where windows cannot meet.
    private func exit(at joint: Int64, _ encoder: SpliceEncoder) throws -> Exit? {
        guard let run = programme.run(cleanAt: joint), let first = run.packet(joint),
            let second = run.packet(joint + 1), let isLong = first.head?.beginsLong,
            let shape = run.packet(joint - 1)?.head?.shape
        else { return nil }
        try feed(encoder, upTo: joint - 1 + SpliceEncoder.delay)
        guard let last = encoder.packet(joint - 1), let head = last.head, head.endsLong == isLong else {
            return nil
        }
        let earlier = [joint - 3, joint - 2].compactMap { written[$0] ?? encoder.packet($0) }
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
