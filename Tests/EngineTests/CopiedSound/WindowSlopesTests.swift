import Testing

@testable import Engine
@testable import Planning

@Suite("AAC's window slopes")
struct WindowSlopesTests {
    @Test("let overlapping halves add up to the whole", arguments: [AACBlockHead.Shape.sine, .kaiserBessel])
    func princenBradley(shape: AACBlockHead.Shape) {
        let slope = WindowSlopes.slope(shape)
        #expect(slope.count == 1024)
        #expect(zip(slope, slope.dropFirst()).allSatisfy { $0 < $1 })
        #expect(zip(slope, slope.reversed()).allSatisfy { abs($0 * $0 + $1 * $1 - 1) < 1e-12 })
    }

    /// Source: the first and last values of the normative window tables have these magnitudes.
    @Test("begin as the standard's do")
    func firstValues() {
        #expect(abs((WindowSlopes.sine.first ?? 0) - 0.000767) < 1e-6)
        #expect(abs((WindowSlopes.kaiserBessel.first ?? 0) - 0.000293) < 1e-6)
    }

    @Test("are taken to one another and back by what they differ")
    func correction() {
        let there = WindowSlopes.correction(from: .kaiserBessel, to: .sine, rising: true)
        let back = WindowSlopes.correction(from: .sine, to: .kaiserBessel, rising: true)
        #expect(zip(there, back).allSatisfy { abs($0 * $1 - 1) < 1e-4 })
        #expect(there.allSatisfy { (0.9...13).contains($0) })
        #expect(WindowSlopes.correction(from: .kaiserBessel, to: .sine, rising: false) == there.reversed())
    }
}
