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
    /// A stream has that share of what its run has read, and the next begins in its second half: what is ahead of a run
    /// when it ends was in vain.
    private static let streamShare: Int64 = 12
    /// When what a stream may bring before it is wanted, and what is in sockets, is less than that share of what its run
    /// has read, streams are as long as that: every one costs a store something.
    private static let longAfterBytes: Int64 = 192 << 20
    private static let longestStream: Int64 = 1 << 30
    /// Over so much a run may jump and go on.
    private static let jumpBytes: Int64 = 256 << 10
    private static let mostRuns = 4

    /// Nothing will have been fetched in vain.
    var isWhole = false
    /// The last used one last.
    private var runs: [Run] = []

    /// What a read says about what will be wanted next.
    struct Advice: Equatable {
        /// Bytes to fetch when some are missing.
        var window: Int
        /// Bytes to have streamed before they are missing; 0 for none.
        var streamBytes: Int64
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
        return Advice(window: Self.window(after: before), streamBytes: stream(after: run.consumed))
    }

    private func stream(after consumed: Int64) -> Int64 {
        guard consumed >= Self.aheadAfterBytes else { return 0 }
        if isWhole { return Self.longestStream }
        if consumed >= Self.longAfterBytes { return min(Self.longestStream, consumed) }
        return max(consumed / Self.streamShare, Int64(Self.smallestWindow))
    }

    /// A power of two.
    private static func window(after consumed: Int64) -> Int {
        let wanted = max(min(consumed, doublingBytes), consumed / share)
        var window = smallestWindow
        while window < largestWindow, Int64(window) * 2 <= wanted { window *= 2 }
        return window
    }
}
