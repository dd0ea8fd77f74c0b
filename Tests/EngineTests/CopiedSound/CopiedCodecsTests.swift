import Foundation
import Media
import Model
import TestSupport
import Testing

@testable import Engine
@testable import Planning

/// As AAC, of which `CopiedSoundTests` tells: programmes of copied Opus and MP3, as the `ffmpeg` command decodes them,
/// against what it decodes of the source.
@Suite("Copied Opus and MP3")
struct CopiedCodecsTests {
    struct Kind: CustomTestStringConvertible {
        var codec: String
        var rate = 48000
        var channels = 2
        var options: [String]
        var name: String
        var testDescription: String { "\(codec), \(rate) Hz, \(channels) channels, \(options.joined(separator: " "))" }

        func music(_ folder: String, seconds: Int = 12) throws -> String {
            try CopiedSoundSources.music(
                folder, rate: rate, channels: channels, seconds: seconds, options: options, codec: codec, name: name)
        }

        static func opus(_ channels: Int, _ options: String...) -> Kind {
            Kind(codec: "libopus", channels: channels, options: options, name: "music.mp4")
        }

        static func mp3(_ rate: Int, _ channels: Int, _ options: String...) -> Kind {
            Kind(codec: "libmp3lame", rate: rate, channels: channels, options: options, name: "music.mp4")
        }
    }

    static let kinds: [Kind] = [
        .opus(2, "-b:a", "128k"), .opus(1, "-b:a", "64k"), .opus(2, "-b:a", "96k", "-frame_duration", "10"),
        .opus(2, "-b:a", "160k", "-vbr", "off"), .opus(2, "-b:a", "96k", "-frame_duration", "5"),
        .mp3(44100, 2, "-b:a", "128k"), .mp3(44100, 2, "-q:a", "2"), .mp3(48000, 2, "-b:a", "192k"),
        .mp3(48000, 1, "-b:a", "64k"), .mp3(44100, 2, "-b:a", "320k"),
        .mp3(44100, 2, "-b:a", "160k", "-joint_stereo", "0"), .mp3(22050, 2, "-b:a", "64k"),
    ]

    @Test("is the source's own, moved by half a packet at most", arguments: kinds)
    func place(kind: Kind) throws {
        try withTemporaryFolder { folder in
            let path = try kind.music(folder)
            let source = try CompressedSound(path)
            let made = try CopiedProgramme(CopiedSoundTests.ranges, of: source, to: "\(folder)/out.mp4")
            try CopiedSoundTests.check(made, "\(folder)/out.mp4", path, kind.testDescription)
            #expect(made.packetsInPlace(source) == made.report.packetsCopied)
            #expect(made.report.packetsCopied > 3 * made.report.packetsEncoded, "\(made.report)")
            #expect(made.report.joins >= 2 * CopiedSoundTests.ranges.count - 1, "\(made.report)")
            #expect(made.report.worstJoinDecibels < -12 && made.report.hardJoins == 0, "\(made.report)")
        }
    }

    @Test(
        "is the same packets however it is fed",
        arguments: [Kind.opus(2, "-b:a", "96k"), .mp3(44100, 2, "-q:a", "4")])
    func piecewise(kind: Kind) throws {
        try withTemporaryFolder { folder in
            let source = try CompressedSound(try kind.music(folder))
            for seed in [UInt64](1...4) {
                var random = SeededGenerator(seed: seed)
                var ranges = (0..<6).map { _ in
                    SoundRange(
                        start: Rational(Int64.random(in: 0...9000, using: &random), 1000),
                        length: Rational(Int64.random(in: 1...2500, using: &random), 1000))
                }
                if seed % 2 == 1 {
                    let start = ranges[2].start + Rational(Int64.random(in: 0...500, using: &random), 1000)
                    ranges[2].effects = [SoundEffect(start: start, end: start + Rational(1, 5), kind: .mute)]
                }
                let whole = try CopiedProgramme(ranges, of: source, to: "\(folder)/whole.mp4")
                let pieces = try CopiedProgramme(ranges, of: source, to: "\(folder)/pieces.mp4", random: random)
                #expect(whole.packets == pieces.packets, "seed \(seed)")
                #expect(pieces.packetsInPlace(source) == pieces.report.packetsCopied, "seed \(seed)")
                if seed % 2 == 0 {
                    try CopiedSoundTests.check(pieces, "\(folder)/pieces.mp4", source.path, "seed \(seed)")
                }
            }
        }
    }

    @Test(
        "stays in place over hundreds of cuts",
        arguments: [Kind.opus(1, "-b:a", "64k"), .mp3(44100, 1, "-b:a", "64k")])
    func manyCuts(kind: Kind) throws {
        try withTemporaryFolder { folder in
            let path = try kind.music(folder, seconds: 30)
            let source = try CompressedSound(path)
            var random = SeededGenerator(seed: 78)
            let ranges = (0..<500).map { _ in
                SoundRange(
                    start: Rational(Int64.random(in: 0...2_700_000, using: &random), 100_000),
                    length: Rational(1001, 30000) * Rational(Int64.random(in: 15...40, using: &random)))
            }
            let made = try CopiedProgramme(ranges, of: source, to: "\(folder)/out.mp4")
            try CopiedSoundTests.check(made, "\(folder)/out.mp4", path, "500 cuts")
            #expect(made.report.packetsCopied > made.report.packetsEncoded, "\(made.report)")
        }
    }

    @Test(
        "is silent or bleeps where it is told to, and copied elsewhere",
        arguments: [Kind.opus(2, "-b:a", "128k"), .mp3(48000, 2, "-b:a", "128k")])
    func effects(kind: Kind) throws {
        try withTemporaryFolder { folder in
            let path = try kind.music(folder)
            let effects = [
                SoundEffect(start: Rational(3), end: Rational(7, 2), kind: .mute),
                SoundEffect(start: Rational(5), end: Rational(11, 2), kind: .bleep),
            ]
            let output = "\(folder)/out.mp4"
            let made = try CopiedProgramme(
                [SoundRange(start: Rational(1), length: Rational(8), effects: effects)],
                of: try CompressedSound(path), to: output)
            let heard = try ReferenceAudio(output)
            let meant = made.meant(try ReferenceAudio(path))
            let late = made.pieces.first?.shift ?? 0
            func place(_ seconds: Double) -> Int { Int(seconds * 48000 + late) }
            for channel in 0..<2 {
                let muted = heard.channels[channel][place(2.01)..<place(2.49)]
                #expect(Sound.rootMeanSquare(muted) < 1e-3)
                let bleep = heard.channels[channel][place(4.01)..<place(4.49)]
                #expect(abs(Sound.amplitude(of: 1000, in: bleep, rate: 48000) - 0.1) < 0.005)
            }
            for range in [0..<place(1.999), place(2.501)..<place(3.999), place(4.501)..<place(7.9)] {
                let (have, want) = (heard.channels.map { Array($0[range]) }, meant.map { Array($0[range]) })
                #expect(FrameErrors.worst(have, want).decibels < -10)
            }
            #expect(made.report.packetsCopied > 3 * made.report.packetsEncoded, "\(made.report)")
        }
    }

    @Test(
        "does not click at seams of a tone", arguments: [Kind.opus(1, "-b:a", "96k"), .mp3(48000, 1, "-b:a", "96k")],
        [110, 997])
    func noClick(kind: Kind, hertz: Int) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/tone.mp4"
            _ = try Command.output(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "aevalsrc='0.5*sin(2*PI*\(hertz)*t)':s=48000:d=12"]
                    + ["-c:a", kind.codec] + kind.options + [path])
            let output = "\(folder)/out.mp4"
            let made = try CopiedProgramme(CopiedSoundTests.ranges, of: try CompressedSound(path), to: output)
            try CopiedSoundTests.check(made, output, path, "\(hertz) Hz", worst: -20)
            let (heard, meant) = (try ReferenceAudio(output), made.meant(try ReferenceAudio(path)))
            let difference = zip(heard.channels[0], meant[0]).map { $0 - $1 }
            // A step as high as the tone would be ten times as much. LAME is off by half of this in any low tone.
            let largest = difference.map(abs).max() ?? 1
            #expect(largest < 0.06, "\(largest), \(made.report)")
        }
    }

    @Test("lies as well in Matroska", arguments: [Kind.opus(2, "-b:a", "128k"), .mp3(48000, 2, "-b:a", "128k")])
    func matroska(kind: Kind) throws {
        try withTemporaryFolder { folder in
            let path = try kind.music(folder)
            let source = try CompressedSound(path)
            let output = "\(folder)/out.mkv"
            let made = try CopiedProgramme(CopiedSoundTests.ranges, of: source, to: output, format: "matroska")
            #expect(made.packetsInPlace(source) == made.report.packetsCopied)
            let heard = try ReferenceAudio(output)
            let meant = made.meant(try ReferenceAudio(path))
            // A container of sound alone begins with the run-in, which is not played.
            let runIn = Int(made.grid.runIn * made.grid.frameSamples)
            for start in [20_000, 200_000] {
                let (lag, decibels) = Sound.alignment(
                    of: heard.channels.map { Array($0[start + runIn..<start + runIn + 8000]) },
                    to: meant.map { Array($0[start..<start + 8000]) }, limit: 64)
                // Its timestamps are whole milliseconds, by which the reference moves every packet.
                #expect(abs(lag) <= 48 && decibels > 12, "\(lag), \(decibels)")
            }
        }
    }

    /// Where it is predicted instead of transformed, it is encoded.
    @Test("is what was meant in speech of low rates, too", arguments: ["12k", "20k", "32k"])
    func speech(rate: String) throws {
        try withTemporaryFolder { folder in
            let kind = Kind.opus(1, "-b:a", rate, "-application", "voip")
            let path = try kind.music(folder)
            let made = try CopiedProgramme(
                CopiedSoundTests.ranges, of: try CompressedSound(path), to: "\(folder)/out.mp4")
            let found = FrameErrors.worst(
                try ReferenceAudio("\(folder)/out.mp4").channels, made.meant(try ReferenceAudio(path)))
            #expect(found.decibels < -6, "at frame \(found.frame)")
            #expect(made.report.worstJoinDecibels < -12 && made.report.hardJoins == 0, "\(made.report)")
            #expect(made.report.packetsEncoded > 0)
        }
    }

    @Test("is told why it cannot be")
    func obstacles() throws {
        try withTemporaryFolder { folder in
            let slow = try Kind.opus(2, "-b:a", "64k", "-frame_duration", "60").music(folder, seconds: 2)
            #expect(try CompressedSound(slow).obstacle == .otherFrameLength(2880))
            let wide = try CopiedSoundSources.music(
                folder, rate: 48000, channels: 6, seconds: 2, options: ["-b:a", "256k"], codec: "libopus",
                name: "wide.mp4")
            #expect(try CompressedSound(wide).obstacle == .channels(6))
        }
    }

    static let names = ["sample.avi", "bear-vbr-xing-header.mp3"]

    @Test(
        "is the source's own, in real files, too",
        .enabled(if: Fixture.sharedMedia != nil, "../shared/media is absent"), arguments: names)
    func realFiles(name: String) throws {
        let path = "\(Fixture.sharedMedia ?? "")/\(name)"
        let source = try CompressedSound(path)
        try #require(source.obstacle == nil)
        let whole = source.seconds
        try withTemporaryFolder { folder in
            let ranges = [
                SoundRange(start: whole * Rational(1, 2), length: whole * Rational(2, 5)),
                SoundRange(start: whole * Rational(1, 11), length: whole * Rational(3, 7)),
            ]
            let made = try CopiedProgramme(ranges, of: source, to: "\(folder)/out.mp4")
            #expect(made.packetsInPlace(source) >= made.report.packetsCopied)
            #expect(made.report.packetsCopied > made.report.packetsEncoded, "\(made.report)")
            #expect(made.report.hardJoins == 0 && made.report.worstJoinDecibels < -12, "\(made.report)")
            try CopiedSoundTests.check(made, "\(folder)/out.mp4", path, name)
        }
    }

    /// Silent but for its last quarter of a second. libopus takes DC away from what it encodes (a high pass at 3 Hz): where
    /// loud sound is cut off, its encoder goes on with what such a filter does then, for half a second.
    @Test(
        "is what was meant above 20 Hz where loud sound is cut off",
        .enabled(if: Fixture.sharedMedia != nil, "../shared/media is absent"))
    func infrasound() throws {
        let path = "\(Fixture.sharedMedia ?? "")/sample_opus.mp4"
        let source = try CompressedSound(path)
        try withTemporaryFolder { folder in
            let output = "\(folder)/out.mp4"
            let ranges = [
                SoundRange(start: Rational(1, 2), length: Rational(2, 5)),
                SoundRange(start: Rational(1, 11), length: Rational(3, 7)),
            ]
            let made = try CopiedProgramme(ranges, of: source, to: output)
            #expect(made.report.hardJoins == 0 && made.report.worstJoinDecibels < -12, "\(made.report)")
            let meant = made.meant(try ReferenceAudio(path)).map { Self.highPassed($0) }
            let heard = try ReferenceAudio(output).channels.map { Self.highPassed($0) }
            let found = FrameErrors.worst(heard, meant)
            #expect(found.decibels < -10, "at frame \(found.frame)")
        }
    }

    /// Four times a high pass of the first order at 20 Hz, at 48 kHz.
    private static func highPassed(_ samples: [Float]) -> [Float] {
        var samples = samples
        let factor = Float(1 / (1 + 2 * Double.pi * 20 / 48000))
        for _ in 0..<4 {
            var (before, out): (Float, Float) = (0, 0)
            for index in samples.indices {
                out = factor * (out + samples[index] - before)
                before = samples[index]
                samples[index] = out
            }
        }
        return samples
    }
}
