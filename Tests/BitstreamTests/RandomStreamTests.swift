import TestSupport
import Testing

@testable import Bitstream

/// Streams of any options, cut anywhere. A failure prints the seed, which is all it takes to have it again.
@Suite("A splice of any stream")
struct RandomStreamTests {
    private static func stream(_ random: inout SeededGenerator) -> Stream {
        func any<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
        let (keyint, bFrames) = (any([5, 8, 13, 20, 31]), any([0, 1, 2, 3, 5, 8]))
        let parameters = [
            "keyint=\(keyint)", "min-keyint=\(any([1, keyint]))", "scenecut=\(any([0, 40]))", "bframes=\(bFrames)",
            "open-gop=\(any([1, 1, 1, 0]))", "b-pyramid=\(any(["none", "strict", "normal"]))",
            "b-adapt=\(any([0, 1, 2]))", "ref=\(any([1, 2, 3, 5, 9, 16]))", "weightp=\(any([0, 1, 2]))",
            "weightb=\(any([0, 1]))", "direct=\(any(["spatial", "temporal", "auto"]))", "cabac=\(any([0, 1]))",
            "slices=\(any([1, 1, 3]))", "8x8dct=\(any([0, 1]))",
        ]
        return Stream(
            name: "any", parameters: parameters.joined(separator: ":"), size: any(["100x76", "128x96", "64x48"]))
    }

    /// Where numbers came again while frames of a seam still had them.
    private static let seeds: [UInt64] = [5_357_830_991_526_464_283, 11_549_065_701_710_343_096]

    /// Copies from some places where pieces can begin to any others, with seams of any length before them.
    @Test(
        "shows every picture bit for bit, or refuses",
        arguments: seeds + (0..<4).map { _ in .random(in: 0...UInt64.max) }
    )
    func anyStream(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let stream = Self.stream(&random)
        try withTemporaryFolder { folder in
            let clip = try stream.encode(folder, frames: 90)
            let (units, entries) = (try clip.units(), try clip.entries())
            let seam = try clip.seam(folder, frames: Int.random(in: 1...9, using: &random), seed: 3)
            let sets = try H264.SeamSets(source: clip.configuration, encoder: seam.configuration)
            var joiner = Joiner(H264.Splice(sets))
            var refusals: [H264.Obstacle] = []
            for _ in 0..<8 {
                let entry = entries[Int.random(in: 0..<entries.count, using: &random)]
                let end = Int.random(in: entry + 1...min(units.count, entry + 50), using: &random)
                var attempt = joiner
                do {
                    try attempt.seam(seam, before: units[entry])
                    try attempt.copy(clip, entry..<end)
                    joiner = attempt
                } catch let obstacle as H264.Obstacle {
                    refusals.append(obstacle)
                }
            }
            #expect(refusals.isEmpty, "seed \(seed), \(stream.parameters)")
            try joiner.check(folder, "seed \(seed), \(stream.parameters)")
        }
    }
}
