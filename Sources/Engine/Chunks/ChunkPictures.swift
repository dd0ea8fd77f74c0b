internal import Media
internal import Model
internal import Planning

/// The pictures that a programme shows in a range of its output's ticks, decoded from there, not from the beginning:
/// the same ones, at the same ticks, as in a render in one go.
final class ChunkPictures {
    private let plan: RenderPlan
    private let video: VideoPlan
    private let programme: ProgrammeSpans
    private let ticks: Range<Int64>
    private let timeBase: Rational
    private let sources: OpenSources
    private let painter: LayerPainter?
    private let show: (consuming Frame, _ tick: Int64) throws -> Void
    private var pacing: Pacing
    /// Frames of the source without a time of their own, which are left out.
    private(set) var repeatedTimes = 0

    private enum Pacing {
        case source
        /// The last picture is held back: the next one tells how often it is shown.
        case constant(nextTick: Int64, held: VideoFrame?)
    }

    /// Deinterlacing looks at a picture's neighbours: those of a chunk's first and last must be there, too.
    private static let neighbours = Rational(4)

    /// - Parameter show: called for each frame of the output in order, with its tick.
    init(
        _ plan: RenderPlan, video: VideoPlan, programme: ProgrammeSpans, ticks: Range<Int64>, sources: OpenSources,
        painter: LayerPainter?,
        show: @escaping (consuming Frame, _ tick: Int64) throws -> Void
    ) {
        (self.plan, self.video, self.programme, self.ticks) = (plan, video, programme, ticks)
        (self.sources, self.painter, self.show) = (sources, painter, show)
        timeBase = video.cadence.timeBase
        switch video.cadence {
        case .source: pacing = .source
        case .constant: pacing = .constant(nextTick: ticks.lowerBound, held: nil)
        }
    }

    func run() throws {
        for span in programme.spans(in: ticks, timeBase: timeBase) {
            let segment = plan.segments[span.segment]
            if plan.sources[segment.source].videoStream == nil {
                for (black, offset) in try BlackPictures.of(segment, length: span.length, plan, painter) {
                    try place(black, at: span.start + offset)
                }
            } else {
                try place(segment, span)
            }
        }
        if case .constant(let nextTick, let held?) = pacing {
            try repeatFrame(held, in: nextTick..<max(nextTick, ticks.upperBound))
        }
    }

    private func place(_ segment: PlannedSegment, _ span: SegmentSpan) throws {
        let session = try sources.session(for: segment.source)
        guard let lane = session.reader.video else { throw ChunkObstacle.noPicture }
        let base = lane.timeBase
        let margin =
            plan.sources[segment.source].interlaced ? Self.neighbours / video.nominalFrameRate : Rational.zero
        let clock = Clock(span: span, base: base)
        let from = max(segment.start, span.first + Rational(ticks.lowerBound) * timeBase - span.start - margin)
        let upTo = span.first + Rational(ticks.upperBound) * timeBase - span.start + margin
        let start = segment.start.ticksRoundedUp(in: base)
        let end = segment.end?.ticksRoundedUp(in: base) ?? .max
        try session.position(at: from)
        var window = Window(from: from.ticks(in: base), lead: [], last: nil)
        while let picture = try session.reader.peekVideo(), picture.time < end {
            let time = clock.programme(picture.time)
            // The first picture behind the range may still be a neighbour of the last one in it.
            if time.ticks(in: timeBase) >= ticks.upperBound, Rational(picture.time) * base >= upTo { break }
            session.reader.takeVideo()
            guard picture.time >= start else { continue }
            guard picture.time >= clock.first, window.last != nil || from > span.first || picture.time == clock.first
            else { throw EngineError(.sourceChanged, "\(plan.sources[segment.source].uri) is not what it was") }
            if let last = window.last, picture.time <= last {
                if time.ticks(in: timeBase) >= ticks.lowerBound { repeatedTimes += 1 }
                continue
            }
            window.last = picture.time
            guard time.ticks(in: timeBase) > ticks.lowerBound else {
                window.hold(picture)
                continue
            }
            try conform(window.takeLead(), of: segment, session, clock)
            try conform([picture], of: segment, session, clock)
        }
        try conform(window.takeLead(), of: segment, session, clock)
        while let conformed = try session.conformer?.finish() { try place(conformed, of: segment, clock) }
    }

    /// From a source's ticks to the programme's seconds.
    private struct Clock {
        let span: SegmentSpan
        let base: Rational
        let first: Int64

        init(span: SegmentSpan, base: Rational) {
            (self.span, self.base, first) = (span, base, span.first.ticks(in: base))
        }

        func programme(_ time: Int64) -> Rational { span.start + Rational(time - first) * base }
    }

    /// Pictures before the range: the last one may be shown in it, and its neighbours are looked at.
    private struct Window {
        let from: Int64
        var lead: [VideoFrame]
        var last: Int64?

        /// What stays does not depend on where reading began.
        mutating func hold(_ picture: VideoFrame) {
            lead.removeAll { $0.time < from }
            lead.append(picture)
        }

        mutating func takeLead() -> [VideoFrame] {
            defer { lead = [] }
            return lead
        }
    }

    private func conform(
        _ pictures: [VideoFrame], of segment: PlannedSegment, _ session: SourceSession, _ clock: Clock
    ) throws {
        for picture in pictures {
            if let conformed = try session.conformer?.conform(picture) { try place(conformed, of: segment, clock) }
        }
    }

    private func place(_ picture: VideoFrame, of segment: PlannedSegment, _ clock: Clock) throws {
        let time = clock.programme(picture.time)
        guard let painter else { return try place(picture, at: time) }
        let painted = try painter.paint(picture.frame, of: segment, at: Rational(picture.time) * clock.base)
        try place(VideoFrame(painted, time: picture.time), at: time)
    }

    private func place(_ picture: VideoFrame, at time: Rational) throws {
        let tick = time.ticks(in: timeBase)
        switch pacing {
        case .source:
            if ticks.contains(tick) { try show(picture.frame.reference(), tick) }
        case .constant(let nextTick, let held):
            let next = max(nextTick, min(tick, ticks.upperBound))
            if let held { try repeatFrame(held, in: nextTick..<next) }
            pacing = .constant(nextTick: held == nil ? nextTick : next, held: picture)
        }
    }

    private func repeatFrame(_ held: VideoFrame, in ticks: Range<Int64>) throws {
        for tick in ticks { try show(held.frame.reference(), tick) }
    }
}
