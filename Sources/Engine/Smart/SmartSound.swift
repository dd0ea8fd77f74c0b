internal import Media
internal import Model
internal import Planning

/// The sound of a smart render, segment by segment.
protocol SmartSound: AnyObject {
    /// - Parameters:
    ///   - origin: the source time at which the segment begins, in seconds.
    ///   - start: the programme's time there, in seconds.
    func begin(_ segment: PlannedSegment, of source: SmartSource, origin: Rational, start: Rational) throws
    /// The segment lasts at least so many seconds.
    func advance(to length: Rational) throws
    func end(length: Rational) throws
    /// Places the last samples of the programme.
    func finish() throws
    /// How many samples were placed.
    var samples: Int64 { get }
    var report: RenderReport.CopiedSound? { get }
}

/// Sound that is decoded, cut and encoded, as in a full render.
final class EncodedSmartSound: SmartSound {
    private let sound: EncodedSound
    private var end = Rational.zero

    init(_ sound: EncodedSound) { self.sound = sound }

    func begin(_ segment: PlannedSegment, of source: SmartSource, origin: Rational, start: Rational) throws {
        end = start
        guard let frames = source.sound else { return }
        try frames.begin(at: origin)
        sound.begin(segment, frames, origin: origin)
    }

    func advance(to length: Rational) throws { try sound.advance(to: length) }

    func end(length: Rational) throws {
        end = end + length
        try sound.end(at: end)
    }

    func finish() {}
    var samples: Int64 { sound.samplesPlaced }
    var report: RenderReport.CopiedSound? { nil }
}

/// Sound whose packets are copied, but for those around seams.
final class CopiedSmartSound: SmartSound {
    private let track: CopiedSoundTrack
    private let write: (CopiedSoundTrack) throws -> Void
    private var cursor: SoundCursor?
    private var origin = Rational.zero

    /// - Parameter write: takes the packets that are ready.
    init(_ track: CopiedSoundTrack, write: @escaping (CopiedSoundTrack) throws -> Void) {
        (self.track, self.write) = (track, write)
    }

    func begin(_ segment: PlannedSegment, of source: SmartSource, origin: Rational, start: Rational) throws {
        self.origin = origin
        cursor = try SoundCursor(source.window, from: origin - track.grid.leadSeconds)
        var copied = CopiedSegment(origin: origin, start: start)
        copied.shape = .init(fadesIn: segment.fadesIn, fadesOut: segment.fadesOut, effects: segment.sound)
        track.begin(copied)
    }

    func advance(to length: Rational) throws {
        try declining {
            try feed(to: length)
            try track.advance(to: length)
        }
        try write(track)
    }

    func end(length: Rational) throws {
        try declining {
            while !track.reaches(length), try feedNext() {}
            try track.end(length: length)
        }
        try write(track)
    }

    func finish() throws {
        try declining { try track.finish() }
        try write(track)
    }

    /// What cannot be decoded packet by packet may still be read as a whole.
    private func declining(_ work: () throws -> Void) throws {
        do {
            try work()
        } catch let error as EngineError {
            guard error.code == .damagedMedia else { throw error }
            throw SmartObstacle.bitstream(error.message)
        }
    }

    private func feed(to length: Rational) throws {
        guard let window = cursor?.window else { return }
        let limit = (origin + length).ticks(in: window.soundTimeBase)
        while let held = try cursor?.peek(), held.time <= limit { _ = try feedNext() }
    }

    private func feedNext() throws -> Bool {
        guard let window = cursor?.window, let held = try cursor?.advance() else { return false }
        if let packet = FedPacket(held.packet, timeBase: window.soundTimeBase, offset: window.soundSinceStart(0)) {
            try track.feed(packet)
        }
        return true
    }

    var samples: Int64 { track.samples ?? 0 }

    var report: RenderReport.CopiedSound? {
        let report = track.report
        var copied = RenderReport.CopiedSound()
        (copied.copiedPackets, copied.encodedPackets) = (report.packetsCopied, report.packetsEncoded)
        if report.joins > 0 { copied.worstJoinDecibels = decibelsRounded(report.worstJoinDecibels) }
        copied.largestShiftSeconds = report.largestShift.seconds
        return copied
    }

    private func decibelsRounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
