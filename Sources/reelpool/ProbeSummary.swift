internal import Model

/// A probe for people: a few lines a file.
enum ProbeSummary {
    static func text(_ report: ProbeReport) -> String {
        let container = report.container
        var first = "\(report.file): \(container.format), \(size(container.sizeBytes))"
        if let duration = container.durationSeconds { first += ", \(rounded(duration, 3)) s" }
        if let claimed = container.claimedDurationSeconds { first += " (claims \(rounded(claimed, 3)) s)" }
        if container.truncated { first += ", CUT SHORT" }
        var lines = [first]
        lines += report.video.map { "  \($0.index) video  \(line($0))" }
        lines += report.audio.map { "  \($0.index) audio  \(line($0))" }
        lines += report.other.map { "  \($0.index) \($0.kind)  \($0.codec)" }
        let playable = report.browserPlayable
        lines.append("  browsers: \(playable.playable ? "yes" : "no"), \(playable.reason)")
        return lines.joined(separator: "\n")
    }

    private static func line(_ video: VideoStream) -> String {
        var parts = [[video.codec, video.profile].compactMap(\.self).joined(separator: " ")]
        parts.append("\(video.width)x\(video.height) \(video.pixelFormat)")
        if video.sampleAspectRatio != .one { parts.append("pixels \(video.sampleAspectRatio)") }
        if video.orientation != .upright { parts.append(video.orientation.rawValue) }
        if let rate = video.averageFrameRate {
            parts.append("\(rounded(rate.seconds, 3)) fps\(video.variableFrameRate ? " variable" : "")")
        }
        if let hdr = video.hdr { parts.append("HDR \(hdr.system.rawValue.uppercased())") }
        if let gap = video.keyframeIntervalSeconds { parts.append("keyframes every \(rounded(gap, 2)) s") }
        if let language = video.language { parts.append(language) }
        if video.encrypted { parts.append("encrypted") }
        return parts.joined(separator: ", ")
    }

    private static func line(_ audio: AudioStream) -> String {
        var parts = [[audio.codec, audio.profile].compactMap(\.self).joined(separator: " ")]
        parts += ["\(audio.sampleRate) Hz", audio.channelLayout]
        if let language = audio.language { parts.append(language) }
        if audio.encrypted { parts.append("encrypted") }
        return parts.joined(separator: ", ")
    }

    private static func size(_ bytes: Int64) -> String {
        bytes < 1_000_000 ? "\(rounded(Double(bytes) / 1000, 1)) kB" : "\(rounded(Double(bytes) / 1_000_000, 1)) MB"
    }

    static func rounded(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let text = "\((value * scale).rounded() / scale)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
