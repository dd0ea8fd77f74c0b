internal import Model
internal import Planning

extension RenderPlan {
    /// What to tell of a segment in whose range no picture lies.
    func note(emptySegment segment: PlannedSegment) -> String {
        let end = segment.end.map { "\($0.milliseconds)" } ?? "end"
        return "The range \(segment.start.milliseconds)-\(end) ms of \"\(sources[segment.source].id)\" "
            + "holds no frame and was left out."
    }

    /// What to tell of frames that were left out; `nil` where there are none.
    static func note(repeatedTimes count: Int) -> String? {
        count > 0 ? "\(count) frames without a time of their own were left out." : nil
    }

    /// What every render reports.
    ///
    /// - Parameters:
    ///   - seconds: how long the output lasts.
    ///   - elapsed: how long making it took, in seconds.
    func report(
        output: String, sizeBytes: Int64, seconds: Double, frames: Int, samples: Int64, segments: Int,
        notes: [String], elapsed: Double
    ) -> RenderReport {
        var report = RenderReport(
            output: output, sizeBytes: sizeBytes, durationSeconds: seconds, segments: segments, video: nil, audio: nil,
            notes: notes, lostSeconds: 0, damagedPackets: 0, elapsedSeconds: elapsed, speed: seconds / elapsed)
        if let video {
            var rate: Rational?
            if case .constant(let framesPerSecond, _) = video.cadence { rate = framesPerSecond }
            report.video = .init(
                codec: video.codec.rawValue, width: video.width, height: video.height, frames: frames,
                resampledTo: rate, dynamicRange: video.hdr.map { $0.system.rawValue } ?? "sdr")
        }
        if let audio {
            report.audio = .init(
                codec: audio.codec.rawValue, sampleRate: audio.sampleRate, channels: audio.channels, samples: samples)
        }
        return report
    }
}
