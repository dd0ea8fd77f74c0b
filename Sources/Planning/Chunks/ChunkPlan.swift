package import Model

/// A programme's pictures divided into chunks that are encoded one by one, by anybody, in any order.
///
/// The division is by the output's clock: a picture belongs to the chunk that contains its tick. At a constant rate
/// ticks are frame numbers; where the source's spacing is kept they are the ticks of its time base, so that one rule
/// does for both, whether or not anybody knows how many frames there will be.
package struct ChunkPlan: Codable, Sendable, Equatable {
    package struct Chunk: Codable, Sendable, Equatable {
        package var index: Int
        /// Of `ChunkPlan.timeBase`, half-open.
        package var ticks: Range<Int64>

        package init(index: Int, ticks: Range<Int64>) { (self.index, self.ticks) = (index, ticks) }
    }

    /// Of the output's clock, in seconds.
    package var timeBase: Rational
    package var programme: ProgrammeSpans
    /// In order, without gaps, from 0 to the programme's end; two at least.
    package var chunks: [Chunk]

    /// What encoders take for the longest distance between keyframes when nobody says.
    /// Source: x264 and x265, `keyint`.
    package static let usualKeyframeInterval = 250

    /// From so many on, the last quarter of them is halved: who shares them ends nearly together.
    private static let many: Int64 = 16

    /// Of the shorter chunk beside it: a seam of the programme this near is a better place for an end. Encoders mostly
    /// begin a group there by themselves, because the picture changes, and a keyframe costs little.
    private static let seamTolerance: Int64 = 8

    /// - Parameter secondsPerChunk: aimed at; chunks are whole groups of pictures, one at least, but for what seams move.
    /// - Returns: `nil` where the programme is too short to be divided, or has no picture.
    package init?(_ plan: RenderPlan, programme: ProgrammeSpans, secondsPerChunk: Int) {
        guard let video = plan.video, secondsPerChunk > 0 else { return nil }
        let (rate, timeBase) = (video.frameRate, video.cadence.timeBase)
        let group = Int64(video.keyframeIntervalFrames ?? Self.usualKeyframeInterval)
        // A rest that is no whole group belongs to the last chunk.
        let groups = programme.length.ticks(in: rate.inverse) / group
        let wanted = programme.length.ticks(in: Rational(Int64(secondsPerChunk)))
        let count = min(groups, wanted)
        guard count >= 2 else { return nil }
        let end = programme.length.ticks(in: timeBase)
        let grid = (Self.starts(groups: groups, count: count) + [groups]).map {
            video.cadence.tick(ofFrame: group * $0, rate: rate)
        }
        var boundaries: [Int64] = [0]
        for ((last, tick), next) in zip(zip(grid, grid.dropFirst()), grid.dropFirst(2)) {
            let tolerance = min(tick - last, next - tick) / Self.seamTolerance
            boundaries.append(programme.seam(near: tick, within: tolerance, timeBase: timeBase) ?? tick)
        }
        boundaries.append(end)
        self.timeBase = timeBase
        self.programme = programme
        chunks = zip(boundaries, boundaries.dropFirst()).enumerated().map { index, ends in
            Chunk(index: index, ticks: ends.0..<ends.1)
        }
    }

    /// With which groups chunks begin.
    private static func starts(groups: Int64, count: Int64) -> [Int64] {
        func evenly(_ groups: Range<Int64>, _ count: Int64) -> [Int64] {
            let length = groups.upperBound - groups.lowerBound
            return (0..<count).map { groups.lowerBound + (2 * $0 * length + count) / (2 * count) }
        }
        guard count >= many, groups >= 2 * count else { return evenly(0..<groups, count) }
        let whole = count - count / 4
        let cut = groups * whole / count
        return evenly(0..<cut, whole) + evenly(cut..<groups, 2 * (count / 4))
    }

    /// In the order in which they are best handed out to several workers: so the last to end end nearly together.
    package var longestFirst: [Chunk] {
        chunks.sorted { ($1.ticks.count, $0.index) < ($0.ticks.count, $1.index) }
    }

    /// The programme's, in ticks.
    package var end: Int64 { chunks.last?.ticks.upperBound ?? 0 }
}

extension VideoPlan {
    /// The longest distance between keyframes in frames; `nil` is the encoder's own.
    package var keyframeIntervalFrames: Int? {
        keyframeIntervalSeconds.map { Int(Rational(Int64($0)).ticks(in: nominalFrameRate.inverse)) }
    }

    /// Of the output, as near as one number comes to it.
    fileprivate var frameRate: Rational {
        switch cadence {
        case .source: nominalFrameRate
        case .constant(let rate, _): rate
        }
    }
}

extension Cadence {
    /// The time base that output frames are timed in.
    package var timeBase: Rational {
        switch self {
        case .source(let timeBase): timeBase
        case .constant(let rate, _): rate.inverse
        }
    }

    /// Where the chunk that begins with a frame begins.
    ///
    /// Half a frame before its time, where that is the source's: clocks of milliseconds have frames a little early.
    fileprivate func tick(ofFrame number: Int64, rate: Rational) -> Int64 {
        switch self {
        case .constant: number
        case .source(let timeBase):
            number == 0 ? 0 : (Rational(2 * number - 1, 2) / rate).ticksRoundedUp(in: timeBase)
        }
    }
}

extension RenderPlan {
    /// The plan as far as it decides the output's pictures: another sound leaves their chunks as they are.
    package var picturesOnly: RenderPlan {
        var plan = self
        (plan.audio, plan.container, plan.notes, plan.copying) = (nil, .mp4, [], nil)
        plan.predictedDurationSeconds = 0
        for index in plan.sources.indices { plan.sources[index].audioStream = nil }
        for index in plan.segments.indices {
            (plan.segments[index].fadesIn, plan.segments[index].fadesOut) = (false, false)
            plan.segments[index].sound = []
        }
        return plan
    }
}
