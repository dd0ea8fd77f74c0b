internal import Media
internal import Model
internal import Planning

/// A source's packet, held because it is still to be copied or decoded.
final class WindowPacket {
    let packet: Packet
    let picture: CodedPicture

    init(_ packet: consuming Packet, _ picture: CodedPicture) {
        self.packet = packet
        self.picture = picture
    }
}

/// A source's packet of sound.
final class HeldSound {
    let packet: Packet
    /// In ticks of its stream, from the container's start.
    let time: Int64

    init(_ packet: consuming Packet, time: Int64) {
        self.packet = packet
        self.time = time
    }
}

/// One source being read for its packets: those of the picture from the last needed keyframe on, in decode order, and
/// the sound beside them.
///
/// Pictures and packets of sound are numbered in the order they are read; the numbers begin anew where the source is
/// read from another place (`position`), and what was told to be forgotten must not be asked for.
final class PacketWindow: CodedPictures {
    /// What may be held of a source; a keyframe every ten minutes at 2 Mb/s comes to this.
    private static let limitBytes = 160 << 20
    /// Sound is read from so much before a segment: decoders have to swing in.
    static let soundLead = Rational(1, 4)

    private let makeSource: () throws -> any ByteSource
    private let limits: DemuxerLimits
    private let cancellation: Cancellation
    let codec: any PictureCodec
    let stream: Int
    let soundStream: Int?

    private(set) var demuxer: Demuxer
    let timeBase: Rational
    private let offset: Int64
    private let soundOffset: Int64

    private var pictures: [WindowPacket] = []
    private var firstPicture = 0
    private var sounds: [HeldSound] = []
    private var firstSound = 0
    private var heldBytes = 0
    private var reachedEnd = false
    /// All cutting relies on no picture being shown before ones that are further ahead than the reordering depth.
    private var order: ReorderWindow

    init(
        _ makeSource: @escaping () throws -> any ByteSource, codec: (borrowing Demuxer) throws -> any PictureCodec,
        stream: Int, soundStream: Int?, limits: DemuxerLimits, cancellation: Cancellation
    ) throws {
        (self.makeSource, self.limits, self.cancellation) = (makeSource, limits, cancellation)
        demuxer = try Demuxer(try makeSource(), limits: limits, cancellation: cancellation)
        demuxer.select(streams: Set([stream, soundStream].compactMap(\.self)))
        let codec = try codec(demuxer)
        self.codec = codec
        order = ReorderWindow(depth: codec.depth)
        (self.stream, self.soundStream) = (stream, soundStream)
        timeBase = demuxer.timeBase(ofStream: stream)
        offset = demuxer.timeOffset(ofStream: stream)
        if let soundStream {
            soundOffset = demuxer.timeOffset(ofStream: soundStream)
        } else {
            soundOffset = 0
        }
    }

    /// A picture's own timestamp, counted from the container's start.
    func sinceStart(_ time: Int64) -> Int64 { time + offset }

    func soundSinceStart(_ time: Int64) -> Int64 { time + soundOffset }

    var soundTimeBase: Rational { soundStream.map { demuxer.timeBase(ofStream: $0) } ?? .one }

    /// Whether the container says how long its last packet is: of a transport stream that breaks off, a part of a picture
    /// is all there is, and looks whole.
    var tellsItsEnd: Bool { !demuxer.formatName.hasPrefix("mpegts") }

    // MARK: Pictures

    func picture(at index: Int) throws -> CodedPicture? { try packet(at: index)?.picture }

    /// - Returns: `nil` behind the last one.
    func packet(at index: Int) throws -> WindowPacket? {
        precondition(index >= firstPicture, "a packet that was forgotten")
        while index >= firstPicture + pictures.count {
            guard try read() else { return nil }
        }
        return pictures[index - firstPicture]
    }

    /// How long a picture is shown, as its packet says; 0 where it does not.
    func duration(at time: Int64, in range: Range<Int>) throws -> Int64 {
        for index in range {
            if let held = try packet(at: index), held.picture.time == time { return held.packet.duration }
        }
        return 0
    }

    /// Lets go of all pictures before `index`.
    func forget(before index: Int) {
        let count = min(index - firstPicture, pictures.count)
        guard count > 0 else { return }
        for packet in pictures[..<count] { heldBytes -= packet.packet.sizeBytes }
        pictures.removeFirst(count)
        firstPicture += count
    }

    /// The last picture in decode order, at or after `lowest`, before `index`, that decoding can begin with.
    func lastEntry(before index: Int) -> Int? {
        (firstPicture..<min(index, firstPicture + pictures.count)).last {
            pictures[$0 - firstPicture].picture.entry != .none
        }
    }

    // MARK: Sound

    /// - Returns: `nil` behind the last one.
    func sound(at index: Int) throws -> HeldSound? {
        precondition(index >= firstSound, "a packet that was forgotten")
        while index >= firstSound + sounds.count {
            guard try read() else { return nil }
        }
        return sounds[index - firstSound]
    }

    /// The first packet of sound that is at hand.
    var earliestSound: Int { firstSound }

    func forgetSound(before index: Int) {
        let count = min(index - firstSound, sounds.count)
        guard count > 0 else { return }
        for sound in sounds[..<count] { heldBytes -= sound.packet.sizeBytes }
        sounds.removeFirst(count)
        firstSound += count
    }

    // MARK: Reading

    /// - Returns: `false` at the end.
    private func read() throws -> Bool {
        guard !reachedEnd else { return false }
        try cancellation.check()
        var packet = try Packet()
        guard try demuxer.read(into: &packet) else {
            reachedEnd = true
            return false
        }
        guard !packet.isCorrupt else { throw SmartObstacle.bitstream("a packet of the source is damaged") }
        heldBytes += packet.sizeBytes
        guard heldBytes <= Self.limitBytes else { throw SmartObstacle.holdsTooMuch }
        if packet.streamIndex == stream {
            guard let time = packet.presentationTime else { throw SmartObstacle.missingTimes }
            let entry = packet.isKey ? try codec.entry(packet) : .none
            let picture = CodedPicture(time: time + offset, entry: entry, isShown: !packet.isDiscarded)
            _ = try order.add(picture.time)
            pictures.append(WindowPacket(packet, picture))
        } else if packet.streamIndex == soundStream, let time = packet.presentationTime ?? packet.decodeTime {
            sounds.append(HeldSound(packet, time: time + soundOffset))
        } else {
            heldBytes -= packet.sizeBytes
        }
        return true
    }

    // MARK: Position

    /// Goes to the last picture shown at or before `start` that decoding can begin with, by reading on or by seeking.
    ///
    /// - Parameter start: in the picture's ticks.
    /// - Returns: its number.
    func position(at start: Int64) throws -> Int {
        if let entry = try readOn(to: start) { return entry }
        let lead = Self.soundLead.ticks(in: timeBase)
        var wanted = start - (soundStream == nil ? 0 : lead)
        let second = Rational(1).ticks(in: timeBase)
        for attempt in 0..<4 {
            guard wanted - offset > 0, demuxer.seek(stream: stream, before: wanted - offset) else { break }
            reset()
            if let entry = try entry(atOrBefore: start) { return entry }
            wanted -= second << (2 * attempt)
        }
        demuxer = try Demuxer(try makeSource(), limits: limits, cancellation: cancellation)
        demuxer.select(streams: Set([stream, soundStream].compactMap(\.self)))
        reset()
        guard let entry = try entry(atOrBefore: start) ?? firstEntry() else { throw SmartObstacle.noEntry }
        return entry
    }

    /// The source's first picture, where sound begins before it, and the segment, too.
    private func firstEntry() throws -> Int? {
        guard let first = try packet(at: firstPicture), first.picture.entry != .none else { return nil }
        return firstPicture
    }

    private func reset() {
        (pictures, sounds, heldBytes, reachedEnd) = ([], [], 0, false)
        (firstPicture, firstSound, order) = (0, 0, ReorderWindow(depth: codec.depth))
        isUnread = false
    }

    /// Nothing was read yet.
    private var isUnread = true

    /// Whether nothing was let go of that a segment beginning at `start` is to sound of.
    private func holdsSound(for start: Int64) -> Bool {
        guard soundStream != nil, firstSound > 0 else { return true }
        return sounds.first.map { $0.time <= soundLimit(before: start) } ?? false
    }

    /// From where the window is, unless a keyframe that a seek can reach lies well ahead, or sound is missing that the
    /// segment before had no more use for.
    private func readOn(to start: Int64) throws -> Int? {
        guard holdsSound(for: start) else { return nil }
        guard let first = pictures.first, first.picture.entry != .none, first.picture.time <= start else {
            return pictures.isEmpty && isUnread && firstPicture == 0 && !skipsFarAhead(0, start)
                ? try entry(atOrBefore: start) : nil
        }
        let reached = pictures.last?.picture.time ?? first.picture.time
        guard !skipsFarAhead(reached, start) else { return nil }
        return try entry(atOrBefore: start)
    }

    private func skipsFarAhead(_ reached: Int64, _ start: Int64) -> Bool {
        let second = Rational(1).ticks(in: timeBase)
        guard start - reached > 2 * second else { return false }
        guard let keyframe = demuxer.keyframe(ofStream: stream, before: start - offset) else {
            return start - reached > 10 * second
        }
        return keyframe + offset > reached + 2 * second
    }

    /// The last entry shown at or before `start`, letting go of what is before it.
    private func entry(atOrBefore start: Int64) throws -> Int? {
        var found: Int?
        var later = 0
        var index = firstPicture
        while later <= codec.depth.pictures, let packet = try packet(at: index) {
            let picture = packet.picture
            if picture.time > start {
                if picture.entry == .closed { break }
                later += 1
            } else if picture.entry != .none {
                found = index
                forget(before: index)
                forgetSound(before: soundIndex(before: start))
            }
            index += 1
        }
        return found
    }

    /// The first packet of sound that a segment beginning at `start` may need.
    private func soundIndex(before start: Int64) -> Int {
        guard soundStream != nil else { return 0 }
        let limit = soundLimit(before: start)
        let behind = sounds.firstIndex { $0.time > limit } ?? sounds.count
        return firstSound + max(0, behind - 1)
    }

    /// When sound begins that a segment beginning at `start` may need, in its stream's ticks.
    private func soundLimit(before start: Int64) -> Int64 {
        (Rational(start) * timeBase - Self.soundLead).ticks(in: soundTimeBase)
    }
}
