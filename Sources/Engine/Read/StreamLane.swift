internal import Media
internal import Model

/// One stream of a source on its way from packets to frames: packets that wait, and the decoder they wait for.
final class StreamLane {
    final class WaitingPacket {
        let packet: Packet
        init(_ packet: consuming Packet) { self.packet = packet }
    }

    let stream: Int
    let timeBase: Rational
    /// Added to the stream's own timestamps, counts them from the container's start.
    let offset: Int64
    private var decoder: Decoder
    private var packets: [WaitingPacket] = []
    private var taken = 0
    private(set) var waitingBytes = 0
    private(set) var isFinished = false
    /// The first and the furthest packet seen since opening or seeking, from the container's start.
    private(set) var firstTime: Int64?
    private(set) var furthestTime: Int64?

    /// What its decoder does after a jump that others do not.
    enum Landing {
        case usual
        /// HEVC's makes pictures out of nothing where it does not begin with a keyframe, and vouches for them.
        case needsKeyframe
        /// H.264's keeps the last pictures of the stream back where it began a few pictures before them with a keyframe
        /// that is no IDR picture. Told to show all, it marks what it cannot vouch for.
        case keepsBack
    }

    /// Nobody looks at pictures before this time, in ticks from the container's start: those that no other refers to are
    /// not decoded. For H.264, which alone marks them for certain: HEVC's may be referred to by other temporal layers.
    var firstSeen: Int64?
    /// Pictures have come with other times than their packets had.
    var guessesTimes = false

    private let landing: Landing
    private var awaitsKeyframe = false
    /// Pictures come out that the decoder does not vouch for, and says so.
    private(set) var showsAll = false

    init(_ decoder: consuming Decoder, stream: Int, timeBase: Rational, offset: Int64, landing: Landing = .usual) {
        self.decoder = decoder
        self.landing = landing
        (self.stream, self.timeBase, self.offset) = (stream, timeBase, offset)
    }

    /// A stream's own timestamp, counted from the container's start; damaged files have times near the limits.
    func sinceStart(_ time: Int64) -> Int64 {
        let (sum, overflow) = time.addingReportingOverflow(offset)
        return overflow ? (time < 0 ? .min : .max) : sum
    }

    /// Whether a decoded frame's time can be meant: a broken one may lie years away, and nobody waits for those.
    ///
    /// Times that go on from one another are believed even past the duration that the container tells, and long pauses
    /// within it are, too.
    func accepts(_ time: Int64, duration: Rational?) -> Bool {
        let known = (duration ?? Self.longestSource) + Self.slack
        let (first, last) = (-Self.longestSource.ticks(in: timeBase), known.ticks(in: timeBase))
        let pause = Self.longestUnknownPause.ticks(in: timeBase)
        guard time >= first, time <= last || time - pause <= lastAccepted ?? 0 else { return false }
        lastAccepted = max(lastAccepted ?? .min, time)
        return true
    }

    private static let longestSource = Rational(86_400)
    private static let longestUnknownPause = Rational(600)
    private static let slack = Rational(60)
    /// The furthest time of a decoded frame since opening or seeking.
    private var lastAccepted: Int64?

    func append(_ packet: consuming Packet) {
        if awaitsKeyframe, !packet.isKey { return }
        awaitsKeyframe = false
        if let time = (packet.presentationTime ?? packet.decodeTime).map(sinceStart) {
            if firstTime == nil { firstTime = time }
            furthestTime = max(furthestTime ?? .min, time)
        }
        waitingBytes += packet.sizeBytes
        packets.append(WaitingPacket(packet))
    }

    /// Gives the decoder the next waiting packet.
    ///
    /// - Returns: `nil` when none waits, else whether the packet could be used.
    func decodeNext() throws(MediaError) -> Bool? {
        guard taken < packets.count else { return nil }
        let waiting = packets[taken]
        taken += 1
        waitingBytes -= waiting.packet.sizeBytes
        if taken == packets.count || taken >= 256 {
            packets.removeFirst(taken)
            taken = 0
        }
        if landing == .keepsBack { decoder.skipUnreferenced(isUnseen(waiting.packet)) }
        return try decoder.send(waiting.packet)
    }

    private func isUnseen(_ packet: borrowing Packet) -> Bool {
        guard let firstSeen, !guessesTimes, let time = packet.presentationTime else { return false }
        return sinceStart(time) < firstSeen
    }

    func finishDecoding() throws(MediaError) { try decoder.finish() }

    func receive(into frame: inout Frame) throws -> PullResult {
        if isFinished { return .endOfStream }
        let result = try decoder.receive(into: &frame)
        if case .endOfStream = result { isFinished = true }
        return result
    }

    /// Forgets everything, for a new position.
    ///
    /// - Parameter isAnywhere: the position may lie within a group of pictures.
    func reset(isAnywhere: Bool) {
        awaitsKeyframe = landing == .needsKeyframe && isAnywhere
        showsAll = landing == .keepsBack && isAnywhere
        decoder.showAll(showsAll)
        decoder.reset()
        packets.removeAll()
        (taken, waitingBytes, isFinished) = (0, 0, false)
        (firstTime, furthestTime, lastAccepted, firstSeen) = (nil, nil, nil, nil)
    }
}

/// A picture with its time; a class so that it can wait in a property.
final class VideoFrame {
    var frame: Frame
    /// In the video stream's ticks, from the container's start.
    let time: Int64

    init(_ frame: consuming Frame, time: Int64) {
        self.frame = frame
        self.time = time
    }
}

/// A run of samples with its time.
final class AudioFrame {
    let frame: Frame
    /// In the audio stream's ticks, from the container's start.
    let time: Int64

    init(_ frame: consuming Frame, time: Int64) {
        self.frame = frame
        self.time = time
    }
}
