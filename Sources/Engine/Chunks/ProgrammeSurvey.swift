internal import Media
internal import Model
internal import Planning

/// Finds where a plan's segments really begin and end, by the rule of a render in one go: pictures with start ≤ t <
/// end; a segment lasts from its first picture's time to that of the first one at or after its end.
///
/// Only the pictures around both ends are decoded.
struct ProgrammeSurvey {
    private let plan: RenderPlan
    private let sources: OpenSources
    private let cancellation: Cancellation

    init(_ plan: RenderPlan, sources: OpenSources, cancellation: Cancellation) {
        (self.plan, self.sources, self.cancellation) = (plan, sources, cancellation)
    }

    /// - Parameter progress: told how much of the programme was looked at, 0 to 1.
    /// - Throws: `ChunkObstacle` where that cannot be told without a full read.
    func run(progress: (Double) -> Void = { _ in }) throws -> ProgrammeSpans {
        var programme = ProgrammeSpans()
        for (index, segment) in plan.segments.enumerated() {
            try cancellation.check()
            progress(Double(index) / Double(plan.segments.count))
            guard let (first, end) = try ends(of: segment), first < end else { continue }
            programme.append(segment: index, first: first, length: end - first)
        }
        return programme
    }

    /// In source time; `nil` where no picture lies in the range.
    private func ends(of segment: PlannedSegment) throws -> (Rational, Rational)? {
        let source = plan.sources[segment.source]
        guard source.videoStream != nil else {
            guard let end = segment.end else { throw ChunkObstacle.unknownLength(source.id) }
            return (segment.start, end)
        }
        let session = try sources.session(for: segment.source)
        let reader = session.reader
        guard let lane = reader.video else { throw ChunkObstacle.noPicture }
        guard reader.canSeek else { throw ChunkObstacle.notSeekable(source.id) }
        let base = lane.timeBase
        let start = segment.start.ticksRoundedUp(in: base)
        let end = segment.end?.ticksRoundedUp(in: base) ?? .max
        try session.begin(at: segment.start)
        guard let first = try nextPicture(reader, from: start), first.time < end else { return nil }
        if let over = try pictureAtEnd(reader, segment, end) {
            return (Rational(first.time) * base, Rational(over) * base)
        }
        let over = try endOfLastPicture(reader, segment, first: first.time, base)
        return (Rational(first.time) * base, Rational(over) * base)
    }

    /// - Returns: the time of the first picture at or after `end` ticks; `nil` where there is none.
    private func pictureAtEnd(_ reader: SourceReader, _ segment: PlannedSegment, _ end: Int64) throws -> Int64? {
        guard let asked = segment.end else { return nil }
        // What lies in between need not be decoded.
        _ = try reader.position(atOrBefore: max(segment.start, asked))
        reader.passOver(before: asked)
        return try nextPicture(reader, from: end)?.time
    }

    /// The first picture from `tick` on, left in place.
    private func nextPicture(_ reader: SourceReader, from tick: Int64) throws -> VideoFrame? {
        while let picture = try reader.peekVideo() {
            if picture.time >= tick { return picture }
            reader.takeVideo()
        }
        return nil
    }

    /// When the source's last picture is over, in ticks.
    private func endOfLastPicture(
        _ reader: SourceReader, _ segment: PlannedSegment, first: Int64, _ base: Rational
    ) throws -> Int64 {
        let source = plan.sources[segment.source]
        let near = [source.videoEnd, source.duration].compactMap(\.self).min() ?? segment.start
        var last: (time: Int64, duration: Int64)?
        // Two pictures must be seen, unless there is only one: the last may not say how long it is.
        for back in [1, 10, 100, 1000] as [Int64] {
            let from = max(segment.start, near - Rational(back))
            _ = try reader.position(atOrBefore: from)
            var seen = 0
            (last, seen) = try lastPicture(reader, first: first)
            if seen > 1 || from == segment.start { break }
        }
        guard let last, last.time >= first else { throw ChunkObstacle.unknownLength(source.id) }
        return PictureEnd.time(
            of: last.time, duration: last.duration,
            usual: plan.video.map { $0.nominalFrameRate.inverse.ticks(in: base) } ?? 1, told: source.videoEnd,
            timeBase: base)
    }

    /// Reads to the source's end.
    ///
    /// - Returns: its last picture, in ticks, the distance to the one before standing in for an unknown duration; and how
    ///   many there were from `first` on.
    private func lastPicture(
        _ reader: SourceReader, first: Int64
    ) throws -> (last: (time: Int64, duration: Int64)?, seen: Int) {
        var last: (time: Int64, duration: Int64)?
        var seen = 0
        while let picture = try reader.peekVideo() {
            reader.takeVideo()
            guard picture.time >= first, picture.time > last?.time ?? .min else { continue }
            let spacing = last.map { picture.time - $0.time } ?? 0
            last = (picture.time, picture.frame.duration > 0 ? picture.frame.duration : spacing)
            seen += 1
        }
        return (last, seen)
    }
}
