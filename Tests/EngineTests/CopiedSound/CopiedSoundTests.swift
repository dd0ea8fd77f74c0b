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
            #expect(made.report.packetsCopied > 10 * made.report.packetsEncoded)
            #expect(made.report.joins == 2 * Self.ranges.count)
            #expect(made.report.worstJoinDecibels < -12)
        }
    }

    private static func check(_ made: CopiedProgramme, _ output: String, _ path: String, _ what: String) throws {
        let heard = try ReferenceAudio(output)
        let meant = made.meant(try ReferenceAudio(path))
        try #require(heard.channels.count == meant.count)
        for piece in made.pieces {
            #expect(abs(piece.shift) <= 512.5)
            let margin = Int(heard.sampleRate / 100)
            let inside = Int(piece.samples.lowerBound) + margin..<Int(piece.samples.upperBound) - margin
            guard inside.count > 4096 else { continue }
            let have = heard.channels.map { Array($0[inside]) }
            let want = meant.map { Array($0[inside]) }
            let (lag, decibels) = Sound.alignment(of: have, to: want, limit: 64)
            print("ALIGN", what, lag, decibels, made.report)
            #expect(lag == 0, "\(what)")
            #expect(decibels > 20, "\(what)")
        }
    }
}
