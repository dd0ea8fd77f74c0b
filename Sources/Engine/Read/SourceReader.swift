internal import Media
internal import Model

/// One source being read for its frames: a single demuxer feeding one video and one audio decoder.
///
/// Times are in ticks of each stream's time base, counted from the container's start. Frames come in presentation
/// order. Compressed packets that one stream needs later wait; nothing is decoded twice while reading forward.
final class SourceReader {
    struct Settings {
        var videoStream: Int?
        var audioStream: Int?
        var decoderThreads = 1
        var limits = DemuxerLimits()
        /// Goes on behind damage and missing ends instead of failing.
        var salvage = false
        /// How long the source is known to last, in seconds; tells broken timestamps from long pauses.
        var duration: Rational?
        /// Off where sound alone is wanted: pictures then only tell where to begin.
        var givesPictures = true
    }

    /// A stream interleaved worse than this is taken to have ended.
    private static let waitingLimitBytes = 96 << 20

    private let makeSource: () throws -> any ByteSource
    private let settings: Settings
    private let cancellation: Cancellation

    private var demuxer: Demuxer
    private(set) var video: StreamLane?
    private(set) var audio: StreamLane?
    private var reachedEnd = false
    private var sawCleanFrame = false
    private var sawDamagedFrame = false
    /// No seek has skipped anything.
    private var readsThrough = true
    private var pendingVideo: VideoFrame?
    /// Whether positions are found without reading up to them.
    let canSeek: Bool
    /// Pictures are not kept, from a position on.
    private var passesOverPictures = false
    /// How far sound was given out, in seconds; only read when there is no video to tell the position.
    private var audioReached = Rational.zero

    /// Damaged packets and frames passed over in salvage.
    private(set) var damageCount = 0

    init(_ makeSource: @escaping () throws -> any ByteSource, settings: Settings, cancellation: Cancellation) throws {
        (self.makeSource, self.settings, self.cancellation) = (makeSource, settings, cancellation)
        demuxer = try Demuxer(try makeSource(), limits: settings.limits, cancellation: cancellation)
        // Elsewhere positions are guesses, or timestamps after a seek differ from those of reading through.
        let format = demuxer.formatName
        canSeek = ["mov", "matroska", "mpegts"].contains { format.hasPrefix($0) }
        try openLanes()
    }

    private func openLanes() throws {
        demuxer.select(streams: Set([settings.videoStream, settings.audioStream].compactMap(\.self)))
        (video, audio) = (nil, nil)
        if let stream = settings.videoStream {
            let decoder = try Decoder(
                demuxer, stream: stream, threads: settings.decoderThreads, limits: settings.limits)
            var landing = StreamLane.Landing.usual
            if case .video(let described) = demuxer.describe(stream: stream) {
                landing = described.codec == "hevc" ? .needsKeyframe : described.codec == "h264" ? .keepsBack : .usual
            }
            video = StreamLane(
                decoder, stream: stream, timeBase: demuxer.timeBase(ofStream: stream),
                offset: demuxer.timeOffset(ofStream: stream), landing: landing)
        }
        if let stream = settings.audioStream {
            let decoder = try Decoder(demuxer, stream: stream, threads: 1, limits: settings.limits)
            audio = StreamLane(
                decoder, stream: stream, timeBase: demuxer.timeBase(ofStream: stream),
                offset: demuxer.timeOffset(ofStream: stream))
        }
    }

    // MARK: Frames

    /// The next picture, left in place for `takeVideo`; `nil` at the end.
    func peekVideo() throws -> VideoFrame? {
        if pendingVideo == nil, let video { pendingVideo = try decodeVideo(video) }
        return pendingVideo
    }

    func takeVideo() { pendingVideo = nil }

    private func decodeVideo(_ lane: StreamLane) throws -> VideoFrame? {
        while true {
            var frame = try Frame()
            guard try pull(lane, into: &frame) else {
                try checkForCleanFrame()
                return nil
            }
            if frame.time == nil || frame.bestEffortTime ?? frame.time != frame.time { lane.guessesTimes = true }
            guard let time = (frame.bestEffortTime ?? frame.time).map(lane.sinceStart) else {
                try note(damage: "a video frame has no timestamp")
                continue
            }
            guard lane.accepts(time, duration: settings.duration) else {
                try note(damage: "a video frame's time is far outside the source")
                continue
            }
            if lane.showsAll, frame.isDamaged, !sawCleanFrame { continue }
            if !frame.isDamaged {
                sawCleanFrame = true
            } else if sawCleanFrame {
                try note(damage: "a video frame is damaged")
            } else {
                sawDamagedFrame = true
            }
            return VideoFrame(frame, time: time)
        }
    }

    /// The next run of samples; `nil` at the end.
    func nextAudio() throws -> AudioFrame? {
        guard let audio else { return nil }
        while true {
            var frame = try Frame()
            guard try pull(audio, into: &frame) else { return nil }
            guard let time = (frame.bestEffortTime ?? frame.time).map(audio.sinceStart), frame.sampleCount > 0 else {
                continue
            }
            guard audio.accepts(time, duration: settings.duration) else {
                try note(damage: "a run of samples has a time far outside the source")
                continue
            }
            let result = AudioFrame(frame, time: time)
            audioReached = Rational(result.time) * audio.timeBase
            return result
        }
    }

    /// - Returns: `false` at the stream's end.
    private func pull(_ lane: StreamLane, into frame: inout Frame) throws -> Bool {
        while true {
            try cancellation.check()
            switch try receive(lane, into: &frame) {
            case .produced: return true
            case .endOfStream: return false
            case .needsInput: try feed(lane)
            }
        }
    }

    /// Passes over frames that cannot be decoded, as far as that is allowed.
    private func receive(_ lane: StreamLane, into frame: inout Frame) throws -> PullResult {
        while true {
            do {
                return try lane.receive(into: &frame)
            } catch let error as MediaError where error.code == .damagedMedia {
                try note(damage: error.message, detail: error.detail)
            }
        }
    }

    /// Gives a decoder its next packet, reading on as far as needed.
    private func feed(_ lane: StreamLane) throws {
        while true {
            if let usable = try lane.decodeNext() {
                if !usable { try note(damage: "a packet cannot be decoded") }
                return
            }
            let other = lane === video ? audio : video
            // What the other stream leaves waiting is bounded: past that, this one has no more.
            if reachedEnd || (other?.waitingBytes ?? 0) > Self.waitingLimitBytes {
                try lane.finishDecoding()
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
            try noteTruncation(detail: error.detail)
            reachedEnd = true
            return
        }
        if packet.isCorrupt {
            try noteTruncation(detail: LogCapture.lastLine())
            return
        }
        let index = packet.streamIndex
        if let video, video.stream == index {
            if !passesOverPictures { video.append(packet) }
        } else if let audio, audio.stream == index {
            audio.append(packet)
        }
    }

    private func noteTruncation(detail: String?) throws {
        guard settings.salvage else {
            throw EngineError(.truncated, "the source breaks off in the middle of its media", detail: detail)
        }
        damageCount += 1
    }

    private func note(damage message: String, detail: String? = nil) throws {
        damageCount += 1
        // What precedes the first clean picture is the usual start of a capture, not damage.
        guard sawCleanFrame || video == nil, !settings.salvage else { return }
        throw EngineError(.damagedMedia, message, detail: detail ?? LogCapture.lastLine())
    }

    /// Damage that no clean picture ever followed was not the usual start of a capture.
    private func checkForCleanFrame() throws {
        guard readsThrough, !sawCleanFrame, sawDamagedFrame || damageCount > 0, !settings.salvage else { return }
        throw EngineError(.damagedMedia, "no picture of the source is intact", detail: LogCapture.lastLine())
    }

    // MARK: Position

    /// Makes the next picture the last one at or before `time` seconds, or an earlier one; never a later one.
    ///
    /// Reading on is preferred; a seek is made when it skips whole groups of pictures, and its landing is checked:
    /// neither the first packet nor the first picture may be later than asked for, else the seek goes back further, in
    /// the end to the beginning. Pictures before the first packet's own time are not trusted (open GOPs).
    ///
    /// - Returns: whether the position jumped, so that sound decoded before must be forgotten.
    func position(atOrBefore time: Rational) throws -> Bool {
        video?.firstSeen = nil
        let hasJumped = try findPosition(atOrBefore: time)
        if !settings.givesPictures, let video {
            // They would wait for nobody.
            passesOverPictures = true
            pendingVideo = nil
            video.reset(isAnywhere: hasJumped)
        }
        return hasJumped
    }

    /// The caller looks at no picture before `time` seconds, until the next position: not all of them are given out then.
    func passOver(before time: Rational) {
        // Salvage counts damage wherever it is. Elsewhere than where positions are found, times are guesses.
        guard canSeek, !settings.salvage, let video else { return }
        video.firstSeen = time.ticksRoundedUp(in: video.timeBase)
    }

    private func findPosition(atOrBefore time: Rational) throws -> Bool {
        guard let video else {
            // Sound alone is cheap to read through, and exact only so: its codecs carry state between packets.
            guard time < audioReached else { return false }
            try rewind()
            return true
        }
        let target = time.ticksRoundedUp(in: video.timeBase)
        if isBefore(target, video) {
            guard skipsGroups(to: target, video) else { return false }
        }
        var earlier = settings.audioStream == nil ? Rational.zero : Rational(1, 4)
        for _ in 0..<5 where canSeek {
            let wanted = (time - earlier).ticks(in: video.timeBase)
            guard wanted > 0, demuxer.seek(stream: video.stream, before: wanted - video.offset) else { break }
            forget(isAnywhere: true)
            if let frame = try peekVideo(), let landing = video.firstTime, landing <= target, frame.time <= target {
                return true
            }
            earlier = earlier * Rational(3) + Rational(2)
        }
        try rewind()
        return true
    }

    /// Reading on from here still reaches the target's picture.
    private func isBefore(_ target: Int64, _ video: StreamLane) -> Bool {
        if passesOverPictures { return false }
        if let pendingVideo { return pendingVideo.time <= target }
        return video.furthestTime == nil && !video.isFinished
    }

    /// A keyframe lies between what was read and the target, far enough on to be worth a seek.
    private func skipsGroups(to target: Int64, _ video: StreamLane) -> Bool {
        guard canSeek else { return false }
        let reached = max(video.furthestTime ?? 0, pendingVideo?.time ?? 0)
        let second = Rational(1).ticks(in: video.timeBase)
        guard target - reached > second else { return false }
        guard let keyframe = demuxer.keyframe(ofStream: video.stream, before: target - video.offset) else {
            // Without an index, only long gaps are worth a try.
            return target - reached > 10 * second
        }
        return keyframe + video.offset > reached + second
    }

    private func forget(isAnywhere: Bool) {
        video?.reset(isAnywhere: isAnywhere)
        audio?.reset(isAnywhere: isAnywhere)
        pendingVideo = nil
        (reachedEnd, sawCleanFrame, audioReached) = (false, false, .zero)
        (sawDamagedFrame, readsThrough, passesOverPictures) = (false, false, false)
    }

    private func rewind() throws {
        demuxer = try Demuxer(try makeSource(), limits: settings.limits, cancellation: cancellation)
        try openLanes()
        forget(isAnywhere: false)
        readsThrough = true
    }
}
