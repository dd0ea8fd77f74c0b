import Foundation
import Model
import TestSupport

/// Cut lists that nobody chose.
enum RandomCuts {
    typealias List = [(start: Rational, end: Rational?)]

    /// The same for a case each time, so that a change is judged by what it changes; a thorough run takes new ones, and
    /// REELPOOL_SEED repeats what failed.
    static func seed(of index: Int) -> UInt64 {
        if let told = ProcessInfo.processInfo.environment["REELPOOL_SEED"].flatMap(UInt64.init) { return told }
        return Thoroughness.isFull ? .random(in: 0..<1_000_000) : 2000 + UInt64(index)
    }

    /// One to four ranges of whole milliseconds, in any order, which may overlap, be empty and reach beyond the end;
    /// together they keep something.
    ///
    /// - Parameters:
    ///   - shown: the source's own frames.
    ///   - fromBeginning: the first range begins at 0, where sound may begin before the picture.
    static func list(
        of shown: ReferenceVideo, fromBeginning: Bool, using random: inout SeededGenerator
    ) -> List {
        let milliseconds = Int64(shown.end.seconds * 1000)
        while true {
            var ranges: List = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let start =
                    fromBeginning && ranges.isEmpty
                    ? 0 : Int64.random(in: 0...milliseconds - min(500, milliseconds / 2), using: &random)
                let end = Int64.random(in: start + 20...milliseconds + 200, using: &random)
                ranges.append((Rational(start, 1000), end > milliseconds - 10 ? nil : Rational(end, 1000)))
            }
            if !ExpectedProgramme(shown, ranges: ranges).frames.isEmpty { return ranges }
        }
    }
}
