import Foundation
import Model
import TestSupport
import Testing

/// Where a browser is; nothing else can say whether one plays what was made.
enum Browser {
    static let program = ["chromium", "chromium-browser", "google-chrome"].first { name in
        (try? Command.run("sh", ["-c", "command -v \(name)"]))?.status == 0
    }
    static let absence = "there is no Chromium"
}

/// A film that a browser is to play, as the page's script reads it.
private struct Film: Encodable {
    var name: String
    var file: String
    /// The same packets in fragments, for Media Source Extensions.
    var fragments: String?
    var codecs: String?
    /// The same edit, encoded in full and nearly without loss.
    var reference: String
    /// In the middle of pictures, in seconds.
    var times: [Double]
}

/// What the browser saw.
private struct Answer: Decodable {
    struct Seek: Decodable {
        var time: Double
        /// Of the picture that was shown; `nil` where it was on show already.
        var mediaTime: Double?
        var expectedTime: Double?
        /// Between samples, on average, of 255.
        var difference: Double
    }

    var name: String?
    var way: String?
    var error: String?
    var duration: Double?
    var width: Int?
    var height: Int?
    var seeks: [Seek]?
    var played: Int?
}

/// Outputs with copied and encoded pictures, in a real browser's decoder: around every seam each picture must be the one that
/// a full encode shows there, as a file and through Media Source Extensions.
@Suite(
    "What a smart render makes, in a browser",
    .enabled(if: Browser.program != nil, "\(Browser.absence)"))
struct PlaybackTests {
    struct Form: Sendable, CustomStringConvertible {
        var description: String
        var container = "mp4"
        var options: [String]
    }

    private static let h264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20"]

    static let forms = [
        Form(description: "closed groups", options: h264 + ["-g", "30", "-bf", "3"]),
        // Chromium cannot seek into open groups with a pyramid of B pictures, in the source as little as in the output.
        Form(
            description: "open groups",
            options: h264 + ["-x264-params", "keyint=30:bframes=3:open-gop=1:b-pyramid=none"]),
        Form(description: "no B frames", options: h264 + ["-profile:v", "baseline", "-g", "24"]),
        Form(description: "CAVLC and slices", options: h264 + ["-x264-params", "keyint=30:cabac=0:slices=3"]),
        Form(
            description: "VP9", container: "webm",
            options: [
                "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-g", "30",
            ]),
    ]

    /// In frames of a thirtieth of a second; no cut is on a keyframe.
    private static let ranges: [(first: Int64, end: Int64)] = [(7, 83), (101, 102), (110, 171), (40, 77), (195, 240)]

    private static func edit(of source: String, output: String) -> String {
        EditText.timeline(
            ranges.map { (Rational($0.first, 30), Rational($0.end, 30)) }, of: source, output: output)
    }

    /// The middle of pictures: three before and after each joint, the first and the last.
    private static func times() -> [Double] {
        var numbers: Set<Int64> = [0]
        var end: Int64 = 0
        for range in ranges {
            end += range.end - range.first
            for number in end - 3..<end + 3 { numbers.insert(number) }
        }
        return numbers.filter { $0 >= 0 && $0 < end }.sorted().map { (Double($0) + 0.5) / 30 }
    }

    /// RFC 6381's text for the first H.264 stream. Source: ISO/IEC 14496-15 §5.3.3 and annex E.
    private static func codecs(of file: String) throws -> String {
        let bytes = Array(try bytes(ofFile: file))
        let name = Array("avcC".utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
        let profile = bytes[(place + 5)..<(place + 8)]
        return "avc1." + profile.map { String(format: "%02X", $0) }.joined()
    }

    private static func film(_ form: Form, number: Int, in folder: String) throws -> (Film, RenderReport.Smart) {
        let source = "\(folder)/source\(number).\(form.container)"
        _ = try Command.output(
            "ffmpeg",
            [
                "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-f", "lavfi", "-i",
                "sine=f=330:r=48000", "-t", "8", "-pix_fmt", "yuv420p", "-color_primaries", "bt709", "-color_trc",
                "bt709",
                "-colorspace", "bt709",
            ] + form.options + [source])
        let (output, reference) = ("film\(number).\(form.container)", "reference\(number).mp4")
        try render(
            edit(of: source, output: #"{"video":{"crf":4,"keyframe_interval_s":1}}"#), to: "\(folder)/\(reference)",
            mode: .full)
        let report = try render(edit(of: source, output: "{}"), to: "\(folder)/\(output)", threads: 2, mode: .smart)
        let smart = try #require(report.smart)
        var film = Film(name: form.description, file: output, reference: reference, times: times())
        if form.container == "mp4" {
            let fragments = "fragments\(number).mp4"
            _ = try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-y", "-i", "\(folder)/\(output)", "-map", "0:v", "-c", "copy", "-movflags",
                    "frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets", "\(folder)/\(fragments)",
                ])
            film.fragments = fragments
            film.codecs = try codecs(of: "\(folder)/\(output)")
        }
        return (film, smart)
    }

    @Test("is played picture by picture, wherever it is sought in")
    func plays() throws {
        let browser = try #require(Browser.program)
        try withTemporaryFolder { folder in
            var films: [Film] = []
            for (number, form) in Self.forms.enumerated() {
                let (film, smart) = try Self.film(form, number: number, in: folder)
                #expect(smart.declined == nil && smart.copiedPictures > 0, "\(form): \(smart.declined ?? "")")
                films.append(film)
            }
            try JSONEncoder().encode(films).write(to: URL(fileURLWithPath: "\(folder)/films.json"))
            let player = "\(Fixture.repository)/Tests/BrowserTests/Player/play.py"
            let result = try Command.run("python3", [player, browser, folder])
            try #require(result.status == 0, "\(result.errors)")
            let answers = try JSONDecoder().decode([Answer].self, from: Data(result.text.utf8))
            #expect(answers.count == films.count + films.count { $0.fragments != nil })
            for answer in answers { Self.check(answer) }
        }
    }

    private static func check(_ answer: Answer) {
        let what = "\(answer.name ?? ""), \(answer.way ?? "")"
        #expect(answer.error == nil, "\(what): \(answer.error ?? "")")
        let seconds = Double(ranges.reduce(0) { $0 + $1.end - $1.first }) / 30
        #expect(abs((answer.duration ?? 0) - seconds) < 0.1, "\(what): \(answer.duration ?? 0) s")
        #expect(answer.width == 320 && answer.height == 180, "\(what)")
        #expect(answer.seeks?.count == times().count, "\(what)")
        for seek in answer.seeks ?? [] {
            // The picture before or after differs by more than ten.
            #expect(seek.difference < 3, "\(what): \(seek.difference) at \(seek.time) s")
            if let shown = seek.mediaTime {
                #expect(abs(shown - (seek.time - 0.5 / 30)) < 0.002, "\(what): \(shown) at \(seek.time) s")
            }
        }
        #expect((answer.played ?? 0) > 0, "\(what)")
    }
}
