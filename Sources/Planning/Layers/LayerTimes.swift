internal import Model

/// When each layer is shown, on the edit's clock, and from that the stretches of segments in which they are.
struct LayerTimes {
    private struct Shown {
        var range: ProgrammeRange
        var layer: Layer
    }

    /// By their starts.
    private let shown: [Shown]
    /// Those that are shown in the latest segment, or may be in the next.
    private var current: [Shown] = []
    private var next = 0

    init(_ ranges: [(range: ProgrammeRange, layer: Layer)]) {
        shown = ranges.map { Shown(range: $0.range, layer: $0.layer) }.sorted { $0.range.start < $1.range.start }
    }

    /// The stretches of a segment. Segments are asked for in the clock's order.
    ///
    /// - Parameters:
    ///   - range: the segment's, on the edit's clock.
    ///   - offset: of that clock to the segment's source: source time is its time less this.
    mutating func stretches(in range: ProgrammeRange, offset: Rational) -> [LayerStretch] {
        current.removeAll { $0.range.end <= range.start }
        while next < shown.count, shown[next].range.start < range.end {
            if shown[next].range.end > range.start { current.append(shown[next]) }
            next += 1
        }
        let inside = current.map { ($0.layer, max($0.range.start, range.start), min($0.range.end, range.end)) }
            .filter { $0.1 < $0.2 }
        let times = Set(inside.flatMap { [$0.1, $0.2] }).sorted()
        // One pass over the starts; what has ended leaves.
        var starting = inside.sorted { $0.1 < $1.1 }[...]
        var active: [(layer: Layer, end: Rational)] = []
        var stretches: [LayerStretch] = []
        for (start, end) in zip(times, times.dropFirst()) {
            active.removeAll { $0.end <= start }
            while let first = starting.first, first.1 <= start {
                active.append((first.0, first.2))
                starting.removeFirst()
            }
            guard !active.isEmpty else { continue }
            stretches.append(
                LayerStretch(start: start - offset, end: end - offset, layers: active.map(\.layer).sorted()))
        }
        return stretches
    }
}
