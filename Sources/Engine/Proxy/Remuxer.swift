internal import Media
internal import Model
internal import Planning

/// Copies packets of chosen streams, the video first, into an MP4 with its index first, times counted from the
/// container's start.
enum Remuxer {
    struct Copy {
        var file: MuxedFile
        /// By source stream.
        var packets: [Int: Int] = [:]
    }

    enum Outcome {
        case copied(Copy)
        /// The packets are not what the container said of them; the reason as a sentence.
        case unsuited(String)
    }

    static func remux(
        _ source: any ByteSource, probe: ProbeReport, video: VideoStream, audio: AudioStream?, to name: String,
        in outputs: any OutputProvider, limits: DemuxerLimits, cancellation: Cancellation
    ) throws -> Outcome {
        let streams = [video.index] + (audio.map { [$0.index] } ?? [])
        var demuxer = try Demuxer(source, limits: limits, cancellation: cancellation)
        demuxer.select(streams: Set(streams))
        let estimate = indexEstimate(demuxer, probe, video, audio)
        let output = try MuxedFile(
            name, in: outputs, format: "mp4", reservation: estimate.reservation, cancellation: cancellation)
        var targets: [Int: (stream: Int, timeBase: Rational, offset: Int64)] = [:]
        for index in streams {
            targets[index] = (
                try output.muxer.addStream(copying: index, of: demuxer), demuxer.timeBase(ofStream: index),
                demuxer.timeOffset(ofStream: index)
            )
        }
        try output.beginIndexFirst(timeBases: targets.values.map(\.timeBase))
        var copy = Copy(file: output)
        var keyframes = try streams.first.map { try KeyframeWatch(demuxer, stream: $0) }
        var packet = try Packet()
        while try demuxer.read(into: &packet) {
            try cancellation.check()
            guard let target = targets[packet.streamIndex] else { continue }
            // Hidden sound before the start is a codec's run-in and stays hidden; all else would come to light.
            let isPicture = packet.streamIndex == streams.first
            if packet.isDiscarded, isPicture || (packet.presentationTime ?? 0) + target.offset >= 0 {
                return .unsuited("its edit list hides part of it")
            }
            if isPicture, keyframes?.accepts(packet) == false {
                return .unsuited("its keyframes are not where they are said to be")
            }
            copy.packets[packet.streamIndex, default: 0] += 1
            packet.shift(by: target.offset)
            try output.muxer.write(&packet, stream: target.stream, timeBase: target.timeBase)
        }
        try output.muxer.finish()
        return .copied(copy)
    }

    /// Counted from the source's own index where it lists every packet; from durations and rates, and a quarter more,
    /// where it does not.
    private static func indexEstimate(
        _ demuxer: borrowing Demuxer, _ probe: ProbeReport, _ video: VideoStream, _ audio: AudioStream?
    ) -> MovieIndexEstimate {
        let seconds = probe.container.durationSeconds ?? 0
        func listed(_ stream: Int) -> StreamIndex? {
            probe.container.fragmented ? nil : demuxer.index(ofStream: stream)
        }
        let margin = 1.25
        let pictures = listed(video.index)
        let frames = pictures.map { Double($0.entryCount) } ?? margin * seconds * video.nominalFrameRate.seconds
        var estimate = MovieIndexEstimate(seconds: seconds)
        estimate.add(
            .init(
                count: frames, keyframes: pictures.map { Double($0.keyframeCount) } ?? frames, reordered: true,
                timeRuns: pictures.map { Double($0.stepRuns) } ?? (video.isEvenlySpaced ? 1 : frames)))
        if let audio {
            let packets = listed(audio.index).map { Double($0.entryCount) }
            estimate.addSound(packets: packets ?? margin * seconds * Double(audio.sampleRate) / aacFrameSamples)
        }
        return estimate
    }

    /// Source: ISO/IEC 14496-3 §4.5.1.1.
    private static let aacFrameSamples = 1024.0
}

/// Follows a stream's packets, and tells when one that is called a keyframe is none, or one is too far from the last.
private struct KeyframeWatch: ~Copyable {
    private var parser: KeyframeParser?
    private var last: Int64?
    private let limit: Int64

    init(_ demuxer: borrowing Demuxer, stream: Int) throws {
        parser = try KeyframeParser(demuxer, stream: stream)
        // A thousandth for clocks that count in them.
        let seconds = Rational(Int64(ProxyRules.keyframeIntervalSeconds)) + Rational(1, 1000)
        limit = seconds.ticks(in: demuxer.timeBase(ofStream: stream))
    }

    mutating func accepts(_ packet: borrowing Packet) -> Bool {
        let time = packet.presentationTime ?? packet.decodeTime ?? 0
        if packet.isKey {
            guard parser?.isKeyframe(packet) != false else { return false }
            last = time
        }
        return last.map { time - $0 <= limit } ?? false
    }
}
