package import Model

extension MediaBound {
    /// What a task says itself that it may come to: a render whose ranges all have ends, at a size that it names. `nil`
    /// where that depends on its sources.
    package static func declared(by document: TaskDocument) -> MediaBound? {
        guard case .render(let task) = document, case .timeline(let ranges) = task.edit.programme,
            let side = task.edit.settings.resolution.shortSide, ranges.allSatisfy({ $0.end != nil })
        else { return nil }
        let milliseconds = ranges.reduce(0) { $0 + length(of: $1, sourceMilliseconds: 0) }
        return ResolutionClass(width: side, height: side)
            .map { MediaBound(resolution: $0, milliseconds: milliseconds) }
    }

    /// What a job may come to at most, from what its sources are; by this it is priced. `nil` where a source does not say how
    /// long it is, or a picture is larger than any price goes.
    ///
    /// A proxy and an analysis are as long as their source and priced by its picture. A render is as long as the ranges that
    /// it plays, or as what its cuts leave.
    ///
    /// - Parameter probes: of the document's sources, in their order.
    package static func of(_ document: TaskDocument, _ probes: [ProbeReport]) -> MediaBound? {
        var played = Array(probes.indices)
        // Images that are laid over the programme make it neither longer nor larger.
        if case .render(let task) = document { played = task.edit.programmeSources.filter(probes.indices.contains) }
        var lengths: [Int64] = []
        for index in played {
            guard let length = probes[index].container.durationSeconds?.millisecondsRoundedUp else { return nil }
            lengths.append(length)
        }
        let pictures = played.flatMap { probes[$0].video }
        let largest = pictures.max { min($0.width, $0.height) < min($1.width, $1.height) }
        var milliseconds = lengths.reduce(0, +)
        var shortSide = largest.map { min($0.width, $0.height) } ?? 0
        if case .render(let task) = document {
            switch task.edit.programme {
            case .timeline(let ranges):
                let bySource = Dictionary(
                    zip(played.map { task.edit.sources[$0].id }, lengths), uniquingKeysWith: { first, _ in first })
                milliseconds = ranges.reduce(0) { $0 + length(of: $1, sourceMilliseconds: bySource[$1.source] ?? 0) }
            case .edits(let operations): milliseconds = length(keptOf: milliseconds, by: operations)
            }
            if largest != nil, let side = task.edit.settings.resolution.shortSide { shortSide = side }
        }
        return ResolutionClass(width: shortSide, height: shortSide)
            .map { MediaBound(resolution: $0, milliseconds: milliseconds) }
    }

    private static func length(of range: TimelineRange, sourceMilliseconds: Int64) -> Int64 {
        let start = range.start.seconds.seconds
        let end = range.end?.seconds.seconds ?? Double(sourceMilliseconds) / 1000
        return max(0, end - start).millisecondsRoundedUp ?? 0
    }

    private static func length(keptOf milliseconds: Int64, by operations: [EditOperation]) -> Int64 {
        let cuts = operations.filter { $0.action == .cut && $0.start.seconds < $0.end.seconds }
            .map { ProgrammeRange(start: $0.start.seconds, end: $0.end.seconds) }
        return ProgrammeRange(start: .zero, end: Rational(milliseconds, 1000)).removing(cuts)
            .reduce(0) { $0 + (($1.end - $1.start).seconds.millisecondsRoundedUp ?? 0) }
    }
}
