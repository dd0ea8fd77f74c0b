internal import Media
internal import Model
internal import Planning

/// Makes the output's packets in order: the sources' own where the sound is as it was, encoded ones around seams.
///
/// A packet overlaps with the next in a frame. Where copied and encoded packets meet, that frame must be clean.
final class SoundSplicer {
    /// Places tried for a join, one frame apart: busy sound goes through a dozen short blocks in a row.
    static let search: Int64 = 16
    /// Frames behind the last packet written that may still be asked for.
    private let memory: Int64
    /// How often joining is tried in one clean stretch.
    private static let rounds = 3

    private enum State {
        case starting
        case copying
        case encoding(SpliceEncoder)
    }

    private let programme: ProgrammeSound
    private let codec: any SoundCopyCodec
    private let joins: JoinMaker
    private let cancellation: Cancellation
    private var state = State.starting
    /// The next packet to be written, by the frame that it completes.
    private var next: Int64
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
        _ programme: ProgrammeSound, codec: any SoundCopyCodec, joins: JoinMaker, cancellation: Cancellation
    ) {
        (self.programme, self.codec, self.joins) = (programme, codec, joins)
        self.cancellation = cancellation
        memory = max(codec.warmUp, codec.grid.history) + Self.search + 4
        next = -codec.grid.runIn
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
        written[next - memory] = nil
        next += 1
        if copied { report.packetsCopied += 1 } else { report.packetsEncoded += 1 }
        programme.forget(before: next - memory)
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
        let isClosed = isFinal || end < horizon
        guard isClosed || end > codec.leastCopied + Self.search,
            let canCopy = end > codec.leastCopied ? try canLeave(after: 0, before: end) : false
        else { return false }
        if canCopy, let first = programme.run(cleanAt: 0)?.packet(next), codec.canBegin(with: first) {
            state = .copying
        } else {
            state = .encoding(try joins.beginning(at: next))
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
        guard !isOpen, isFinal || horizon >= scanned + joins.reach + 1 else { return false }
        var best: JoinMaker.Entry?
        for joint in stride(from: scanned - 1, through: max(next, scanned - 1 - Self.search), by: -1) {
            guard let entry = try joins.entry(at: joint, after: packets(before: joint - 1)) else { continue }
            if entry.quality.decibels < best?.quality.decibels ?? .infinity { best = entry }
            if entry.quality.isClean { break }
            report.refusedJoins += 1
        }
        if best == nil { report.hardJoins += 1 }
        let entry = try best ?? joins.hardEntry(at: scanned - 1)
        try copy(upTo: entry.joint)
        noteJoin(entry.quality)
        (state, failedRounds, retry) = (.encoding(entry.encoder), 0, 0)
        return true
    }

    /// Whether a stretch copied from `first` on finds back to encoded packets before `end`, where it ends: it must be
    /// known before it is begun. A long stretch does.
    ///
    /// - Returns: `nil` when more must be known.
    private func canLeave(after first: Int64, before end: Int64) throws -> Bool? {
        guard end - first <= Self.search else { return true }
        guard isFinal || horizon >= end + joins.reach + 1 else { return nil }
        return try stride(from: end - 1, to: first, by: -1).contains { joint in
            let entry = try joins.entry(at: joint, after: packets(before: joint - 1))
            return entry?.quality.isUsable == true
        }
    }

    private func copy(upTo end: Int64) throws {
        while next < end {
            guard let packet = packet(next) else {
                throw EngineError(.internalFault, "a packet of sound was let go too early")
            }
            write(packet, copied: true)
        }
    }

    /// One that was written, or that can be copied.
    private func packet(_ frame: Int64) -> SoundPacket? {
        written[frame] ?? programme.run(cleanAt: max(0, frame))?.packet(frame)
    }

    /// As many as decoding the packet at `frame` takes, where there are.
    private func packets(before frame: Int64) -> [SoundPacket] {
        (frame - codec.grid.history..<frame).compactMap(packet)
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
        let room = end - start - codec.leastCopied
        guard failedRounds < Self.rounds, room > 0, isClosed || room > Self.search else {
            let isHopeless = isClosed || failedRounds == Self.rounds
            if isHopeless { scanned = end }
            // Where packets may yet be copied, the last encoded one waits for its shape.
            try write(from: encoder, upTo: isFinal && end == horizon ? end : min(start, end) - 1)
            return isClosed
        }
        try write(from: encoder, upTo: start - 1)
        var best: JoinMaker.Exit?
        for joint in start..<start + min(room, Self.search) {
            try feed(encoder, upTo: joint - 1 + codec.encoderDelay)
            let earlier = (joint - 2 - codec.grid.history...joint - 2).compactMap {
                written[$0] ?? encoder.packet($0)
            }
            guard let exit = try joins.exit(at: joint, from: encoder, after: earlier) else { continue }
            if exit.quality.decibels < best?.quality.decibels ?? .infinity { best = exit }
            if exit.quality.isClean { break }
            report.refusedJoins += 1
        }
        guard let best, best.quality.isUsable else {
            failedRounds += 1
            retry = start + codec.retryDistance
            return true
        }
        guard let canLeave = try canLeave(after: best.joint, before: end) else { return false }
        guard canLeave else {
            scanned = end
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
            try feed(encoder, upTo: next + codec.encoderDelay)
            guard let packet = encoder.packet(next) else {
                // Its last frame is not known yet.
                return
            }
            write(packet, copied: false)
            encoder.forget(before: next - memory)
        }
    }

    /// Feeds frames up to `last`, as far as they are known; behind the programme there is silence.
    private func feed(_ encoder: SpliceEncoder, upTo last: Int64) throws {
        while encoder.next <= last, isFinal || encoder.next < horizon {
            try encoder.feed(try programme.samples(encoder.next))
        }
    }
}
