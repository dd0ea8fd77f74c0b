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
            #expect(made.report.packetsCopied > 6 * made.report.packetsEncoded, "\(made.report)")
            #expect(made.report.joins >= 2 * CopiedSoundTests.ranges.count - 1, "\(made.report)")
            #expect(made.report.worstJoinDecibels < -12 && made.report.hardJoins == 0, "\(made.report)")
        }
    }
}
