package import Model

/// Probe reports made by hand.
package enum ProbedSource {
    package static func report(
        video: [VideoStream] = [], audio: [AudioStream] = [], seconds: Double? = 10, format: String = "mov,mp4",
        change: (inout ProbeReport.Container) -> Void = { _ in }
    ) -> ProbeReport {
        var container = ProbeReport.Container(format: format, sizeBytes: 1000, startSeconds: 0)
        container.durationSeconds = seconds
        container.majorBrand = format.contains("mp4") ? "isom" : nil
        change(&container)
        return ProbeReport(
            file: "x", container: container, video: video, audio: audio, other: [],
            browserPlayable: .init(playable: false, reason: ""))
    }

    /// A talking head: picture and stereo sound.
    package static func clip(seconds: Double? = 10, width: Int = 1920, height: Int = 1080) -> ProbeReport {
        report(video: [video(width: width, height: height)], audio: [audio()], seconds: seconds)
    }

    package static func video(
        width: Int = 1920, height: Int = 1080, rate: Rational? = Rational(30), aspect: Rational = .one,
        orientation: Orientation = .upright, color: ColorTags = ColorTags(), codec: String = "h264",
        pixelFormat: String = "yuv420p", bitDepth: Int = 8, change: (inout VideoStream) -> Void = { _ in }
    ) -> VideoStream {
        var stream = VideoStream(
            index: 0, codec: codec, pixelFormat: pixelFormat, bitDepth: bitDepth, codedWidth: width,
            codedHeight: height, sampleAspectRatio: aspect, orientation: orientation, color: color,
            timeBase: Rational(1, 15360))
        (stream.realFrameRate, stream.averageFrameRate) = (rate, rate)
        stream.keyframeIntervalSeconds = 1
        change(&stream)
        return stream
    }

    package static func audio(
        channels: Int = 2, rate: Int = 48000, codec: String = "aac", index: Int = 1,
        change: (inout AudioStream) -> Void = { _ in }
    ) -> AudioStream {
        var stream = AudioStream(
            index: index, codec: codec, channels: channels, channelLayout: channels == 2 ? "stereo" : "other",
            sampleRate: rate, sampleFormat: "fltp", timeBase: Rational(1, Int64(rate)))
        stream.profile = "LC"
        change(&stream)
        return stream
    }

    package static let pq = ColorTags(range: "tv", matrix: "bt2020nc", primaries: "bt2020", transfer: "smpte2084")
    package static let hlg = ColorTags(range: "tv", matrix: "bt2020nc", primaries: "bt2020", transfer: "arib-std-b67")
    package static let bt709 = ColorTags(range: "tv", matrix: "bt709", primaries: "bt709", transfer: "bt709")
    package static let bt601 = ColorTags(
        range: "tv", matrix: "smpte170m", primaries: "smpte170m", transfer: "smpte170m")

    /// A PQ stream as HEVC carries it.
    package static func hdr(_ color: ColorTags = pq) -> VideoStream {
        video(color: color, codec: "hevc", pixelFormat: "yuv420p10le", bitDepth: 10) {
            $0.hdr = HDRMetadata(system: color == pq ? .pq : .hlg)
        }
    }
}
