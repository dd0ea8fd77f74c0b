package import Media
package import Model

/// Whether what was written is what its report says, from headers and indexes alone.
///
/// Containers are made by libavformat from packets that encoders gave: a lost frame or a wrong length shows here. No
/// media is read: an output may be in a store by now, all but its head and its last MiB.
package enum OutputCheck {
    /// A container counts in ticks of its own and rounds; an index counts the sound's run-in too.
    private static let toleranceSeconds = 0.2

    package static func check(
        _ report: RenderReport, of output: any ByteSource, cancellation: Cancellation
    ) throws {
        // An index that had to go last may be longer than what is kept of the end.
        guard report.indexFirst != false else { return }
        let header = try OutputHeader(output, cancellation: cancellation)
        try require(!header.endsEarly, "its end is missing")
        try require(header.isIndexFirst == report.indexFirst, "its index is elsewhere")
        try require((header.video == nil) == (report.video == nil), "pictures")
        try require((header.audio == nil) == (report.audio == nil), "sound")
        if let told = report.video, let found = header.video {
            try require(found.codec == told.codec, "\(found.codec) instead of \(told.codec)")
            try require(
                found.codedWidth == told.width && found.codedHeight == told.height,
                "\(found.codedWidth)x\(found.codedHeight) instead of \(told.width)x\(told.height)")
            try checkFrames(found.frameCount, told: told.frames)
        }
        if let told = report.audio, let found = header.audio {
            try require(
                found.codec == told.codec && found.channels == told.channels,
                "\(found.codec) with \(found.channels) channels instead of \(told.codec) with \(told.channels)")
        }
        try checkDuration(header, told: report.durationSeconds)
    }

    package static func check(
        _ report: ProxyReport, of proxy: any ByteSource, cancellation: Cancellation
    ) throws {
        guard report.indexFirst != false else { return }
        let header = try OutputHeader(proxy, cancellation: cancellation)
        try require(!header.endsEarly, "its end is missing")
        try require(header.isIndexFirst == report.indexFirst, "its index is elsewhere")
        if let told = report.frames { try checkFrames(header.video?.frameCount, told: told) }
        if report.proxyMethod == .encoded { try checkDuration(header, told: report.durationSeconds) }
    }

    private static func checkFrames(_ found: Int64?, told: Int) throws {
        // Only MP4's index counts frames.
        guard let found, found > 0 else { return }
        try require(found == Int64(told), "\(found) frames instead of \(told)")
    }

    /// Matroska's duration ends with the last frame's beginning, MP4's with its end.
    private static func checkDuration(_ header: OutputHeader, told: Double) throws {
        guard let found = header.durationSeconds else { return }
        let isExact = header.isIndexFirst != nil
        try require(
            found <= told + toleranceSeconds && (!isExact || found >= told - toleranceSeconds),
            "\(found) s instead of \(told) s")
    }

    private static func require(_ holds: Bool, _ what: String) throws {
        guard holds else {
            throw EngineError(.internalFault, "the output is not what it should be", detail: what)
        }
    }
}

/// What a container's header and index say, without a look at the media.
private struct OutputHeader {
    var video: VideoStream?
    var audio: AudioStream?
    /// `nil` for other containers than MP4 and MOV.
    var isIndexFirst: Bool?
    /// Something that the index or the header tells of would lie behind the end.
    var endsEarly = false
    var durationSeconds: Double?

    init(_ output: any ByteSource, cancellation: Cancellation) throws {
        let mp4 = try MP4Structure(output)
        isIndexFirst = mp4?.indexFirst
        endsEarly = try mp4?.endsEarly ?? MatroskaStructure(output)?.endsEarly ?? false
        let demuxer = try Demuxer(output, readsMedia: false, cancellation: cancellation)
        let size = output.sizeBytes ?? 0
        for index in 0..<demuxer.streamCount {
            switch demuxer.describe(stream: index) {
            case .video(let stream): video = video ?? stream
            case .audio(let stream): audio = audio ?? stream
            case .other: continue
            }
            if demuxer.firstMissingTime(ofStream: index, sizeBytes: size) != nil { endsEarly = true }
        }
        durationSeconds = demuxer.durationMicroseconds.map { Double($0) / 1e6 }
    }
}
