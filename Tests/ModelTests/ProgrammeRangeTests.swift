import Model
import TestSupport
import Testing

@Suite("A programme range")
struct ProgrammeRangeTests {
    private static func range(_ start: Int64, _ end: Int64) -> ProgrammeRange {
        ProgrammeRange(start: Rational(start), end: Rational(end))
    }

    @Test(
        "joins with what it overlaps or touches",
        arguments: [
            ([], []), ([range(1, 2)], [range(1, 2)]), ([range(1, 2), range(2, 3)], [range(1, 3)]),
            ([range(5, 9), range(1, 6)], [range(1, 9)]), ([range(1, 9), range(3, 4)], [range(1, 9)]),
            ([range(7, 8), range(1, 2), range(4, 5)], [range(1, 2), range(4, 5), range(7, 8)]),
            ([range(1, 2), range(1, 2)], [range(1, 2)]),
        ] as [([ProgrammeRange], [ProgrammeRange])])
    func union(ranges: [ProgrammeRange], expected: [ProgrammeRange]) {
        #expect(ProgrammeRange.union(ranges) == expected)
    }

    @Test(
        "is what is left after cuts",
        arguments: [
            ([], [range(0, 10)]), ([range(0, 10)], []), ([range(-5, 20)], []), ([range(0, 3)], [range(3, 10)]),
            ([range(8, 12)], [range(0, 8)]), ([range(2, 4), range(4, 6)], [range(0, 2), range(6, 10)]),
            ([range(6, 8), range(1, 3)], [range(0, 1), range(3, 6), range(8, 10)]), ([range(10, 12)], [range(0, 10)]),
            ([range(-2, 0)], [range(0, 10)]),
        ] as [([ProgrammeRange], [ProgrammeRange])])
    func removing(cuts: [ProgrammeRange], expected: [ProgrammeRange]) {
        #expect(Self.range(0, 10).removing(cuts) == expected)
    }

    @Test("loses exactly the points that are cut", arguments: [UInt64](1...50))
    func points(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let cuts = (0..<Int.random(in: 0...8, using: &random)).map { _ in
            let start = Int64.random(in: -10...110, using: &random)
            return Self.range(start, start + .random(in: 1...30, using: &random))
        }
        let left = Self.range(0, 100).removing(cuts)
        for point in Int64(0)..<100 {
            let instant = Rational(2 * point + 1, 2)
            let isCut = cuts.contains { $0.start <= instant && instant < $0.end }
            #expect(left.contains { $0.start <= instant && instant < $0.end } == !isCut, "at \(instant)")
        }
        #expect(left.allSatisfy { $0.start < $0.end })
        #expect(zip(left, left.dropFirst()).allSatisfy { $0.end < $1.start }, "sorted, apart, none touching")
    }
}
