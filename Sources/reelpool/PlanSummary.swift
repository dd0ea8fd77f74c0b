internal import Model
internal import Planning

/// A plan for people: what goes in, what comes of each segment, and what that is expected to take.
enum PlanSummary {
    /// More are counted, not listed.
    private static let segmentLimit = 40

    static func text(_ plan: RenderPlan) -> String {
        var lines = ["\(seconds(plan.predictedDurationSeconds)) s of \(plan.segments.count) segments"]
        if let video = plan.video {
            lines.append("  picture: \(video.codec.rawValue) \(video.width)x\(video.height), crf \(video.crf)")
        }
        if let audio = plan.audio {
            lines.append("  sound: \(audio.codec.rawValue) \(audio.channels) ch, \(audio.bitRate / 1000) kb/s")
        }
        let prediction = plan.copying?.declined == nil ? plan.copying?.prediction : nil
        for (number, segment) in plan.segments.prefix(segmentLimit).enumerated() {
            let copied = prediction.flatMap { number < $0.segments.count ? $0.segments[number] : nil }
            lines.append("  " + text(segment, plan, copied))
        }
        if plan.segments.count > segmentLimit {
            lines.append("  and \(plan.segments.count - segmentLimit) more")
        }
        if let prediction {
            lines.append(
                "  copied: \(prediction.copiedFrames) frames; encoded: \(prediction.encodedFrames); predicted "
                    + "\(seconds(prediction.predictedSeconds)) s instead of \(seconds(prediction.predictedFullSeconds)) s"
            )
        } else if let reason = plan.copying?.declined {
            lines.append("  everything is encoded: \(reason)")
        }
        return (lines + plan.notes.map { "  note: \($0)" }).joined(separator: "\n")
    }

    private static func text(
        _ segment: PlannedSegment, _ plan: RenderPlan, _ copied: SmartPlan.Segment?
    ) -> String {
        let end = segment.end.map { seconds($0.seconds) } ?? "end"
        let text = "\(plan.sources[segment.source].id) \(seconds(segment.start.seconds))-\(end)"
        guard let copied else { return text }
        guard let from = copied.copiedFromSeconds else { return text + ": encoded" }
        return text + ": copied from \(seconds(from))"
    }

    private static func seconds(_ value: Double) -> String { "\(ProbeSummary.rounded(value, 3))" }
}
