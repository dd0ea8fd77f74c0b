package import Media
package import Model

/// Whether what was written is what its report says, from headers and indexes alone.
///
/// Containers are made by libavformat from packets that encoders gave: a lost frame or a wrong length shows here.
package enum OutputCheck {
    /// A container counts in ticks of its own and rounds.
    private static let toleranceSeconds = 0.1

    package static func check(
        _ report: RenderReport, of output: any ByteSource, cancellation: Cancellation
    ) throws {
        let probe = try Prober.probe(
            output, name: report.output, limits: DemuxerLimits(), cancellation: cancellation)
        try require(!probe.container.truncated, "its end is missing")
        try require(probe.video.isEmpty == (report.video == nil), "pictures")
        try require(probe.audio.isEmpty == (report.audio == nil), "sound")
        if let told = report.video, let found = probe.video.first {
            try require(found.codec == told.codec, "\(found.codec) instead of \(told.codec)")
            try require(
                found.codedWidth == told.width && found.codedHeight == told.height,
                "\(found.codedWidth)x\(found.codedHeight) instead of \(told.width)x\(told.height)")
            try checkFrames(found.frameCount, told: told.frames)
        }
        if let told = report.audio, let found = probe.audio.first {
            try require(
                found.codec == told.codec && found.channels == told.channels,
                "\(found.codec) with \(found.channels) channels instead of \(told.codec) with \(told.channels)")
        }
        try checkDuration(probe.container, told: report.durationSeconds)
    }

    package static func check(
        _ report: ProxyReport, of proxy: any ByteSource, cancellation: Cancellation
    ) throws {
        let probe = try Prober.probe(proxy, name: "proxy.mp4", limits: DemuxerLimits(), cancellation: cancellation)
        try require(!probe.container.truncated, "its end is missing")
        if let told = report.frames { try checkFrames(probe.video.first?.frameCount, told: told) }
        if report.proxyMethod == .encoded { try checkDuration(probe.container, told: report.durationSeconds) }
    }

    private static func checkFrames(_ found: Int64?, told: Int) throws {
        // Only MP4's index counts frames.
        guard let found, found > 0 else { return }
        try require(found == Int64(told), "\(found) frames instead of \(told)")
    }

    /// Matroska's duration ends with the last frame's beginning, MP4's with its end.
    private static func checkDuration(_ container: ProbeReport.Container, told: Double) throws {
        guard let found = container.durationSeconds else { return }
        let isExact = container.indexFirst != nil
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
