import Engine
import Foundation
import Model
import TestSupport
import Testing

/// Files spoilt at random. The seed is the test's argument, and so is in every failure's report.
@Suite("A file spoilt at random")
struct DamagedFileTests {
    private static let names = [
        "bframes_closed.mp4", "vfr.mkv", "start_offset.ts", "mpeg4.avi", "fragmented.mp4", "vp9_opus.webm",
        "open_gop_hevc.mp4", "av1_opus.mp4", "mpeg2.ts", "voice.ogg", "music.mp3", "speech.flac",
    ]

    private static func spoil(_ data: inout Data, _ random: inout SeededGenerator) {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: data = data.prefix(.random(in: 1..<data.count, using: &random))
        case 1:
            // A hole, as a lost block of a disk leaves it.
            let start = Int.random(in: 0..<data.count, using: &random)
            let end = min(data.count, start + 4096)
            data.replaceSubrange(start..<end, with: Data(count: end - start))
        case 2:
            let start = Int.random(in: 0..<data.count, using: &random)
            data.removeSubrange(start..<min(data.count, start + .random(in: 1...5000, using: &random)))
        case 3:
            // The index: sizes and counts that lie.
            for _ in 0..<20 {
                data[Int.random(in: 0..<min(data.count, 6000), using: &random)] = .random(in: 0...255, using: &random)
            }
        default:
            for _ in 0..<data.count / 500 {
                data[Int.random(in: 0..<data.count, using: &random)] = .random(in: 0...255, using: &random)
            }
        }
    }

    /// A few seeds each time; `make fuzz` takes many.
    private static let seeds: [UInt64] = {
        let count = ProcessInfo.processInfo.environment["REELPOOL_SEEDS"].flatMap { UInt64($0) } ?? 36
        return [UInt64](1...count)
    }()

    @Test("is probed and salvaged, or refused for what it is", arguments: seeds)
    func spoilt(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let name = Self.names[Int(seed) % Self.names.count]
        var data = try bytes(ofFile: Fixture.media(name))
        Self.spoil(&data, &random)
        try withTemporaryFolder { folder in
            let path = "\(folder)/\(name)"
            try data.write(to: URL(filePath: path))
            let probe = failure { _ = try Prober.probe(path: path) }
            #expect(Self.isExpected(probe), "\(name): \(String(describing: probe))")
            for salvage in [false, true] {
                let output = "\(folder)/out.mp4"
                let outcome = failure {
                    try render(
                        EditText.timeline([(.zero, nil)], of: path, output: #"{"video":{"preset":"ultrafast"}}"#),
                        to: output, salvage: salvage)
                }
                #expect(Self.isExpected(outcome), "\(name), salvage \(salvage): \(String(describing: outcome))")
            }
        }
    }

    /// Success, or a failure that blames the file.
    private static func isExpected(_ failure: Failure?) -> Bool {
        guard let failure else { return true }
        return [.invalidInput, .unsupportedMedia, .limitExceeded].contains(failure.category)
    }
}
