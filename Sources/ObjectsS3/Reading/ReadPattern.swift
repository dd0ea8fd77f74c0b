/// How an object is read: in a few runs at a time, such as picture and sound of a file in which they lie apart.
struct ReadPattern {
    private struct Run {
        var next: Int64
        /// So many bytes in sequence.
        var consumed: Int64
    }

    static let smallestWindow = 64 << 10
    static let largestWindow = 4 << 20
    /// Runs of fewer bytes double their window each time; longer ones have a share of what they have read, so that what
    /// was fetched in vain is little beside what was not, wherever a run ends.
    private static let doublingBytes: Int64 = 256 << 10
    private static let share: Int64 = 16
    /// Runs shorter than that may be a look at a header: nothing is fetched ahead of them.
    private static let aheadAfterBytes: Int64 = 512 << 10
    /// What is ahead of a run when it ends was in vain.
    private static let aheadShare: Int64 = 8
    private static let largestPiece = 8 << 20
    private static let mostAhead = 3 * largestPiece
    /// Over so much a run may jump and go on.
    private static let jumpBytes: Int64 = 256 << 10
    private static let mostRuns = 4

    /// The last used one last.
    private var runs: [Run] = []

    /// What a read says about what will be wanted next.
    struct Advice: Equatable {
        /// Bytes to fetch when some are missing.
        var window: Int
        /// Bytes to fetch before they are missing, ...
        var aheadBytes: Int
        /// ... in pieces of so many.
        var pieceBytes: Int
    }

    mutating func note(offset: Int64, count: Int) -> Advice {
        let end = offset + Int64(count)
        let index = runs.lastIndex { offset >= $0.next - Int64(count) && offset <= $0.next + Self.jumpBytes }
        var run = index.map { runs.remove(at: $0) } ?? Run(next: offset, consumed: 0)
        // What is read twice is no progress.
        run.consumed += max(0, end - max(offset, run.next))
        run.next = max(run.next, end)
        runs.append(run)
        if runs.count > Self.mostRuns { runs.removeFirst() }
        let before = run.consumed - Int64(count)
        let piece = Self.window(after: run.consumed, atMost: Self.largestPiece)
        return Advice(
            window: Self.window(after: before, atMost: Self.largestWindow),
            aheadBytes: run.consumed < Self.aheadAfterBytes
                ? 0 : min(Self.mostAhead, max(Int(run.consumed / Self.aheadShare), piece)),
            pieceBytes: piece)
    }

    /// A power of two.
    private static func window(after consumed: Int64, atMost largest: Int) -> Int {
        let wanted = max(min(consumed, doublingBytes), consumed / share)
        var window = smallestWindow
        while window < largest, Int64(window) * 2 <= wanted { window *= 2 }
        return window
    }
}
