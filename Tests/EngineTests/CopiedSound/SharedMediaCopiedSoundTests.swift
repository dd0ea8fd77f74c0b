import Model
import TestSupport
import Testing

@testable import Engine
@testable import Planning

/// Real files, which not every machine has beside its checkout: other encoders' windows, blocks and timestamps.
@Suite("Copied sound of real media", .enabled(if: Fixture.sharedMedia != nil, "../shared/media is absent"))
struct SharedMediaCopiedSoundTests {
    static let folder = Fixture.sharedMedia ?? ""
    static let names = [
        "hdr10-av1.mp4", "long_edit_list_audioonly.mp4", "sample.mp4", "sample_av1.mp4", "sample_portrait.mp4",
        "sample_audio_only_15s.mp4", "sample_with_chapters.mp4", "sample_with_increasing_timestamps_320w_240h_5s.mp4",
        "testvid_1022ms.mp4", "trim_optimization_failure.mp4", "bt601.mov", "sample.flv",
    ]
    /// Their noise is described and not coded: no two decoders make the same of it. Or timestamps are whole
    /// milliseconds,
    /// by which the reference moves every packet.
    static let unlikeItself: Set<String> = ["hdr10-av1.mp4", "trim_optimization_failure.mp4", "sample.flv"]

    @Test("is the source's own, moved by half a packet at most", arguments: names)
    func place(name: String) throws {
        let path = "\(Self.folder)/\(name)"
        let source = try CompressedSound(path)
        try #require(source.obstacle == nil)
        let whole = source.seconds
        try withTemporaryFolder { folder in
            let output = "\(folder)/out.mp4"
            let ranges = [
                SoundRange(start: whole * Rational(1, 2), length: whole * Rational(2, 5)),
                SoundRange(start: whole * Rational(1, 11), length: whole * Rational(3, 7)),
            ]
            let made = try CopiedProgramme(ranges, of: source, to: output)
            // Encoded silence is what the source's is.
            #expect(made.packetsInPlace(source) >= made.report.packetsCopied)
            #expect(made.report.packetsCopied > made.report.packetsEncoded)
            #expect(made.report.worstJoinDecibels < -17 && made.report.hardJoins == 0)
            #expect(made.pieces.allSatisfy { abs($0.shift) <= 512 })
            if !Self.unlikeItself.contains(name) { try CopiedSoundTests.check(made, output, path, name) }
        }
    }
}
