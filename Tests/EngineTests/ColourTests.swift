import Model
import TestSupport
import Testing

/// Colour tags and HDR metadata, as the `ffprobe` command finds them in the output.
@Suite("Colour in a render")
struct ColourTests {
    private static let range: [(start: Rational, end: Rational?)] = [(Rational(1, 2), Rational(7, 10))]
    private static let tagNames = ["color_range", "color_space", "color_transfer", "color_primaries"]

    /// The output, and its source, looked at.
    private struct Outcome {
        var report: RenderReport
        var source: Inspection
        var output: Inspection
        var picture: RawVideo
        var video: ReferenceVideo
    }

    private static func rendered(_ name: String, _ video: String, container: String = "mp4") throws -> Outcome {
        let path = Fixture.media(name)
        return try withTemporaryFolder { folder in
            let file = "\(folder)/out.\(container)"
            let audio = container == "webm" ? "" : #","audio":{"codec":"aac"}"#
            let output = #"{"video":\#(video)\#(audio)}"#
            let report = try render(EditText.timeline(range, of: path, output: output), to: file)
            return Outcome(
                report: report, source: try Inspection(path), output: try Inspection(file), picture: try RawVideo(file),
                video: try ReferenceVideo(file))
        }
    }

    @Test(
        "tags are the source's", arguments: ["open_gop.mp4", "bt601.mp4", "fullrange.mp4", "mpeg4.avi", "hlg.mp4"],
        ["h264", "hevc", "vp9", "av1"])
    func tags(name: String, codec: String) throws {
        // H.264 is shown as SDR: an HLG source is converted there, and that is another test.
        guard name != "hlg.mp4" || codec != "h264" else { return }
        let outcome = try Self.rendered(name, #"{"codec":"\#(codec)","preset":"ultrafast"}"#)
        for tag in Self.tagNames {
            let (want, have) = (outcome.source.video[tag], outcome.output.video[tag])
            // What the source does not say, the output need not say either.
            guard let want, want != "unknown" else { continue }
            #expect(have == want, "\(tag)")
        }
    }

    @Test("of full range has the same brightness in every codec", arguments: ["h264", "hevc", "vp9", "av1"])
    func fullRange(codec: String) throws {
        let outcome = try Self.rendered("fullrange.mp4", #"{"codec":"\#(codec)","crf":10,"preset":"ultrafast"}"#)
        // The command turns full range into limited by the file's word: a wrong tag would show in the white square.
        #expect(abs(outcome.picture.meanLuma(0, x: 3..<13, y: 163..<173) - 235) < 4)
        #expect(outcome.picture.frameNumbers() == (15..<21).map(Int?.some))
    }

    // MARK: High dynamic range

    private static let homes = [("hevc", "mp4"), ("hevc", "mkv"), ("vp9", "webm"), ("av1", "mp4"), ("av1", "mkv")]

    @Test("of HDR10 stays HDR10, metadata and all", arguments: homes)
    func hdr10(codec: String, container: String) throws {
        let outcome = try Self.rendered(
            "hdr10.mp4", #"{"codec":"\#(codec)","crf":18,"preset":"ultrafast"}"#, container: container)
        let video = outcome.output.video
        #expect(video["pix_fmt"] == "yuv420p10le")
        #expect(video["color_transfer"] == "smpte2084" && video["color_primaries"] == "bt2020")
        #expect(video["color_space"] == "bt2020nc" && video["color_range"] == "tv")
        #expect(outcome.report.video?.dynamicRange == "pq")
        #expect(outcome.picture.frameNumbers() == (15..<21).map(Int?.some))

        let wanted = try #require(outcome.source.sideData["Mastering display metadata"])
        let found = try #require(outcome.output.sideData["Mastering display metadata"], "in \(codec) in \(container)")
        for name in wanted.keys where name != "side_data_type" {
            let (want, have) = (Self.fraction(wanted[name]), Self.fraction(found[name]))
            #expect(abs(want - have) <= 0.0001 + want * 0.001, "\(name): \(have) for \(want)")
        }
        let light = try #require(outcome.source.sideData["Content light level metadata"])
        #expect(outcome.output.sideData["Content light level metadata"] == light)
    }

    @Test("of HLG stays HLG", arguments: homes)
    func hlg(codec: String, container: String) throws {
        let outcome = try Self.rendered("hlg.mp4", #"{"codec":"\#(codec)","preset":"ultrafast"}"#, container: container)
        #expect(outcome.output.video["pix_fmt"] == "yuv420p10le")
        #expect(outcome.output.video["color_transfer"] == "arib-std-b67")
        #expect(outcome.report.video?.dynamicRange == "hlg")
    }

    @Test(
        "of HDR is tone mapped for H.264, and wherever SDR is asked for", arguments: ["hdr10.mp4", "hlg.mp4"],
        [#"{"codec":"h264"}"#, #"{"codec":"hevc","dynamic_range":"sdr"}"#])
    func toneMapped(name: String, video: String) throws {
        let outcome = try Self.rendered(name, video)
        let tags = outcome.output.video
        #expect(tags["pix_fmt"] == "yuv420p")
        #expect(
            tags["color_transfer"] == "bt709" && tags["color_primaries"] == "bt709" && tags["color_space"] == "bt709")
        #expect(outcome.report.video?.dynamicRange == "sdr")
        #expect(outcome.output.sideData["Mastering display metadata"] == nil)
        #expect(outcome.output.sideData["Content light level metadata"] == nil)
        // The strip's squares stay apart: white bright, black black.
        #expect(outcome.picture.frameNumbers() == (15..<21).map(Int?.some))
        #expect(outcome.picture.meanLuma(0, x: 3..<13, y: 163..<173) > 150)
        let dark = outcome.picture.meanLuma(0, x: 83..<93, y: 163..<173)
        #expect(dark >= 14 && dark < 30)
    }

    private static func fraction(_ text: String?) -> Double {
        let parts = (text ?? "").split(separator: "/").compactMap { Double($0) }
        return parts.count == 2 ? parts[0] / parts[1] : parts.first ?? .nan
    }
}
