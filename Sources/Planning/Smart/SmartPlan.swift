package import Model

/// What a smart render is predicted to do, segment by segment, and what that costs beside encoding everything.
package struct SmartPlan: Codable, Sendable, Equatable {
    /// One of the plan's segments, or a stretch of it over which something is laid, or nothing: in seconds of its
    /// source, `head ..< copy ..< tail ..< end`.
    package struct Segment: Codable, Sendable, Equatable {
        package var source: Int
        /// Encoded: from here to where copying begins.
        package var startSeconds: Double
        /// `nil` where all of it is encoded.
        package var copiedFromSeconds: Double?
        package var endSeconds: Double
    }

    package var segments: [Segment]
    /// Copied and encoded pictures, and ones decoded for the sake of others.
    package var copiedFrames: Int
    package var encodedFrames: Int
    package var decodedFrames: Int
    package var predictedSeconds: Double
    package var predictedFullSeconds: Double

    package var predictedGain: Double { predictedFullSeconds / max(1e-6, predictedSeconds) }
}

/// Whether pictures will be copied, and what is expected of that.
package struct CopyingOutlook: Codable, Sendable, Equatable {
    /// Why everything will be encoded, one clause.
    package var declined: String?
    package var prediction: SmartPlan?

    package init(declined: String?, prediction: SmartPlan?) {
        (self.declined, self.prediction) = (declined, prediction)
    }
}

/// What work costs, in seconds of one core. Fitted to renders of 25 cut lists with one thread: of 720p and 1080p, between
/// 2 and 32 kB a picture; what matters is how they compare.
package struct RenderCosts: Sendable {
    /// For a picture that is decoded, to be encoded or to be verified: for a million pixels of luma, and for a byte.
    package var decode = 0.95e-3
    package var decodedByte = 125e-9
    /// For a million pixels of luma.
    package var seamEncode = 0.0033
    package var fullEncode: [VideoSettings.Preset: Double] = [
        .ultrafast: 0.0048, .superfast: 0.0095, .veryfast: 0.0135, .faster: 0.0280, .fast: 0.0320, .medium: 0.0330,
        .slow: 0.0500, .slower: 0.0750, .veryslow: 0.1600,
    ]
    /// How much longer than H.264 other codecs take: for seams, and for everything.
    package var effort: [VideoSettings.Codec: (seam: Double, full: Double)] = [
        .hevc: (7.5, 2.5), .vp9: (5, 6), .av1: (11, 2.6),
    ]
    /// For each seam, and a million pixels of luma: a decoder to refill, an encoder's first picture.
    package var seam = 0.026
    /// For a byte that is read, hashed twice and written.
    package var copiedByte = 2.0e-9
    /// For a second of one channel, decoded and encoded.
    package var soundChannelSecond = 0.011
    /// For one channel of a segment whose sound is copied: two joins, decoded, encoded and measured.
    package var soundJoins = 0.017
    /// What each thread but the first adds where everything is encoded.
    package var furtherThread = 0.75

    package init() {}

    /// A smart render is worth its seams from here on.
    package static let leastGain = 3.0
}

/// What the prediction needs to know of a source.
package struct SourceSurvey: Sendable, Equatable {
    /// When pictures are shown that a copy can begin with, in seconds from the container's start, sorted; where the
    /// container has no index, `nil`.
    package var keyframes: [Double]?
    /// Their usual distance, in seconds.
    package var keyframeInterval: Double
    package var framesPerSecond: Double
    package var bytesPerSecond: Double
    package var megapixels: Double
    package var depth: ReorderDepth
    package var duration: Double

    package init(
        keyframes: [Double]?, keyframeInterval: Double, framesPerSecond: Double, bytesPerSecond: Double,
        megapixels: Double, depth: ReorderDepth, duration: Double
    ) {
        (self.keyframes, self.keyframeInterval, self.framesPerSecond) = (keyframes, keyframeInterval, framesPerSecond)
        (self.bytesPerSecond, self.megapixels, self.depth) = (bytesPerSecond, megapixels, depth)
        self.duration = duration
    }

    /// The last keyframe at or before `time`, and the first one at or after it.
    func keyframes(around time: Double) -> (before: Double, after: Double) {
        guard let keyframes, let first = keyframes.first else {
            // On average a cut lies in the middle.
            return (max(0, time - keyframeInterval / 2), time + keyframeInterval / 2)
        }
        let tolerance = 0.5 / framesPerSecond
        var (low, high) = (0, keyframes.count)
        while low < high {
            let middle = (low + high) / 2
            if keyframes[middle] < time - tolerance { low = middle + 1 } else { high = middle }
        }
        let after = low < keyframes.count ? keyframes[low] : .infinity
        if after <= time + tolerance { return (after, after) }
        return (low > 0 ? keyframes[low - 1] : first, after)
    }

    /// Seconds from a keyframe to the next one; the usual distance where there is no index, or none follows.
    func groupLength(from keyframe: Double) -> Double {
        guard keyframes != nil else { return keyframeInterval }
        let next = keyframes(around: keyframe + 1 / framesPerSecond).after
        return next < .infinity ? next - keyframe : keyframeInterval
    }
}

/// Predicts a smart render. Pure.
package struct SmartPlanner {
    package var costs = RenderCosts()

    package init() {}

    /// - Parameters:
    ///   - surveys: by source; every segment's source has one.
    ///   - full: what is done otherwise, where that is of another codec.
    ///   - copiesSound: sound is copied, too.
    ///   - threads: of the job: with two, seams are verified while the next ones are made.
    package func plan(
        _ plan: RenderPlan, insteadOf full: RenderPlan? = nil, surveys: [Int: SourceSurvey], copiesSound: Bool = false,
        threads: Int
    ) -> SmartPlan {
        let otherwise = (full ?? plan).video
        let seamEffort = plan.video.flatMap { costs.effort[$0.codec]?.seam } ?? 1
        let fullEncode =
            (otherwise.flatMap { costs.fullEncode[$0.preset] } ?? 0)
            * (otherwise.flatMap { costs.effort[$0.codec]?.full } ?? 1)
        var result = SmartPlan(
            segments: [], copiedFrames: 0, encodedFrames: 0, decodedFrames: 0, predictedSeconds: 0,
            predictedFullSeconds: 0)
        var (making, verifying, everything, sound, joins) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for segment in plan.segments {
            guard let survey = surveys[segment.source] else { continue }
            let (start, end) = (segment.start.seconds, segment.end?.seconds ?? survey.duration)
            for stretch in segment.stretches {
                let (start, end) = (stretch.start.seconds, stretch.end?.seconds ?? survey.duration)
                guard start < end else { continue }
                let work =
                    stretch.isLayered ? layered(from: start, to: end, survey) : work(from: start, to: end, survey)
                result.segments.append(
                    .init(
                        source: segment.source, startSeconds: start, copiedFromSeconds: work.copiedFrom,
                        endSeconds: end))
                result.copiedFrames += work.copied
                result.encodedFrames += work.encoded
                result.decodedFrames += work.decoded
                let pixels = survey.megapixels
                let bytes = survey.bytesPerSecond / survey.framesPerSecond
                let decode = pixels * costs.decode + bytes * costs.decodedByte
                let seams = Double(work.encoded) * costs.seamEncode + Double(work.seams) * costs.seam
                making +=
                    Double(work.decoded) * decode + pixels * seamEffort * seams
                    + Double(work.copied) * bytes * costs.copiedByte
                verifying += Double(work.verified) * decode
                everything += Double(work.copied + work.encoded) * (decode + pixels * fullEncode)
            }
            let channels = Double(plan.audio?.channels ?? 0)
            sound += max(0, end - start) * channels * costs.soundChannelSecond
            joins += channels * costs.soundJoins
        }
        result.predictedFullSeconds =
            (everything + sound) / (1 + Double(max(0, threads - 1)) * costs.furtherThread)
        making += copiesSound ? joins : sound
        result.predictedSeconds = threads > 1 ? max(making, verifying) : making + verifying
        return result
    }

    private struct Work {
        var copiedFrom: Double?
        var copied = 0
        var encoded = 0
        var decoded = 0
        var verified = 0
        var seams = 0
    }

    /// Everything is decoded, from the keyframe before on, and encoded.
    private func layered(from start: Double, to end: Double, _ survey: SourceSurvey) -> Work {
        func frames(_ seconds: Double) -> Int { max(0, Int((seconds * survey.framesPerSecond).rounded())) }
        var work = Work()
        work.encoded = frames(end - start)
        work.decoded = work.encoded + frames(start - survey.keyframes(around: start).before)
        (work.verified, work.seams) = (work.encoded, 1)
        return work
    }

    private func work(from start: Double, to end: Double, _ survey: SourceSurvey) -> Work {
        func frames(_ seconds: Double) -> Int { max(0, Int((seconds * survey.framesPerSecond).rounded())) }
        let around = survey.keyframes(around: start)
        var work = Work()
        // Pictures that nothing refers to are left out where only others are wanted.
        let reference = survey.depth.pictures > 0 ? 0.5 : 1
        guard around.after < end - 2 / survey.framesPerSecond else {
            work.encoded = frames(end - start)
            work.decoded = work.encoded + Int(reference * Double(frames(start - around.before)))
            (work.verified, work.seams) = (work.encoded, 1)
            return work
        }
        let head = frames(around.after - start)
        let last = survey.keyframes(around: end)
        let tail = min(survey.depth.pictures, frames(end - around.after))
        work.copiedFrom = around.after
        work.encoded = head + tail
        work.copied = max(0, frames(end - start) - work.encoded)
        work.decoded = head > 0 ? head + Int(reference * Double(frames(start - around.before))) : 0
        if tail > 0 { work.decoded += tail + Int(reference * Double(frames(end - last.before))) }
        work.verified = work.encoded + min(work.copied, frames(survey.groupLength(from: around.after)))
        work.seams = (head > 0 ? 1 : 0) + (tail > 0 ? 1 : 0)
        return work
    }
}
