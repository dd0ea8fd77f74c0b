import Foundation

/// How many of their cases the tests of many alike take: each a few, which together have all there are, or all of them.
package enum Thoroughness {
    /// `make test-thorough`.
    package static let isFull = ProcessInfo.processInfo.environment["REELPOOL_THOROUGH"] == "1"
}

extension Collection where Index == Int {
    /// So many elements, other ones for each turn, and all of them in a thorough run.
    ///
    /// - Parameter turn: the number of the case that takes them, from 0: turns together take every element.
    package func few(_ count: Int, turn: Int) -> [Element] {
        guard !Thoroughness.isFull, count < self.count else { return Array(self) }
        return (0..<count).map { self[startIndex + (turn * count + $0) % self.count] }
    }
}
