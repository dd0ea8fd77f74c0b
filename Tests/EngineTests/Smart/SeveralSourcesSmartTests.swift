import Foundation
import Model
import TestSupport
import Testing

/// A camera's recordings, one after the other: other pictures, coded in the same way.
@Suite("A smart render of several sources")
struct SeveralSourcesSmartTests {
    struct Form: CustomTestStringConvertible {
        let name: String
        let encoder: [String]
        var container = "mp4"
        var sound = ["-c:a", "aac", "-ar", "48000"]
        var testDescription: String { name }

        func make(_ number: Int, in folder: String, more: [String] = []) throws -> String {
            let path = "\(folder)/source\(number).\(container)"
            _ = try Command.output(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=192x112:rate=30:duration=4,hue=h=\(90 * number)"]
                    + ["-f", "lavfi", "-i", "sine=frequency=\(440 * (number + 1)):duration=4"]
                    + ["-pix_fmt", "yuv420p"] + encoder + sound + more + [path])
            return path
        }
    }

    static let forms = [
        Form(
            name: "H.264",
            encoder: ["-c:v", "libx264", "-preset", "veryfast", "-x264-params", "keyint=20:bframes=3:open-gop=1"]),
        Form(
            name: "HEVC",
            encoder: [
                "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=20:bframes=3",
            ]),
        Form(
            name: "VP9",
            encoder: ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "20", "-crf", "30"],
            container: "webm", sound: ["-c:a", "libopus"]),
        Form(
            name: "AV1", encoder: ["-c:v", "libsvtav1", "-preset", "10", "-crf", "35", "-g", "20"],
            container: "mkv"),
    ]

    private typealias Part = (source: Int, start: Rational, end: Rational?)

    /// To and fro.
    private static let parts: [Part] = [
        (0, Rational(1, 3), Rational(2)), (1, Rational(1, 2), Rational(8, 3)), (0, Rational(7, 3), nil),
        (1, .zero, Rational(1)),
    ]

    @Test("coded alike copies from each of them", arguments: forms)
    func alike(form: Form) throws {
        try Self.check(form, sources: 2, Self.parts)
    }

    @Test("coded alike copies from more of them than are kept open")
    func many() throws {
        let once = (0..<5).map { Part($0, Rational(Int64($0 + 1), 4), Rational(Int64($0 + 7), 3)) }
        let again = (0..<5).map { Part($0, Rational(1, 5), Rational(11, 6)) }
        try Self.check(Self.forms[0], sources: 5, once + again)
    }

    private static func check(_ form: Form, sources count: Int, _ parts: [Part]) throws {
        try withTemporaryFolder { folder in
            let sources = try (0..<count).map { try form.make($0, in: folder) }
            let (output, full) = ("\(folder)/out.\(form.container)", "\(folder)/full.mp4")
            let json = EditText.timeline(parts, sources: sources, output: "{}")
            let report = try render(json, to: output, mode: .smart)
            let smart = try #require(report.smart)
            #expect(smart.declined == nil && smart.soundDeclined == nil, "\(smart)")
            #expect(smart.copiedPictures > smart.encodedPictures)
            #expect(smart.decodedPictures >= smart.encodedPictures)
            let sound = try #require(smart.sound)
            #expect(sound.copiedPackets > 2 * sound.encodedPackets, "\(sound)")

            try render(EditText.timeline(parts, sources: sources), to: full)
            let (made, whole) = (try ReferenceVideo(output), try ReferenceVideo(full))
            let shown = try sources.map { try ReferenceVideo($0) }
            let expected = parts.flatMap { part in
                ExpectedProgramme(shown[part.source], ranges: [(part.start, part.end)]).frames.map(\.hash)
            }
            #expect(whole.hashes == expected)
            try #require(made.hashes.count == expected.count)
            #expect(zip(made.hashes, expected).count { $0 == $1 } >= smart.copiedPictures)
            let (first, begin) = (try #require(made.times.first), try #require(whole.times.first))
            let tolerance = form.container == "mp4" ? Rational.zero : Rational(2, 1000)
            #expect(zip(made.times, whole.times).allSatisfy { distance($0 - first, $1 - begin) <= tolerance })
            let decibels = try PictureLikeness.decibels(output, ofFrames: [0..<expected.count], of: full)
            #expect(decibels.min() ?? 0 >= 37.5)
            try expectNoComplaints(about: output, form.name)
        }
    }

    @Test("coded differently encodes everything, and says why")
    func different() throws {
        try withTemporaryFolder { folder in
            let form = Self.forms[0]
            let one = try form.make(0, in: folder)
            for (more, reason) in [
                (["-x264-params", "keyint=20:bframes=3:cabac=0"], "the sources' pictures are coded differently"),
                (["-video_track_timescale", "90000"], "the sources' clocks tick differently"),
                (["-r", "15"], "the sources have different or variable frame rates"),
            ] {
                let other = try form.make(1, in: folder, more: more + ["-y"])
                let json = EditText.timeline(Self.parts, sources: [one, other], output: "{}")
                let report = try render(json, to: "\(folder)/out.mp4", mode: .smart)
                #expect(report.smart?.declined?.contains(reason) == true, "\(report.smart?.declined ?? "copied")")
                #expect(report.smart?.fellBack == false)
            }
        }
    }
}
