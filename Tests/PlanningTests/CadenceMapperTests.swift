import Model
import Planning
import TestSupport
import Testing

@Suite("Resampling frame times to one rate")
struct CadenceMapperTests {
    /// Which frame each tick shows.
    private static func shown(_ times: [Rational], length: Rational, rate: Rational) -> [Int] {
        var mapper = CadenceMapper(framesPerSecond: rate)
        var ticks: [Int] = []
        for (frame, time) in times.enumerated() {
            let filled = mapper.advance(toFrameAt: time)
            if frame > 0 { ticks += filled.map { _ in frame - 1 } }
        }
        ticks += mapper.finish(at: length).map { _ in times.count - 1 }
        return ticks
    }

    @Test("to the same rate shows each frame once")
    func sameRate() {
        let times = (0..<100).map { Rational(Int64($0) * 1001, 30000) }
        let ticks = Self.shown(times, length: Rational(100 * 1001, 30000), rate: Rational(30000, 1001))
        #expect(ticks == Array(0..<100))
    }

    @Test("to twice the rate shows each frame twice")
    func doubled() {
        let ticks = Self.shown((0..<5).map { Rational($0, 25) }, length: Rational(5, 25), rate: Rational(50))
        #expect(ticks == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    }

    @Test("to half the rate leaves out every other frame")
    func halved() {
        let ticks = Self.shown((0..<6).map { Rational($0, 60) }, length: Rational(6, 60), rate: Rational(30))
        #expect(ticks.count == 3)
        #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $1 - $0 == 2 })
    }

    @Test("is not thrown off by clocks of whole milliseconds")
    func milliseconds() {
        let times = (0..<300).map { Rational(Rational(Int64($0), 30).milliseconds, 1000) }
        #expect(Self.shown(times, length: Rational(10), rate: Rational(30)) == Array(0..<300))
    }

    @Test("fills every tick exactly once, in order, with a frame that is nearly due", arguments: [UInt64](1...100))
    func properties(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var times = [Rational.zero]
        for _ in 0..<Int.random(in: 0...60, using: &random) {
            times.append((times.last ?? .zero) + Rational(.random(in: 1...200, using: &random), 1000))
        }
        let length = (times.last ?? .zero) + Rational(.random(in: 1...100, using: &random), 1000)
        let rate = try #require(
            [Rational(25), Rational(30000, 1001), Rational(60), Rational(7)].randomElement(using: &random))
        let ticks = Self.shown(times, length: length, rate: rate)
        #expect(Int64(ticks.count) == length.ticks(in: rate.inverse), "as many ticks as the length has")
        #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0 <= $1 }, "never back")
        for (tick, frame) in ticks.enumerated() {
            let instant = Rational(Int64(tick)) / rate
            let half = Rational(1, 2) / rate
            #expect(times[frame] <= instant + half, "frame \(frame) at tick \(tick) comes too early")
            if frame + 1 < times.count {
                #expect(times[frame + 1] >= instant - half, "frame \(frame) at tick \(tick) stays too long")
            }
        }
    }
}
