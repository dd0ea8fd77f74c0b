internal import Engine
internal import Media

/// One way in which a render is not as expected.
package struct Difference: Codable, Sendable, Equatable {
    package var what: String
    package var expected: String
    package var actual: String
    /// A PNG that shows it: expected, actual, amplified difference.
    package var picture: String?
}

/// Compares what came out with what was expected. Pure, but for reading the reference's pictures.
struct FixtureCheck {
    /// Containers with millisecond clocks round by up to half of one.
    private static let timeToleranceMilliseconds = 0.501
    /// One frame of the coarsest audio codec.
    private static let durationToleranceMilliseconds = 25.0
    private static let usualLoudnessTolerance = 0.5
    private static let usualSizeTolerance = 10.0

    let expected: Expectation
    let actual: OutputInspection
    private(set) var differences: [Difference] = []

    init(expected: Expectation, actual: OutputInspection) {
        (self.expected, self.actual) = (expected, actual)
        checkFrames()
        checkSound()
        checkSize()
    }

    /// Whether the pictures themselves are to be compared, because they are not bit for bit the same.
    var needsPictures: Bool {
        guard let video = expected.video, let hash = video.sha256 else { return expected.video?.reference != nil }
        return hash != actual.pictureHash
    }

    mutating func checkPictures(_ comparison: PictureComparison?) -> Int? {
        guard let video = expected.video else { return nil }
        guard let comparison else {
            add("pictures (sha256)", video.sha256 ?? "-", actual.pictureHash ?? "-")
            return nil
        }
        // With a count of its own, the fixture has said it already.
        if comparison.unmatched > 0, expected.frames == nil {
            add("pictures", "as many as in \(video.reference ?? "-")", "\(comparison.unmatched) more or fewer")
        }
        guard video.psnrMin != nil || video.ssimMin != nil else {
            let first = comparison.scores.firstIndex { $0.psnr.isFinite }
            if video.sha256 != nil || first != nil {
                add("pictures (sha256)", video.sha256 ?? "those of the reference", actual.pictureHash ?? "-")
            }
            return first
        }
        let bad = comparison.scores.indices.first { index in
            let score = comparison.scores[index]
            return score.psnr < video.psnrMin ?? 0 || score.ssim < video.ssimMin ?? 0
        }
        guard let bad else { return nil }
        let score = comparison.scores[bad]
        add(
            "picture \(bad)",
            "PSNR ≥ \(video.psnrMin ?? 0) dB, SSIM ≥ \(video.ssimMin ?? 0)",
            "PSNR \(score.psnr) dB, SSIM \((score.ssim * 10000).rounded() / 10000)")
        return bad
    }

    mutating func attach(picture path: String) {
        guard !differences.isEmpty else { return }
        differences[differences.count - 1].picture = path
    }

    private mutating func checkFrames() {
        if let frames = expected.frames, frames != actual.frameTimes.count {
            add("frame count", "\(frames)", "\(actual.frameTimes.count)")
        }
        if let times = expected.frameTimesMs,
            let index = zip(times, actual.frameTimes).enumerated().first(where: {
                abs($0.element.0 - $0.element.1) > Self.timeToleranceMilliseconds
            })?.offset
        {
            add("time of frame \(index)", "\(times[index]) ms", "\(actual.frameTimes[index]) ms")
        }
        if let video = expected.video, video.width != actual.width || video.height != actual.height {
            add("picture size", "\(video.width)x\(video.height)", "\(actual.width)x\(actual.height)")
        }
        if expected.video == nil, expected.error == nil, expected.frames == nil, !actual.frameTimes.isEmpty {
            add("pictures", "none", "\(actual.frameTimes.count)")
        }
        let duration = max(actual.videoMilliseconds ?? 0, actual.audioMilliseconds ?? 0)
        if let wanted = expected.durationMs, abs(wanted - duration) > Self.durationToleranceMilliseconds {
            add("duration", "\(wanted) ms", "\(duration) ms")
        }
    }

    private mutating func checkSound() {
        guard let audio = expected.audio else {
            if actual.channels != nil { add("sound", "none", "\(actual.channels ?? 0) channels") }
            return
        }
        guard let rate = actual.sampleRate, let channels = actual.channels, let duration = actual.audioMilliseconds
        else {
            return add("sound", "\(audio.channels) channels", "none")
        }
        if audio.sampleRate != rate { add("sample rate", "\(audio.sampleRate) Hz", "\(rate) Hz") }
        if audio.channels != channels { add("channels", "\(audio.channels)", "\(channels)") }
        if abs(audio.durationMs - duration) > Self.durationToleranceMilliseconds {
            add("duration of the sound", "\(audio.durationMs) ms", "\(duration) ms")
        }
        if let wanted = audio.loudnessLufs {
            let tolerance = audio.loudnessToleranceLu ?? Self.usualLoudnessTolerance
            if abs((actual.loudness ?? -70) - wanted) > tolerance {
                add("loudness", "\(wanted) ± \(tolerance) LUFS", actual.loudness.map { "\($0) LUFS" } ?? "silence")
            }
        }
    }

    private mutating func checkSize() {
        guard let wanted = expected.sizeBytes else { return }
        let tolerance = expected.sizeTolerancePercent ?? Self.usualSizeTolerance
        if abs(Double(actual.sizeBytes - wanted)) > Double(wanted) * tolerance / 100 {
            add("size", "\(wanted) bytes ± \(tolerance) %", "\(actual.sizeBytes) bytes")
        }
    }

    private mutating func add(_ what: String, _ expected: String, _ actual: String) {
        differences.append(Difference(what: what, expected: expected, actual: actual))
    }
}
