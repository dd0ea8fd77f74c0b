import Foundation
import Media
import Model
import TestSupport
import Testing

@testable import Engine
@testable import Planning

/// Samples go in as frames and must come out as they were, where nothing is to be done to them.
@Suite("The sound of a segment")
struct SegmentSoundTests {
    private static let rate = 8000
    private static let format = AudioFormat(sampleRate: rate, layout: .mono)
    private static let tick = Rational(1, Int64(rate))

    /// A sample that tells where in the source it was: never zero, and no two alike within 4000.
    private static func sample(_ place: Int) -> Float { 0.25 + Float(place % 4000) / 8000 }

    /// One run of samples that begins at `start` of the source and tells its own place.
    private static func frame(from start: Int, count: Int) throws -> AudioFrame {
        let frame = try Frame.samples(count: count, rate: rate, layout: .mono)
        let samples = frame.samples(channel: 0)
        for index in 0..<count { samples[index] = sample(start + index) }
        return AudioFrame(frame, time: Int64(start))
    }

    /// Everything a segment gives when the source has sound in these ranges, taken in pieces of `step` samples.
    private static func heard(
        origin: Int, length: Int, source: [Range<Int>], shape: SegmentSound.Shape = .init(), step: Int = .max
    ) throws -> [Float] {
        let sound = SegmentSound(format: format, timeBase: tick, origin: Rational(Int64(origin)) * tick, shape: shape)
        for range in source {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: 160) {
                try sound.feed(frame(from: start, count: min(160, range.upperBound - start)))
            }
        }
        try sound.finish(length: Int64(length))
        var output = Samples(channels: 1)
        var position = 0
        while position < length {
            position = step < length - position ? position + step : length
            sound.take(upTo: Int64(position), length: Int64(length), into: &output)
        }
        return Array(output[channel: 0])
    }

    private static func original(_ range: Range<Int>) -> [Float] { range.map(sample) }

    @Test("is the source's samples from the origin on, whole and in place", arguments: [0, 1, 159, 160, 161, 777])
    func startsAtOrigin(origin: Int) throws {
        let heard = try Self.heard(origin: origin, length: 1000, source: [0..<4000])
        #expect(heard == Self.original(origin..<origin + 1000))
    }

    @Test("begins with silence when the source's sound comes later")
    func lateSound() throws {
        let heard = try Self.heard(origin: 100, length: 1000, source: [500..<4000])
        #expect(heard == [Float](repeating: 0, count: 400) + Self.original(500..<1100))
    }

    @Test("ends with silence when the source's sound ends before")
    func earlyEnd() throws {
        let heard = try Self.heard(origin: 0, length: 1000, source: [0..<700])
        #expect(heard == Self.original(0..<700) + [Float](repeating: 0, count: 300))
    }

    @Test("is silent throughout where the source has none", arguments: [[Range<Int>](), [0..<100]])
    func noSound(source: [Range<Int>]) throws {
        #expect(try Self.heard(origin: 200, length: 500, source: source) == [Float](repeating: 0, count: 500))
    }

    @Test("keeps a hole as long as it was, and what follows in its place")
    func hole() throws {
        let heard = try Self.heard(origin: 80, length: 2000, source: [0..<800, 1600..<4000])
        let expected =
            Self.original(80..<800) + [Float](repeating: 0, count: 800) + Self.original(1600..<2080)
        #expect(heard == expected)
    }

    @Test("keeps a hole whatever is fetched of it when, and ends inside one", arguments: [1, 100, 900, .max])
    func holeInPieces(step: Int) throws {
        let silence = [Float](repeating: 0, count: 2000)
        let source = [0..<500, 2500..<4000]
        let whole = try Self.heard(origin: 0, length: 3500, source: source, step: step)
        #expect(whole == Self.original(0..<500) + silence + Self.original(2500..<3500))
        let part = try Self.heard(origin: 0, length: 1700, source: source, step: step)
        #expect(part == Self.original(0..<500) + silence.prefix(1200))
        let late = try Self.heard(origin: 1000, length: 1700, source: source, step: step)
        #expect(late == silence.prefix(1500) + Self.original(2500..<2700))
    }

    @Test("takes a wandering clock for one stream", arguments: [-20, -3, 5, 40])
    func jitter(drift: Int) throws {
        let sound = SegmentSound(format: Self.format, timeBase: Self.tick, origin: .zero)
        try sound.feed(Self.frame(from: 0, count: 800))
        let late = try Frame.samples(count: 800, rate: Self.rate, layout: .mono)
        for index in 0..<800 { late.samples(channel: 0)[index] = Self.sample(800 + index) }
        try sound.feed(AudioFrame(late, time: Int64(800 + drift)))
        try sound.finish(length: 1600)
        var output = Samples(channels: 1)
        sound.take(upTo: 1600, length: 1600, into: &output)
        #expect(Array(output[channel: 0]) == Self.original(0..<1600))
    }

    @Test("is the same however it is fetched", arguments: [UInt64](1...20))
    func piecewise(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let (start, length) = (Int.random(in: 0..<400, using: &random), Int.random(in: 200...3000, using: &random))
        let edges = (0..<4).map { _ in Int.random(in: start...start + length, using: &random) }.sorted()
        var shape = SegmentSound.Shape(fadesIn: .random(using: &random), fadesOut: .random(using: &random))
        shape.effects = [(edges[0], edges[1], SoundEffect.Kind.mute), (edges[2], edges[3], .bleep)].map {
            SoundEffect(start: Rational(Int64($0)) * Self.tick, end: Rational(Int64($1)) * Self.tick, kind: $2)
        }
        let whole = try Self.heard(origin: start, length: length, source: [0..<4000], shape: shape)
        let step = Int.random(in: 1...300, using: &random)
        #expect(try Self.heard(origin: start, length: length, source: [0..<4000], shape: shape, step: step) == whole)
    }

    @Test("fades for 5 ms at a seam, and nowhere else")
    func fades() throws {
        let shape = SegmentSound.Shape(fadesIn: true, fadesOut: true)
        let heard = try Self.heard(origin: 0, length: 1000, source: [0..<4000], shape: shape)
        let original = Self.original(0..<1000)
        let gains = zip(heard, original).map { $0 / $1 }
        #expect(gains[0] == 0 && gains[999] < 0.05)
        #expect(zip(gains[0..<40], gains[1...40]).allSatisfy { $0 < $1 }, "rises all the way")
        #expect(Array(heard[40...960]) == Array(original[40...960]))
        #expect(zip(gains[960..<999], gains[961..<1000]).allSatisfy { $0 > $1 }, "falls all the way")
        #expect(zip(gains, gains.dropFirst()).allSatisfy { abs($1 - $0) < 0.03 }, "no step anywhere")
    }

    @Test("mutes its range and touches nothing outside it")
    func mute() throws {
        var shape = SegmentSound.Shape()
        shape.effects = [SoundEffect(start: Rational(5, 80), end: Rational(10, 80), kind: .mute)]
        let heard = try Self.heard(origin: 100, length: 2000, source: [0..<4000], shape: shape)
        let original = Self.original(100..<2100)
        #expect(Array(heard[..<400]) == Array(original[..<400]))
        #expect(heard[440..<860].allSatisfy { $0 == 0 })
        #expect(Array(heard[900...]) == Array(original[900...]))
        let gains = zip(heard, original).map { $0 / $1 }
        #expect(zip(gains, gains.dropFirst()).allSatisfy { abs($1 - $0) < 0.03 }, "no click at its edges")
    }

    @Test("bleeps its range at 1 kHz in place of the sound")
    func bleep() throws {
        var shape = SegmentSound.Shape()
        shape.effects = [SoundEffect(start: Rational(5, 80), end: Rational(20, 80), kind: .bleep)]
        let heard = try Self.heard(origin: 0, length: 3000, source: [0..<4000], shape: shape)
        let original = Self.original(0..<3000)
        #expect(Array(heard[..<500]) == Array(original[..<500]))
        #expect(Array(heard[2000...]) == Array(original[2000...]))
        let inside = heard[600..<1880]
        #expect(abs(Sound.amplitude(of: 1000, in: inside, rate: Self.rate) - 0.1) < 0.005)
        let tone = inside.enumerated().map { index, _ in
            0.1 * Float(sin(2 * Double.pi * 1000 * Double(100 + index) / Double(Self.rate)))
        }
        #expect(zip(inside, tone).allSatisfy { abs($0 - $1) < 0.001 }, "nothing but the tone")
    }
}
