/// A half-open range `[start, end)` of exact seconds.
package struct ProgrammeRange: Sendable, Equatable {
    package var start: Rational
    package var end: Rational

    package init(start: Rational, end: Rational) { (self.start, self.end) = (start, end) }

    /// Sorted, with overlapping and touching ranges made one.
    package static func union(_ ranges: [ProgrammeRange]) -> [ProgrammeRange] {
        ranges.sorted { $0.start < $1.start }.reduce(into: []) { merged, range in
            if let last = merged.last, range.start <= last.end {
                merged[merged.count - 1].end = max(last.end, range.end)
            } else {
                merged.append(range)
            }
        }
    }

    /// What is left of this range, sorted, none empty.
    package func removing(_ cuts: [ProgrammeRange]) -> [ProgrammeRange] {
        var kept: [ProgrammeRange] = []
        var position = start
        for cut in Self.union(cuts) where cut.end > start && cut.start < end {
            if cut.start > position { kept.append(ProgrammeRange(start: position, end: cut.start)) }
            position = max(position, cut.end)
        }
        if position < end { kept.append(ProgrammeRange(start: position, end: end)) }
        return kept
    }
}
