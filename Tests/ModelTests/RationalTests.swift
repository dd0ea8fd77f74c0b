import Foundation
import Model
import TestSupport
import Testing

@Suite("A rational")
struct RationalTests {
    @Test(
        "is in lowest terms with a positive denominator",
        arguments: [
            ((6, 4), (3, 2)), ((-6, 4), (-3, 2)), ((6, -4), (-3, 2)), ((-6, -4), (3, 2)), ((0, -7), (0, 1)),
            ((90000, 3003), (30000, 1001)), ((.max, .max), (1, 1)),
        ] as [((Int64, Int64), (Int64, Int64))])
    func lowestTerms(given: (Int64, Int64), expected: (Int64, Int64)) {
        let rational = Rational(given.0, given.1)
        #expect(rational.numerator == expected.0)
        #expect(rational.denominator == expected.1)
    }

    @Test(
        "rounds to the nearest tick, halves away from zero",
        arguments: [
            (Rational(1, 2), 1), (Rational(-1, 2), -1), (Rational(3, 2), 2), (Rational(-3, 2), -2), (Rational(1, 3), 0),
            (Rational(2, 3), 1), (Rational(-2, 3), -1), (Rational(7), 7), (.zero, 0), (Rational(49, 100), 0),
        ] as [(Rational, Int64)])
    func rounding(value: Rational, ticks: Int64) {
        #expect(value.ticks(in: .one) == ticks)
        #expect((value / Rational(1000)).milliseconds == ticks)
    }

    @Test(
        "rounds up to the first tick that is not before it",
        arguments: [
            (Rational(1, 3), 1), (Rational(-1, 3), 0), (Rational(1), 1), (Rational(-1), -1), (Rational(-4, 3), -1),
            (Rational(1_000_001, 1_000_000), 2), (.zero, 0),
        ] as [(Rational, Int64)])
    func roundingUp(value: Rational, ticks: Int64) {
        #expect(value.ticksRoundedUp(in: .one) == ticks)
    }

    @Test("saturates where ticks do not fit")
    func saturation() {
        #expect(Rational(.max).ticks(in: Rational(1, 1000)) == .max)
        #expect(Rational(-.max).ticks(in: Rational(1, 1000)) == .min)
        #expect(Rational(.max).ticksRoundedUp(in: Rational(1, 1000)) == .max)
    }

    @Test("is compared exactly even where doubles are equal")
    func exactComparison() {
        let (smaller, larger) = (Rational(.max - 1, .max), Rational(.max - 2, .max - 1))
        #expect(smaller.seconds == larger.seconds)
        #expect(larger < smaller)
        #expect(!(smaller < larger))
        #expect(Rational(1, 3) < Rational(333_333_333_333_334, 1_000_000_000_000_000))
    }

    @Test("stays near the true value where a sum does not fit 64 bits")
    func overflowingSum() {
        let sum = Rational(1, 4_294_967_311) + Rational(1, 4_294_967_357) + Rational(5)
        #expect(abs(sum.seconds - 5) < 1e-8)
    }

    @Test("is written as a fraction and read again", arguments: [Rational(30000, 1001), Rational(-1, 3), .zero])
    func coding(value: Rational) throws {
        let data = try JSONEncoder().encode([value])
        #expect(String(decoding: data, as: UTF8.self).contains("\(value.numerator)"))
        #expect(try JSONDecoder().decode([Rational].self, from: data) == [value])
    }

    @Test(
        "is not read from anything else",
        arguments: ["30", "1/0", "1/-2", "/", "1/2/3", "a/b", "", " 1/2", "9223372036854775808/1"])
    func badText(text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Rational].self, from: Data("[\"\(text)\"]".utf8))
        }
    }

    /// The seed is the test's argument, and so is in every failure's report.
    @Test("obeys arithmetic", arguments: [UInt64](1...50))
    func arithmetic(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func next() -> Rational {
            Rational(.random(in: -1_000_000...1_000_000, using: &random), .random(in: 1...100_000, using: &random))
        }
        let (left, right, other) = (next(), next(), next())
        #expect(left + right == right + left)
        #expect(left - right + right == left)
        #expect((left + right) * other == left * other + right * other)
        #expect(left * right == right * left)
        if right != .zero { #expect(left / right * right == left) }
        #expect((left < right) == (left.seconds < right.seconds) || left == right)
        #expect((left < right) != (right <= left))
        #expect(left + .zero == left && left * .one == left)
    }

    @Test("is within half a tick of its ticks", arguments: [UInt64](1...50))
    func tickError(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let value = Rational(.random(in: -1_000_000...1_000_000, using: &random), .random(in: 1...9999, using: &random))
        let tick = Rational(1, [1000, 15360, 30000, 44100, 48000, 90000].randomElement(using: &random) ?? 1)
        let nearest = Rational(value.ticks(in: tick)) * tick
        #expect(distance(nearest, value) + distance(nearest, value) <= tick)
        let above = Rational(value.ticksRoundedUp(in: tick)) * tick
        #expect(above >= value && above - value < tick)
    }
}

@Suite("Seconds")
struct MillisecondsTests {
    @Test("are as many milliseconds as their decimals say, and what is more begins another")
    func roundedUp() {
        for milliseconds in Int64(0)...600_000 {
            let seconds = Double(milliseconds) / 1000
            guard seconds.millisecondsRoundedUp != milliseconds else { continue }
            Issue.record("\(milliseconds) ms become \(String(describing: seconds.millisecondsRoundedUp))")
        }
        #expect(1.00001.millisecondsRoundedUp == 1001 && (1.0 / 3).millisecondsRoundedUp == 334)
        #expect(5400.0005.millisecondsRoundedUp == 5_400_001)
        #expect((-0.001).millisecondsRoundedUp == nil && 1e11.millisecondsRoundedUp == nil)
        #expect(Double.nan.millisecondsRoundedUp == nil && Double.infinity.millisecondsRoundedUp == nil)
    }
}
