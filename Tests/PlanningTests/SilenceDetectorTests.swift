import Foundation
import Planning
import TestSupport
import Testing

@Suite("The silence detector")
struct SilenceDetectorTests {
    private static let padding = SilenceDetector.paddingMilliseconds
    private static let window = SilenceDetector.windowMilliseconds

    /// Levels in dBFS, each for so many milliseconds.
    private static func powers(_ stretches: (level: Double, milliseconds: Int)...) -> [Float] {
        stretches.flatMap { stretch in
            [Float](repeating: Float(pow(10, stretch.level / 10)), count: stretch.milliseconds / window)
        }
    }

    private static func silence(_ powers: [Float], _ minimum: Int = 300) -> [Range<Int>] {
        SilenceDetector.detect(powers: powers, minimumSilenceMilliseconds: minimum).silence.map { $0.start..<$0.end }
    }

    @Test(
        "maps pacing to the shortest pause", arguments: [(0, 3000), (50, 1650), (100, 300), (1, 2973), (99, 327)])
    func pacing(value: Int, milliseconds: Int) {
        #expect(SilenceDetector.minimumSilenceMilliseconds(pacing: value) == milliseconds)
    }

    @Test("takes a pacing out of bounds for the nearest one within", arguments: [(-5, 3000), (101, 300), (.max, 300)])
    func pacingBounds(value: Int, milliseconds: Int) {
        #expect(SilenceDetector.minimumSilenceMilliseconds(pacing: value) == milliseconds)
    }

    @Test("keeps a padding around speech, and none at the recording's own ends")
    func padded() {
        let found = Self.silence(Self.powers((-60, 500), (-20, 1000), (-60, 800), (-20, 1000), (-60, 400)))
        #expect(found == [0..<400, 1600..<2200, 3400..<3700])
    }

    @Test("reports a pause from the shortest length on", arguments: [(290, 0), (300, 1), (310, 1)])
    func shortest(milliseconds: Int, count: Int) {
        #expect(Self.silence(Self.powers((-20, 1000), (-60, milliseconds), (-20, 1000))).count == count)
    }

    @Test("reports nothing of a pause that its padding fills")
    func filled() {
        #expect(Self.silence(Self.powers((-20, 1000), (-60, 200), (-20, 1000)), 200) == [])
    }

    @Test("does not take a click for speech, but a syllable", arguments: [(10, 1), (20, 1), (30, 2), (100, 2)])
    func clicks(milliseconds: Int, count: Int) {
        let levels = Self.powers((-20, 1000), (-60, 600), (-20, milliseconds), (-60, 600), (-20, 1000))
        #expect(Self.silence(levels).count == count)
    }

    @Test("judges a recording by its own level", arguments: [0.0, -10, -20, -30])
    func relative(change: Double) {
        let levels = Self.powers(
            (-20 + change, 1000), (-70 + change, 700), (-24 + change, 1000), (-66 + change, 500), (-18 + change, 900))
        #expect(Self.silence(levels) == [1100..<1600, 2800..<3100])
    }

    @Test("hears speech over a noisy room, and a quiet speaker beside a loud one")
    func noisy() {
        let noisy = Self.powers((-20, 1000), (-38, 700), (-20, 1000))
        #expect(Self.silence(noisy) == [1100..<1600])
        let two = Self.powers((-14, 1000), (-60, 700), (-30, 1000), (-60, 700), (-14, 1000))
        #expect(Self.silence(two).count == 2)
    }

    @Test("finds no speech in nothing, and no pause in sound that never stops")
    func extremes() {
        let nothing = SilenceDetector.detect(powers: [], minimumSilenceMilliseconds: 300)
        #expect(nothing.silence == [] && !nothing.hasSpeech)
        let silent = SilenceDetector.detect(
            powers: [Float](repeating: 0, count: 200), minimumSilenceMilliseconds: 300)
        #expect(!silent.hasSpeech && silent.silence.map(\.end) == [2000])
        #expect(silent.meanLevel == SilenceDetector.silentLevel)
        let steady = SilenceDetector.detect(powers: Self.powers((-20, 5000)), minimumSilenceMilliseconds: 300)
        #expect(steady.hasSpeech && steady.silence == [])
    }

    @Test("tells its threshold, between noise floor and mean level")
    func threshold() {
        let found = SilenceDetector.detect(
            powers: Self.powers((-20, 3000), (-60, 1000)), minimumSilenceMilliseconds: 300)
        #expect(abs(found.meanLevel + 21.25) < 0.1)
        #expect(abs(found.noiseFloor + 60) < 0.1)
        #expect(found.noiseFloor < found.threshold && found.threshold < found.meanLevel)
    }

    /// Random recordings: stretches of speech, room and clicks at random levels and lengths.
    private static func random(_ seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        let room = Double.random(in: -90 ... -45, using: &generator)
        let voice = Double.random(in: -40 ... -6, using: &generator)
        var levels: [Float] = []
        for _ in 0..<Int.random(in: 0...30, using: &generator) {
            let isVoice = Bool.random(using: &generator)
            let count = Int.random(in: 1...(isVoice ? 200 : 400), using: &generator)
            for _ in 0..<count {
                let level = (isVoice ? voice : room) + Double.random(in: -3...3, using: &generator)
                levels.append(Float(pow(10, level / 10)))
            }
        }
        return levels
    }

    @Test("gives sorted ranges that do not touch, within the recording, long enough", arguments: 0..<100)
    func wellFormed(seed: Int) {
        let levels = Self.random(UInt64(seed))
        for minimum in [300, 1000, 3000] {
            let found = Self.silence(levels, minimum)
            #expect(
                found.allSatisfy { !$0.isEmpty && $0.lowerBound >= 0 && $0.upperBound <= levels.count * Self.window })
            #expect(zip(found, found.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
            #expect(found.allSatisfy { $0.count >= minimum - 2 * Self.padding })
        }
    }

    @Test("finds more with every step of pacing, and loses nothing", arguments: 0..<50)
    func monotone(seed: Int) {
        let levels = Self.random(UInt64(seed) + 1000)
        var earlier: [Range<Int>] = []
        for pacing in stride(from: 0, through: 100, by: 5) {
            let found = Self.silence(levels, SilenceDetector.minimumSilenceMilliseconds(pacing: pacing))
            #expect(earlier.allSatisfy(found.contains), "pacing \(pacing)")
            earlier = found
        }
    }

    @Test("finds the same pauses at any level above the lowest threshold", arguments: 0..<20)
    func levelInvariant(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed) + 2000)
        let gain = Float(pow(10, Double.random(in: -8...5, using: &generator) / 10))
        let levels = Self.powers((-18, 800), (-58, 500), (-22, 700), (-55, 900), (-19, 600))
        #expect(Self.silence(levels) == Self.silence(levels.map { $0 * gain }))
    }
}
