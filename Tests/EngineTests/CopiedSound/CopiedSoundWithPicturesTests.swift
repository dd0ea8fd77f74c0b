import Foundation
import Model
import TestSupport
import Testing

@testable import Engine
@testable import Planning

/// Whole smart renders of sources whose sound is not AAC in MP4.
@Suite("Copied sound beside copied pictures")
struct CopiedSoundWithPicturesTests {
    struct Form: CustomTestStringConvertible {
        var codec: String
        var rate: Int
        var container: String
        var output: String
        var testDescription: String { "\(codec), \(rate) Hz, \(container) to \(output)" }

        func make(in folder: String, keyframeInterval: Int) throws -> String {
            let path = "\(folder)/source.\(container)"
            let picture =
                container == "webm"
                ? ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k"]
                : ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"]
            _ = try Command.output(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=192x112:rate=30", "-i", Fixture.media("music.mp3")]
                    + ["-af", "aloop=loop=-1:size=260000", "-ar", "\(rate)", "-t", "12"] + picture
                    + ["-g", "\(keyframeInterval)", "-c:a", codec, "-b:a", "128k", path])
            return path
        }
    }

    static let forms = [
        Form(codec: "libopus", rate: 48000, container: "mp4", output: "mp4"),
        Form(codec: "libopus", rate: 48000, container: "mkv", output: "mkv"),
        Form(codec: "libopus", rate: 48000, container: "webm", output: "webm"),
        Form(codec: "libmp3lame", rate: 44100, container: "mp4", output: "mp4"),
        Form(codec: "libmp3lame", rate: 48000, container: "mov", output: "mov"),
        Form(codec: "libmp3lame", rate: 48000, container: "mkv", output: "mp4"),
        Form(codec: "libmp3lame", rate: 44100, container: "ts", output: "mp4"),
        Form(codec: "aac", rate: 44100, container: "ts", output: "mp4"),
        Form(codec: "aac", rate: 48000, container: "ts", output: "mkv"),
        // Decoded, cut and encoded.
        Form(codec: "pcm_s16le", rate: 48000, container: "mov", output: "mp4"),
    ]

    private typealias Ranges = [(start: Rational, end: Rational?)]

    private static let forwards: Ranges = [
        (Rational(13, 10), Rational(43, 10)), (Rational(65, 10), Rational(101, 10)),
    ]
    /// Again, and from a little before, within groups of four seconds: pictures are still there that sound was let go of.
    private static let back: Ranges = [
        (Rational(1), Rational(39, 10)), (Rational(1), Rational(39, 10)), (Rational(5), Rational(79, 10)),
        (Rational(43, 10), Rational(79, 10)), (Rational(22, 10), Rational(52, 10)),
    ]

    @Test("keeps the source's codec, and is where it belongs", arguments: forms)
    func render(form: Form) throws {
        try Self.check(form, Self.forwards, keyframeInterval: 15)
        try Self.check(form, Self.back, keyframeInterval: 120)
    }

    private static func check(_ form: Form, _ ranges: Ranges, keyframeInterval: Int) throws {
        try withTemporaryFolder { folder in
            let source = try form.make(in: folder, keyframeInterval: keyframeInterval)
            let output = "\(folder)/out.\(form.output)"
            let timeline = EditText.timeline(ranges, of: source, output: "{}")
            let report = try TestSupport.render(timeline, to: output, mode: .smart)
            let smart = try #require(report.smart)
            let isCopied = form.codec != "pcm_s16le"
            #expect(smart.declined == nil && (smart.soundDeclined == nil) == isCopied, "\(smart)")
            let half = ["libopus": 480, "aac": 512, "pcm_s16le": 0][form.codec, default: 576]
            if isCopied {
                let sound = try #require(smart.sound)
                #expect(sound.copiedPackets > 2 * sound.encodedPackets, "\(sound)")
                #expect(sound.largestShiftSeconds <= Double(half) / Double(form.rate))
                let kept = ["libopus": "opus", "libmp3lame": "mp3"][form.codec, default: form.codec]
                #expect(report.audio?.codec == kept)
            }
            // Where pictures are, in both: containers may begin with a run-in of sound.
            let (pictures, shown) = (try ReferenceVideo(source).times, try ReferenceVideo(output).times)
            let first = try #require(shown.first)
            let (heard, meant) = (try ReferenceAudio(output), try ReferenceAudio(source))
            // Matroska's timestamps are whole milliseconds.
            let slack = form.container == "mp4" || form.container == "mov" ? 2 : 150
            var begin = Rational.zero
            for range in ranges {
                let kept = pictures.filter { $0 >= range.start && $0 < range.end ?? $0 + Rational(1) }
                let origin = try #require(kept.first)
                for into in [Rational(1, 10), Rational(3, 2), Rational(5, 2)] {
                    let to = Int(((first + begin + into).seconds * Double(form.rate)).rounded())
                    let from = Int(((origin + into).seconds * Double(form.rate)).rounded())
                    let (lag, decibels) = Sound.alignment(
                        of: heard.channels.map { Array($0[to..<to + 9000]) },
                        to: meant.channels.map { Array($0[from..<from + 9000]) }, limit: 1400)
                    #expect(abs(lag) <= half + slack && decibels > 10, "\(lag), \(decibels) dB, \(range) + \(into)")
                }
                begin = begin + Rational(Int64(kept.count), 30)
            }
        }
    }

    @Test("leaves the codec of a full render as it was")
    func full() throws {
        try withTemporaryFolder { folder in
            let source = try Self.forms[0].make(in: folder, keyframeInterval: 15)
            let timeline = EditText.timeline([(Rational(1), Rational(3))], of: source, output: "{}")
            let report = try TestSupport.render(timeline, to: "\(folder)/out.mp4", mode: .full)
            #expect(report.audio?.codec == "aac")
        }
    }
}
