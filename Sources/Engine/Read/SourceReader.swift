internal import Media
internal import Model

/// One source being read for its frames: a single demuxer feeding one video and one audio decoder.
///
/// Times are in ticks of each stream's time base, counted from the container's start. Frames come in presentation
/// order. Compressed packets that one stream needs later wait in a queue; nothing is decoded twice while reading
/// forward.
final class SourceReader {
    /// Packets of one stream that wait while the other is read.
    private struct Queue {
        var packets: [PacketBox] = []
        var taken = 0
        var bytes = 0

        var isEmpty: Bool { taken == packets.count }

        mutating func append(_ box: PacketBox) {
            packets.append(box)
            bytes += box.packet.sizeBytes
        }

        mutating func next() -> PacketBox? {
            guard !isEmpty else { return nil }
            let box = packets[taken]
            taken += 1
            bytes -= box.packet.sizeBytes
            if taken == packets.count || taken >= 256 {
                packets.removeFirst(taken)
                taken = 0
            }
            return box
        }

        mutating func removeAll() { self = Queue() }
    }

    private final class PacketBox {
        let packet: Packet
        init(_ packet: consuming Packet) { self.packet = packet }
    }

    struct Settings {
        var videoStream: Int?
        var audioStream: Int?
        var decoderThreads = 1
        var limits = DemuxerLimits()
        /// Goes on behind damage and missing ends instead of failing.
        var salvage = false
        var keyframesOnly = false
    }

    /// A stream badly interleaved by more than this is taken to have ended.
    private static let queueLimitBytes = 96 << 20

    private let makeSource: () throws -> any ByteSource
    let settings: Settings
    private let cancellation: Cancellation

    private var demuxer: Demuxer
    private var videoDecoder: Decoder?
    private var audioDecoder: Decoder?
    private var videoQueue = Queue()
    private var audioQueue = Queue()
    private var reachedEnd = false
    private var videoFinished = false
    private var audioFinished = false
    private(set) var pendingVideo: VideoFrame?

    let videoTimeBase: Rational
    let audioTimeBase: Rational
    private var videoOffset: Int64
    private var audioOffset: Int64
    let canSeek: Bool

    /// Damaged packets and frames passed over in salvage.
    private(set) var damageCount = 0
    private var sawCleanFrame = false
    /// The first video packet after opening or seeking, in the video stream's ticks.
    private var firstVideoPacketTime: Int64?
    /// The furthest video packet demuxed, likewise.
    private var demuxedVideoTime: Int64 = .min

    init(_ makeSource: @escaping () throws -> any ByteSource, settings: Settings, cancellation: Cancellation) throws {
        (self.makeSource, self.settings, self.cancellation) = (makeSource, settings, cancellation)
        demuxer = try Demuxer(try makeSource(), limits: settings.limits, cancellation: cancellation)
        videoTimeBase = settings.videoStream.map { demuxer.timeBase(ofStream: $0) } ?? .one
        audioTimeBase = settings.audioStream.map { demuxer.timeBase(ofStream: $0) } ?? .one
        videoOffset = settings.videoStream.map { demuxer.timeOffset(ofStream: $0) } ?? 0
        audioOffset = settings.audioStream.map { demuxer.timeOffset(ofStream: $0) } ?? 0
        // Elsewhere positions are guesses or timestamps after a seek differ from those of reading through.
        canSeek = ["mov", "matroska", "mpegts"].contains { demuxer.formatName.hasPrefix($0) }
        try openDecoders()
    }

    private func openDecoders() throws {
        demuxer.select(streams: Set([settings.videoStream, settings.audioStream].compactMap(\.self)))
        videoDecoder = nil
        audioDecoder = nil
        if let stream = settings.videoStream {
            videoDecoder = try Decoder(
                demuxer, stream: stream, threads: settings.decoderThreads, keyframesOnly: settings.keyframesOnly,
                limits: settings.limits)
        }
        if let stream = settings.audioStream {
            audioDecoder = try Decoder(demuxer, stream: stream, threads: 1, limits: settings.limits)
        }
    }

    // MARK: Video

    /// The next picture, left in place for `takeVideo`; `nil` at the end.
    func peekVideo() throws -> VideoFrame? {
        if pendingVideo == nil { pendingVideo = try decodeVideo() }
        return pendingVideo
    }

    func takeVideo() { pendingVideo = nil }

    private func decodeVideo() throws -> VideoFrame? {
        guard settings.videoStream != nil, !videoFinished else { return nil }
        var frame = try Frame()
        while true {
            try cancellation.check()
            switch try receive(&frame, video: true) {
            case .produced:
                let stamp = frame.bestEffortTime ?? frame.time
                // A frame without any time cannot be placed; the container is at fault.
                guard let stamp else {
                    try note(damage: "a video frame has no timestamp")
                    continue
                }
                if frame.isDamaged, sawCleanFrame { try note(damage: "a video frame is damaged") }
                if !frame.isDamaged { sawCleanFrame = true }
                return VideoFrame(frame, time: stamp + videoOffset)
            case .endOfStream:
                videoFinished = true
                return nil
            case .needsInput:
                try feed(video: true)
            }
        }
    }

    // MARK: Audio

    /// The next run of samples; `nil` at the end.
    func nextAudio() throws -> AudioFrame? {
        guard settings.audioStream != nil, !audioFinished else { return nil }
        var frame = try Frame()
        while true {
            try cancellation.check()
            switch try receive(&frame, video: false) {
            case .produced:
                guard let stamp = frame.bestEffortTime ?? frame.time, frame.sampleCount > 0 else { continue }
                return AudioFrame(frame, time: stamp + audioOffset)
            case .endOfStream:
                audioFinished = true
                return nil
            case .needsInput:
                try feed(video: false)
            }
        }
    }

    // MARK: Feeding

    private func receive(_ frame: inout Frame, video: Bool) throws -> PullResult {
        while true {
            do {
                return video
                    ? try videoDecoder?.receive(into: &frame) ?? .endOfStream
                    : try audioDecoder?.receive(into: &frame) ?? .endOfStream
            } catch where error.code == .damagedMedia {
                try note(damage: error.message, detail: error.detail)
            }
        }
    }

    /// Gives one decoder its next packet, reading on as far as needed.
    private func feed(video: Bool) throws {
        while true {
            if let box = video ? videoQueue.next() : audioQueue.next() {
                let accepted = video
                    ? try videoDecoder?.send(box.packet) ?? true : try audioDecoder?.send(box.packet) ?? true
                if !accepted { try note(damage: "a packet cannot be decoded", detail: LogCapture.lastLine()) }
                return
            }
            // What the other stream left waiting is bounded: past that, this one has no more.
            let waiting = video ? audioQueue.bytes : videoQueue.bytes
            if reachedEnd || waiting > Self.queueLimitBytes {
                if video { try videoDecoder?.finish() } else { try audioDecoder?.finish() }
                return
            }
            try demuxOne()
        }
    }

    private func demuxOne() throws {
        var packet = try Packet()
        do {
            guard try demuxer.read(into: &packet) else {
                reachedEnd = true
                return
            }
        } catch let error as MediaError where error.code == .damagedMedia || error.code == .truncated {
            guard settings.salvage else {
                throw EngineError(.truncated, "the source ends in the middle of its media", detail: error.detail)
            }
            damageCount += 1
            reachedEnd = true
            return
        }
        if packet.isCorrupt {
            guard settings.salvage else {
                throw EngineError(.truncated, "the source ends in the middle of its media", detail: LogCapture.lastLine())
            }
            damageCount += 1
            return
        }
        if packet.streamIndex == settings.videoStream {
            if let time = packet.presentationTime ?? packet.decodeTime {
                if firstVideoPacketTime == nil { firstVideoPacketTime = time + videoOffset }
                demuxedVideoTime = max(demuxedVideoTime, time + videoOffset)
            }
            videoQueue.append(PacketBox(packet))
        } else if packet.streamIndex == settings.audioStream {
            audioQueue.append(PacketBox(packet))
        }
    }

    private func note(damage message: String, detail: String? = nil) throws {
        damageCount += 1
        // What precedes the first clean frame is the usual start of a capture, not damage.
        guard sawCleanFrame || settings.videoStream == nil, !settings.salvage else { return }
        throw EngineError(.damagedMedia, message, detail: detail ?? LogCapture.lastLine())
    }

    // MARK: Position

    /// Makes the next video frame the last one at or before `time` seconds, or an earlier one; never a later one.
    ///
    /// Reading on is preferred; a seek is made when it skips whole groups of pictures, and its landing is checked:
    /// the frame that came first must not be later than asked for, else the seek goes back further, in the end to the
    /// beginning. Frames before the first keyframe's own time are not trusted (open GOPs).
    ///
    /// - Parameter audioTime: where sound must still be complete, in seconds; a little earlier than `time`.
    /// - Returns: whether the position jumped, so that earlier sound must be forgotten.
    func position(atOrBefore time: Rational, hasAudioFrom audioTime: Rational?) throws -> Bool {
        guard settings.videoStream != nil else { return try positionAudio(audioTime) }
        let target = time.ticksRoundedUp(in: videoTimeBase)
        if isAhead(of: target, audioTime) {
            guard skipsGroups(to: target) else { return false }
        } else if !canSeek {
            try rewind()
            return true
        }
        let preroll = settings.audioStream == nil ? Rational.zero : Rational(1, 4)
        var earlier = preroll
        for _ in 0..<5 {
            let wanted = (time - earlier).ticks(in: videoTimeBase) - videoOffset
            guard let stream = settings.videoStream, wanted > -videoOffset, demuxer.seek(stream: stream, before: wanted)
            else { break }
            try resetDecoders()
            if let frame = try peekVideo(), let landing = firstVideoPacketTime, landing <= target, frame.time <= target {
                return true
            }
            earlier = earlier * Rational(3) + Rational(2)
        }
        try rewind()
        return true
    }

    /// Reading on from here still reaches the target's frame and its sound.
    private func isAhead(of target: Int64, _ audioTime: Rational?) -> Bool {
        if let pendingVideo { return pendingVideo.time <= target }
        return demuxedVideoTime == .min && !videoFinished
    }

    /// A keyframe lies between what was read and the target, far enough on to be worth a seek.
    private func skipsGroups(to target: Int64) -> Bool {
        guard canSeek, let stream = settings.videoStream else { return false }
        let reached = max(demuxedVideoTime, pendingVideo?.time ?? .min)
        let base = reached == .min ? 0 : reached
        let margin = Rational(1).ticks(in: videoTimeBase)
        guard target - base > margin else { return false }
        guard let keyframe = demuxer.keyframe(ofStream: stream, before: target - videoOffset) else {
            // Without an index, only long gaps are worth a try.
            return target - base > 10 * margin
        }
        return keyframe + videoOffset > base + margin
    }

    private func positionAudio(_ time: Rational?) throws -> Bool {
        // Sound alone is cheap to read through, and exact only so: codecs carry state from packet to packet.
        guard let time, let last = lastAudioTime, time < last else { return false }
        try rewind()
        return true
    }

    /// Set by the owner: the earliest source time whose samples were already given up.
    var lastAudioTime: Rational?

    private func resetDecoders() throws {
        videoDecoder?.reset()
        audioDecoder?.reset()
        forget()
    }

    private func forget() {
        videoQueue.removeAll()
        audioQueue.removeAll()
        pendingVideo = nil
        firstVideoPacketTime = nil
        demuxedVideoTime = .min
        (reachedEnd, videoFinished, audioFinished) = (false, false, false)
        lastAudioTime = nil
        sawCleanFrame = false
    }

    private func rewind() throws {
        demuxer = try Demuxer(try makeSource(), limits: settings.limits, cancellation: cancellation)
        try openDecoders()
        forget()
    }
}

/// A picture with its time; a class so that it can wait in a property.
final class VideoFrame {
    var frame: Frame
    let time: Int64

    init(_ frame: consuming Frame, time: Int64) {
        self.frame = frame
        self.time = time
    }
}

final class AudioFrame {
    let frame: Frame
    /// In the audio stream's ticks, from the container's start.
    let time: Int64

    init(_ frame: consuming Frame, time: Int64) {
        self.frame = frame
        self.time = time
    }
}
