import Foundation
import Media
import Model
import TestSupport
import Testing

@testable import Engine
@testable import Planning

/// Programmes of copied sound, as the `ffmpeg` command decodes them, against what it decodes of the source.
@Suite("Copied sound")
struct CopiedSoundTests {
    struct Kind: CustomTestStringConvertible {
        var rate: Int
        var channels: Int
        var options = ["-b:a", "128k"]
        var testDescription: String { "\(rate) Hz, \(channels) channels, \(options.joined(separator: " "))" }
    }

    static let kinds = [
        Kind(rate: 44100, channels: 2), Kind(rate: 48000, channels: 2), Kind(rate: 48000, channels: 1),
        Kind(rate: 44100, channels: 1, options: ["-b:a", "64k"]),
        Kind(rate: 48000, channels: 6, options: ["-b:a", "384k"]),
        Kind(rate: 48000, channels: 2, options: ["-b:a", "192k", "-aac_pns", "0"]),
    ]

    /// Odd lengths that no grid has, in order and back.
    static let ranges = [
        SoundRange(start: Rational(1001, 1000), length: Rational(2003, 1000)),
        SoundRange(start: Rational(5555, 1000), length: Rational(40, 25)),
        SoundRange(start: Rational(333, 1000), length: Rational(1001, 30000) * Rational(57)),
        SoundRange(start: Rational(8), length: Rational(1777, 1000)),
    ]

    @Test("is the source's own, moved by half a packet at most", arguments: kinds)
    func place(kind: Kind) throws {
        try withTemporaryFolder { folder in
            let path = try CopiedSoundSources.music(
                folder, rate: kind.rate, channels: kind.channels, options: kind.options)
            let source = try CompressedSound(path)
            let made = try CopiedProgramme(Self.ranges, of: source, to: "\(folder)/out.mp4")
            try Self.check(made, "\(folder)/out.mp4", path, kind.testDescription)
            #expect(made.packetsInPlace(source) == made.report.packetsCopied)
            #expect(made.report.packetsCopied > 10 * made.report.packetsEncoded)
            #expect(made.report.joins == 2 * Self.ranges.count - 1)
            #expect(made.report.worstJoinDecibels < -12)
        }
    }

    /// Everything is heard where it was meant, to the sample, and no packet is unlike it.
    static func check(
        _ made: CopiedProgramme, _ output: String, _ path: String, _ what: String, worst: Double = -10
    ) throws {
        let heard = try ReferenceAudio(output)
        let meant = made.meant(try ReferenceAudio(path))
        try #require(heard.channels.count == meant.count)
        #expect(made.samples == Int64(meant.first?.count ?? 0), "\(what)")
        let frame = made.grid.frameSamples
        #expect((0..<frame).contains(Int64(heard.count) - made.samples), "\(what)")
        #expect(made.pieces.allSatisfy { abs($0.shift) <= Double(frame / 2) }, "\(what)")
        #expect(made.report.largestShift <= Rational(frame / 2, Int64(heard.sampleRate)), "\(what)")
        let found = FrameErrors.worst(heard.channels, meant)
        #expect(found.decibels < worst, "at frame \(found.frame) of \(what)")
        for piece in made.pieces where piece.samples.count > 8192 {
            let middle = Int(piece.samples.lowerBound) + piece.samples.count / 2
            let window = middle - 2048..<middle + 2048
            let want = meant.map { Array($0[window]) }
            guard want.map(Sound.rootMeanSquare).reduce(0, +) > 0.001 else { continue }
            let (lag, decibels) = Sound.alignment(
                of: heard.channels.map { Array($0[window]) }, to: want, limit: 8)
            #expect(lag == 0 && decibels > 20, "\(lag), \(decibels) dB in \(piece), \(what)")
        }
    }

    @Test("is the same packets however it is fed", arguments: [UInt64](1...6))
    func piecewise(seed: UInt64) throws {
        try withTemporaryFolder { folder in
            let path = try CopiedSoundSources.music(folder, rate: 44100, channels: 2)
            let source = try CompressedSound(path)
            var random = SeededGenerator(seed: seed)
            var ranges = (0..<6).map { _ in
                SoundRange(
                    start: Rational(Int64.random(in: 0...9000, using: &random), 1000),
                    length: Rational(Int64.random(in: 1...2500, using: &random), 1000))
            }
            // With odd seeds, something is muted, too.
            if seed % 2 == 1 {
                let start = ranges[2].start + Rational(Int64.random(in: 0...500, using: &random), 1000)
                ranges[2].effects = [SoundEffect(start: start, end: start + Rational(1, 5), kind: .mute)]
            }
            let whole = try CopiedProgramme(ranges, of: source, to: "\(folder)/whole.mp4")
            let pieces = try CopiedProgramme(ranges, of: source, to: "\(folder)/pieces.mp4", random: random)
            #expect(whole.packets == pieces.packets, "seed \(seed)")
            #expect(pieces.packetsInPlace(source) == pieces.report.packetsCopied)
            if seed % 2 == 0 { try Self.check(pieces, "\(folder)/pieces.mp4", path, "seed \(seed)") }
        }
    }

    @Test("stays in place over hundreds of cuts")
    func manyCuts() throws {
        try withTemporaryFolder { folder in
            let path = try CopiedSoundSources.music(folder, rate: 44100, channels: 1, seconds: 30)
            let source = try CompressedSound(path)
            var random = SeededGenerator(seed: 77)
            let ranges = (0..<300).map { _ in
                SoundRange(
                    start: Rational(Int64.random(in: 0...2_700_000, using: &random), 100_000),
                    length: Rational(1001, 30000) * Rational(Int64.random(in: 15...40, using: &random)))
            }
            let made = try CopiedProgramme(ranges, of: source, to: "\(folder)/out.mp4")
            try Self.check(made, "\(folder)/out.mp4", path, "300 cuts")
            #expect(made.report.packetsCopied > 5 * made.report.packetsEncoded)
        }
    }

    @Test("is encoded where segments are shorter than a few packets")
    func tinySegments() throws {
        try withTemporaryFolder { folder in
            let path = try CopiedSoundSources.music(folder, rate: 48000, channels: 2)
            let source = try CompressedSound(path)
            let ranges = (0..<60).map { SoundRange(start: Rational($0 * 7, 50), length: Rational($0 % 4 + 1, 30)) }
            let made = try CopiedProgramme(ranges, of: source, to: "\(folder)/out.mp4")
            try Self.check(made, "\(folder)/out.mp4", path, "tiny segments")
            #expect(made.report.packetsCopied == 0 && made.report.joins == 0)
        }
    }

    @Test("is silent or bleeps where it is told to, and copied elsewhere")
    func effects() throws {
        try withTemporaryFolder { folder in
            let path = try CopiedSoundSources.music(folder, rate: 48000, channels: 2)
            let source = try CompressedSound(path)
            let effects = [
                SoundEffect(start: Rational(3), end: Rational(7, 2), kind: .mute),
                SoundEffect(start: Rational(5), end: Rational(11, 2), kind: .bleep),
            ]
            let output = "\(folder)/out.mp4"
            let made = try CopiedProgramme(
                [SoundRange(start: Rational(1), length: Rational(8), effects: effects)], of: source, to: output)
            let heard = try ReferenceAudio(output)
            let meant = made.meant(try ReferenceAudio(path))
            let late = made.pieces.first?.shift ?? 0
            func place(_ seconds: Double) -> Int { Int(seconds * 48000 + late) }
            for channel in 0..<2 {
                let muted = heard.channels[channel][place(2.01)..<place(2.49)]
                #expect(Sound.rootMeanSquare(muted) < 1e-4)
                let bleep = heard.channels[channel][place(4.01)..<place(4.49)]
                #expect(abs(Sound.amplitude(of: 1000, in: bleep, rate: 48000) - 0.1) < 0.005)
            }
            for range in [0..<place(1.999), place(2.501)..<place(3.999), place(4.501)..<place(7.9)] {
                let have = heard.channels.map { Array($0[range]) }
                let want = meant.map { Array($0[range]) }
                #expect(FrameErrors.worst(have, want).decibels < -10)
            }
            #expect(made.report.joins == 5)
            #expect(made.report.packetsEncoded < 70)
        }
    }

    @Test("keeps a hole as long as it was, and what follows in its place")
    func hole() throws {
        try withTemporaryFolder { folder in
            let path = try CopiedSoundSources.music(folder, rate: 48000, channels: 2)
            let whole = try CompressedSound(path)
            let source = try CompressedSound(path, without: Rational(4)..<Rational(5))
            let output = "\(folder)/out.mp4"
            let range = SoundRange(start: Rational(1), length: Rational(8))
            let made = try CopiedProgramme([range], of: source, to: output)
            let heard = try ReferenceAudio(output)
            let meant = made.meant(try ReferenceAudio(path))
            #expect(whole.packets.count > source.packets.count + 40)
            let (before, after) = (0..<48000 * 29 / 10, 48000 * 41 / 10..<48000 * 79 / 10)
            for range in [before, after] {
                // What follows is placed anew, at most half a packet from what was before.
                let (lag, decibels) = Sound.alignment(
                    of: heard.channels.map { Array($0[range].prefix(20_000)) },
                    to: meant.map { Array($0[range].prefix(20_000)) }, limit: 520)
                #expect(abs(lag) <= 512 && decibels > 20, "\(range), \(lag) samples, \(decibels) dB")
            }
            #expect(Sound.rootMeanSquare(heard.channels[0][48000 * 31 / 10..<48000 * 39 / 10]) < 1e-4)
            #expect(made.report.packetsCopied > 250)
        }
    }

    @Test("does not click at seams of a tone", arguments: [110, 220, 997])
    func noClick(hertz: Int) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/tone.m4a"
            _ = try Command.output(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "aevalsrc='0.5*sin(2*PI*\(hertz)*t)':s=48000:d=12"]
                    + ["-c:a", "aac", "-b:a", "128k", path])
            let source = try CompressedSound(path)
            let output = "\(folder)/out.mp4"
            let made = try CopiedProgramme(Self.ranges, of: source, to: output)
            try Self.check(made, output, path, "\(hertz) Hz", worst: -20)
            let (heard, meant) = (try ReferenceAudio(output), made.meant(try ReferenceAudio(path)))
            let difference = zip(heard.channels[0], meant[0]).map { $0 - $1 }
            // A step as high as the tone would be 25 times as much.
            #expect((difference.map(abs).max() ?? 1) < 0.02)
        }
    }

    @Test("joins noise, and sound that is no more than a description of noise", arguments: ["1", "0"])
    func noise(substituted: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/noise.m4a"
            _ = try Command.output(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "anoisesrc=d=12:c=pink:r=44100:a=0.4:seed=3", "-ac", "2"]
                    + ["-c:a", "aac", "-b:a", "96k", "-aac_pns", substituted, path])
            let made = try CopiedProgramme(Self.ranges, of: try CompressedSound(path), to: "\(folder)/out.mp4")
            #expect(made.report.packetsCopied > 10 * made.report.packetsEncoded)
            #expect(made.report.joins == 2 * Self.ranges.count - 1)
        }
    }

    /// Packets with flipped bits, cut short, out of place, doubled or gone.
    private static func spoilt(_ packets: [FedPacket], _ random: inout SeededGenerator) -> [FedPacket] {
        packets.flatMap { packet -> [FedPacket] in
            var (bytes, time, copies) = (packet.bytes, packet.time, 1)
            switch Int.random(in: 0..<40, using: &random) {
            case 0: bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes = Array(bytes.prefix(Int.random(in: 1...bytes.count, using: &random)))
            case 2: time = time + Rational(Int64.random(in: -900...900, using: &random), 1000)
            case 3: copies = 2
            case 4: copies = 0
            default: break
            }
            let discarded = Int.random(in: 0..<200, using: &random) == 0
            let made = FedPacket(bytes: bytes, time: time, duration: packet.duration, isDiscarded: discarded)
            return [FedPacket](repeating: made, count: copies)
        }
    }

    @Test("is as long as it should be, or fails with a code, whatever comes", arguments: [UInt64](1...4))
    func spoilt(seed: UInt64) throws {
        try withTemporaryFolder { folder in
            let path = try CopiedSoundSources.music(folder, rate: 44100, channels: 2)
            let whole = try CompressedSound(path)
            var random = SeededGenerator(seed: seed)
            let source = CompressedSound(whole, packets: Self.spoilt(whole.packets, &random))
            do {
                let made = try CopiedProgramme(Self.ranges, of: source, to: "\(folder)/out.mp4", random: random)
                #expect(made.packets.count == made.grid.packets(end: made.samples).count, "seed \(seed)")
            } catch let error as any ClassifiedError {
                #expect(error.code == .damagedMedia, "seed \(seed): \(error)")
            }
        }
    }

    @Test("lies as well in Matroska")
    func matroska() throws {
        try withTemporaryFolder { folder in
            let path = try CopiedSoundSources.music(folder, rate: 48000, channels: 2)
            let source = try CompressedSound(path)
            let output = "\(folder)/out.mkv"
            let made = try CopiedProgramme(Self.ranges, of: source, to: output, format: "matroska")
            #expect(made.packetsInPlace(source) == made.report.packetsCopied)
            let heard = try ReferenceAudio(output)
            let meant = made.meant(try ReferenceAudio(path))
            for start in [20_000, 200_000] {
                // A container of sound alone begins with the run-in, which is not played.
                let (lag, decibels) = Sound.alignment(
                    of: heard.channels.map { Array($0[start + 1024..<start + 9024]) },
                    to: meant.map { Array($0[start..<start + 8000]) }, limit: 64)
                // Its timestamps are whole milliseconds, by which the reference moves every packet.
                #expect(abs(lag) <= 48 && decibels > 12)
            }
        }
    }

    @Test("is told why it cannot be", arguments: ["wav", "ac3.mp4", "half.mp4"])
    func obstacles(kind: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/source.\(kind)"
            let codec = kind == "wav" ? "pcm_s16le" : kind == "ac3.mp4" ? "ac3" : "aac"
            let rate = kind == "half.mp4" ? "22050" : "48000"
            _ = try Command.output(
                "ffmpeg",
                ["-v", "error", "-i", Fixture.media("music.mp3"), "-t", "1", "-ar", rate, "-c:a", codec, path])
            let obstacle = try CompressedSound(path).obstacle
            switch kind {
            case "wav": #expect(obstacle == .otherCodec("pcm_s16le"))
            case "ac3.mp4": #expect(obstacle == .otherCodec("ac3"))
            // Half the usual rate alone is not HE-AAC.
            default: #expect(obstacle == nil)
            }
            #expect(obstacle.map { !$0.reason.isEmpty } ?? true)
        }
    }

    @Test("may be silent")
    func silence() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/silence.m4a"
            _ = try Command.output(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo", "-t", "12", "-c:a", "aac", path])
            let output = "\(folder)/out.mp4"
            let made = try CopiedProgramme(Self.ranges, of: try CompressedSound(path), to: output)
            #expect(made.report.refusedJoins == 0)
            let heard = try ReferenceAudio(output)
            #expect(heard.channels.allSatisfy { $0.allSatisfy { abs($0) < 1e-4 } })
        }
    }
}
