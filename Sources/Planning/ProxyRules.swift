package import Model

/// What a proxy must be, as numbers, and whether a source is one already.
package enum ProxyRules {
    /// The shorter side at most; the longer follows, 16:9 at most.
    package static let shortSideLimit = 720
    package static let longSideLimit = 1280
    package static let keyframeIntervalSeconds = 1

    /// The first property of a proxy that the source lacks, as a sentence; `nil` when a remux will do.
    package static func obstacle(_ probe: ProbeReport) -> String? {
        guard probe.container.format.contains("mp4"), !probe.container.truncated else { return "it is not a whole MP4" }
        guard probe.video.count <= 1, probe.audio.count <= 1 else { return "it has several video or audio streams" }
        guard let video = probe.video.first else { return "it has no video" }
        guard video.codec == "h264", video.pixelFormat == "yuv420p" else {
            return "its video is \(video.codec) in \(video.pixelFormat)"
        }
        guard !video.color.isHDR else { return "its video is HDR" }
        guard !video.interlaced else { return "its video is interlaced" }
        guard video.orientation == .upright else { return "its video is rotated" }
        guard video.sampleAspectRatio == .one else { return "its pixels are not square" }
        guard min(video.width, video.height) <= shortSideLimit, max(video.width, video.height) <= longSideLimit else {
            return "it is larger than 720p"
        }
        guard let gap = video.keyframeIntervalSeconds, gap <= Double(keyframeIntervalSeconds) + 0.001 else {
            return "its keyframes are more than a second apart"
        }
        // A pause or a cut at the front would be lost or shifted by copying packets.
        guard video.editList.count <= 1, video.editList.allSatisfy({ $0.mediaStartSeconds != nil }) else {
            return "it has an edit list"
        }
        if let audio = probe.audio.first, audio.codec != "aac" || audio.profile != "LC" {
            return "its audio is \(audio.codec)"
        }
        return nil
    }

    /// The proxy's picture size: no larger than the source, square pixels, even sides.
    package static func canvas(for video: VideoStream) -> Canvas {
        let (width, height) = (Double(video.width) * video.sampleAspectRatio.seconds, Double(video.height))
        let factor = min(
            1, Double(shortSideLimit) / min(width, height), Double(longSideLimit) / max(width, height))
        if factor == 1, video.sampleAspectRatio == .one {
            return Canvas(width: max(2, video.width & ~1), height: max(2, video.height & ~1))
        }
        return Canvas(width: even(width * factor), height: even(height * factor))
    }

    private static func even(_ value: Double) -> Int { max(2, Int((value / 2).rounded()) * 2) }
}
