internal import Media
internal import Model
internal import Planning

/// How each codec is asked for of the library that encodes it, so that one crf and preset mean much the same
/// everywhere.
enum VideoRecipe {
    /// - Parameter joinable: makes parameter sets that do not depend on the pictures or on the number of threads, so
    ///   that what several encoders make of parts of one picture track is decoded with one configuration. HEVC's tell
    ///   one thread from several all the same.
    static func settings(
        for plan: VideoPlan, timeBase: Rational, threads: Int, joinable: Bool = false
    ) throws -> VideoEncoderSettings {
        var settings = VideoEncoderSettings(
            encoder: try encoderName(plan.codec), width: plan.width, height: plan.height,
            pixelFormat: plan.pixelFormat, timeBase: timeBase)
        settings.sampleAspectRatio = plan.sampleAspectRatio
        settings.nominalFrameRate = plan.nominalFrameRate
        settings.color = plan.color
        settings.threads = threads
        settings.keyframeInterval = plan.keyframeIntervalFrames
        switch plan.codec {
        case .h264:
            settings.threads = h264FrameThreads(threads)
            settings.options = [
                "preset": plan.preset.rawValue, "crf": "\(plan.crf)", "forced-idr": "1",
                "x264-params": h264Parameters(threads: threads, joinable: joinable),
            ]
        case .hevc:
            settings.options = [
                "preset": plan.preset.rawValue, "crf": "\(plan.crf)", "forced-idr": "1",
                "x265-params": hevcParameters(plan, threads: threads, joinable: joinable),
            ]
        case .vp9:
            settings.options = [
                "crf": "\(plan.crf)", "b": "0", "deadline": "good", "cpu-used": "\(vp9Speed(plan.preset))",
                "row-mt": "1",
                "tile-columns": plan.width >= 1280 ? "2" : "0",
            ]
        case .av1:
            settings.options = [
                "preset": "\(av1Speed(plan.preset))", "crf": "\(plan.crf)",
                "svtav1-params": av1Parameters(plan, threads: threads),
            ]
        }
        return settings
    }

    private static func encoderName(_ codec: VideoSettings.Codec) throws -> String {
        let name =
            switch codec {
            case .h264: "libx264"
            case .hevc: "libx265"
            case .vp9: "libvpx-vp9"
            case .av1: "libsvtav1"
            }
        guard Encoder.exists(name) else { throw EngineError(.noEncoder, "this FFmpeg was built without \(name)") }
        return name
    }

    /// What QuickTime and Safari need to see for HEVC: parameter sets in the container only.
    static func containerTag(_ codec: VideoSettings.Codec, _ container: OutputSettings.Container) -> String? {
        codec == .hevc && (container == .mp4 || container == .mov) ? "hvc1" : nil
    }

    /// Frame threads wait for each other's rows: half as many again keep as many processors busy as there are to be
    /// (x264's own rule, `X264_THREADS_AUTO`), and few processors need two more, as their decoding takes one away now
    /// and then. docs/decisions/0002.
    private static func h264FrameThreads(_ threads: Int) -> Int { threads == 1 ? 1 : threads + max(2, threads / 2) }

    /// With a look-ahead thread of its own x264 makes other bytes each time: it looks ahead on its caller's, which
    /// shares the work out, so that the frame threads are not out of work meanwhile.
    private static func h264Parameters(threads: Int, joinable: Bool) -> String {
        "sync-lookahead=0:lookahead-threads=\(min(threads, 2))" + (joinable ? ":stitchable=1" : "")
    }

    private static func hevcParameters(_ plan: VideoPlan, threads: Int, joinable: Bool) -> String {
        var parameters = ["log-level=error", "pools=\(threads)", "frame-threads=1"]
        if threads == 1 { parameters += ["no-wpp=1", "no-pmode=1", "no-pme=1"] }
        // A text among the parameter sets tells how many threads there were.
        if joinable { parameters.append("info=0") }
        if let hdr = plan.hdr {
            parameters += ["hdr10-opt=\(hdr.system == .pq ? 1 : 0)", "repeat-headers=0"]
            if let mastering = hdr.mastering { parameters.append("master-display=\(x265Display(mastering))") }
            if let peak = hdr.maxContentLightLevel {
                parameters.append("max-cll=\(peak),\(hdr.maxFrameAverageLightLevel ?? 0)")
            }
        }
        return parameters.joined(separator: ":")
    }

    /// Chromaticities in steps of 0.00002, luminance in steps of 0.0001 cd/m². Source: x265 documentation, SMPTE ST
    /// 2086.
    private static func x265Display(_ display: MasteringDisplay) -> String {
        func steps(_ value: Rational, _ unit: Int64) -> Int64 { value.ticks(in: Rational(1, unit)) }
        func point(_ point: MasteringDisplay.Point) -> String { "(\(steps(point.x, 50000)),\(steps(point.y, 50000)))" }
        return "G\(point(display.green))B\(point(display.blue))R\(point(display.red))WP\(point(display.whitePoint))"
            + "L(\(steps(display.maxLuminance, 10000)),\(steps(display.minLuminance, 10000)))"
    }

    private static func vp9Speed(_ preset: VideoSettings.Preset) -> Int {
        switch preset {
        case .ultrafast, .superfast: 6
        case .veryfast: 5
        case .faster, .fast: 4
        case .medium: 3
        case .slow: 2
        case .slower: 1
        case .veryslow: 0
        }
    }

    private static func av1Speed(_ preset: VideoSettings.Preset) -> Int {
        switch preset {
        case .ultrafast: 12
        case .superfast: 11
        case .veryfast: 10
        case .faster: 9
        case .fast: 8
        case .medium: 6
        case .slow: 5
        case .slower: 4
        case .veryslow: 3
        }
    }

    private static func av1Parameters(_ plan: VideoPlan, threads: Int) -> String {
        var parameters = ["lp=\(threads)"]
        if plan.hdr != nil {
            parameters.append("enable-hdr=1")
            if let mastering = plan.hdr?.mastering { parameters.append("mastering-display=\(av1Display(mastering))") }
            if let peak = plan.hdr?.maxContentLightLevel {
                parameters.append("content-light=\(peak),\(plan.hdr?.maxFrameAverageLightLevel ?? 0)")
            }
        }
        return parameters.joined(separator: ":")
    }

    /// Decimal chromaticities and luminance. Source: SVT-AV1 Docs/Parameters.md.
    private static func av1Display(_ display: MasteringDisplay) -> String {
        func point(_ point: MasteringDisplay.Point) -> String { "(\(point.x.seconds),\(point.y.seconds))" }
        return "G\(point(display.green))B\(point(display.blue))R\(point(display.red))WP\(point(display.whitePoint))"
            + "L(\(display.maxLuminance.seconds),\(display.minLuminance.seconds))"
    }
}
