import Model
import TestSupport
import Testing

@testable import Planning

@Suite("Sound on a grid of packets")
struct PacketGridTests {
    private static let grid = PacketGrid(sampleRate: 48000)

    @Test("counts frames from the programme's beginning, the run-in before it")
    func frames() {
        #expect(Self.grid.samples(ofFrame: -1) == -1024..<0)
        #expect([-1025, -1024, -1, 0, 1023, 1024].map(Self.grid.frame(ofSample:)) == [-2, -1, -1, 0, 0, 1])
        #expect([-1024, -1023, 0, 1, 1024, 1025].map(Self.grid.frame(atOrAfter:)) == [-1, 0, 0, 1, 1, 2])
        #expect(Self.grid.packets(end: 1) == -1..<1)
        #expect(Self.grid.packets(end: 2048) == -1..<2)
        #expect(Self.grid.packets(end: 2049) == -1..<3)
    }

    @Test("moves nothing that lies on it already", arguments: [8000, 44100, 48000, 96000])
    func onGrid(rate: Int) {
        let grid = PacketGrid(sampleRate: rate)
        for frame in [Int64(-1), 0, 1, 7919, 168_750] {
            let placement = grid.placement(at: Rational(frame * 1024, Int64(rate)))
            #expect(placement == PacketPlacement(frame: frame, shift: .zero))
        }
    }

    /// An hour of programme in 500 pieces whose lengths are frames of pictures and whose sound begins anywhere.
    @Test("moves sound by half a packet at most, an hour and 500 cuts later, too", arguments: [UInt64](1...20))
    func neverAccumulates(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let rate = try #require([44100, 48000, 22050].randomElement(using: &random))
        let grid = PacketGrid(sampleRate: rate)
        let half = Rational(512, Int64(rate))
        let pictures = [Rational(1001, 30000), Rational(1, 25), Rational(1, 90000)]
        let picture = try #require(pictures.randomElement(using: &random))
        let usual = (Rational(3600) / Rational(500)).ticks(in: picture)
        var start = Rational.zero
        var lastEnd = Rational.zero
        for _ in 0..<500 {
            let length = Rational(Int64.random(in: usual / 2...usual * 3 / 2, using: &random)) * picture
            // Any packet of the segment must lead to the same place.
            let origin = Rational(Int64.random(in: 0...100_000_000, using: &random), 90_000)
            let packet = Rational(Int64.random(in: -3...400, using: &random) * 1024, Int64(rate))
            let first = origin + Rational(Int64.random(in: 0...1023, using: &random), Int64(rate))
            let placed = grid.placement(at: start + first - origin)
            let later = grid.placement(at: start + first + packet - origin)
            try #require(distance(placed.shift, .zero) <= half, "seed \(seed), at \(start.seconds) s")
            #expect(later.shift == placed.shift || distance(later.shift, placed.shift) == half + half)
            #expect(placed.shift == Rational(placed.frame) * grid.frameSeconds - (start + first - origin))
            lastEnd = start + length
            start = lastEnd
        }
        #expect(lastEnd > Rational(3000), "about an hour")
    }
}
