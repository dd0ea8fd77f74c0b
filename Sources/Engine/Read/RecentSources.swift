/// The sources of one run that are open: few at once, since each holds decoders, their frames, and what was read ahead.
struct RecentSources<Opened> {
    /// Kept open at once.
    private static var limit: Int { 3 }

    /// Most recently used last.
    private var kept: [(source: Int, opened: Opened)] = []

    /// - Parameters:
    ///   - source: into the plan's sources.
    ///   - close: is given the one that was not used for the longest time, where there is no room.
    mutating func opened(
        _ source: Int, open: (Int) throws -> Opened, close: (Opened) -> Void
    ) rethrows -> Opened {
        if let position = kept.firstIndex(where: { $0.source == source }) {
            kept.append(kept.remove(at: position))
        } else {
            if kept.count == Self.limit { close(kept.removeFirst().opened) }
            kept.append((source, try open(source)))
        }
        return kept[kept.count - 1].opened
    }

    var all: [Opened] { kept.map(\.opened) }
}
