package import Model

/// Where a segment of a plan lies in its source and in the programme, exactly, as its pictures have it.
package struct SegmentSpan: Codable, Sendable, Equatable {
    /// Into `RenderPlan.segments`.
    package var segment: Int
    /// The source time of its first picture (of its first sample, where the source has no picture), in seconds.
    package var first: Rational
    /// When it begins in the programme, in seconds.
    package var start: Rational
    /// From the first picture's time to that of the first one at or after the segment's end, in seconds.
    package var length: Rational

    package init(segment: Int, first: Rational, start: Rational, length: Rational) {
        (self.segment, self.first, self.start, self.length) = (segment, first, start, length)
    }

    /// When it is over in the programme, in seconds.
    package var end: Rational { start + length }
}

/// The programme that a plan comes to. A plan has times as they were asked for; only the sources' pictures tell when a
/// segment really begins and ends, and so when those behind it are shown.
package struct ProgrammeSpans: Codable, Sendable, Equatable {
    /// In the programme's order, without gaps; segments that hold no picture are left out.
    package private(set) var spans: [SegmentSpan] = []
    /// How long the programme lasts, in seconds.
    package private(set) var length = Rational.zero

    package init() {}

    /// - Parameters:
    ///   - first: the source time of the segment's first picture, in seconds.
    ///   - length: in seconds; above zero.
    package mutating func append(segment: Int, first: Rational, length added: Rational) {
        spans.append(SegmentSpan(segment: segment, first: first, start: length, length: added))
        length = length + added
    }

    /// The spans that show something in a range of output ticks: the last one that begins at or before its first tick,
    /// and those that begin before its end.
    package func spans(in ticks: Range<Int64>, timeBase: Rational) -> ArraySlice<SegmentSpan> {
        let end = firstIndex { $0.start.ticks(in: timeBase) >= ticks.upperBound }
        let behind = firstIndex { $0.start.ticks(in: timeBase) > ticks.lowerBound }
        return spans[min(end, max(0, behind - 1))..<end]
    }

    /// The tick of the span that begins nearest to one, and not further from it than `distance`.
    func seam(near tick: Int64, within distance: Int64, timeBase: Rational) -> Int64? {
        let behind = firstIndex { $0.start.ticks(in: timeBase) >= tick }
        let around = spans[max(0, behind - 1)..<min(spans.count, behind + 1)].map { $0.start.ticks(in: timeBase) }
        return around.filter { abs($0 - tick) <= distance }.min { abs($0 - tick) < abs($1 - tick) }
    }

    /// The first span for which something holds that then holds for all behind it.
    private func firstIndex(where holds: (SegmentSpan) -> Bool) -> Int {
        var (low, high) = (0, spans.count)
        while low < high {
            let middle = (low + high) / 2
            if holds(spans[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
