import Foundation
import Model
import TestSupport
import Testing

@Suite("A smart render")
struct SmartRenderTests {
    /// H.264 with eight bits, shown as it is stored.
    static let sources = [
        "bframes_closed.mp4", "open_gop.mp4", "vfr.mp4", "vfr.mkv", "ntsc.mp4", "pal25.mp4", "film24.mkv", "hfr60.mp4",
        "start_offset.ts", "start_10s.mp4", "late_video.mkv", "late_audio.mp4", "edit_list.mp4", "fullrange.mp4",
        "bt601.mp4", "fragmented.mp4", "moov_last.mp4", "no_audio.mp4",
    ]

    /// The ways of cutting that have most to do with groups of pictures; `SmartMatrixTests` has any.
    private static let cuts: [Cut] = [.insideGroups, .outOfOrder, .overlapping, .justAfterFrameTimes, .toTheEnd]

    @Test("keeps the frames that a full one keeps, when it keeps them, wherever it is cut", arguments: sources)
    func sameFrames(name: String) throws {
        let path = Fixture.media(name)
        let source = try ReferenceVideo(path)
        try withTemporaryFolder { folder in
            for cut in Self.cuts.few(3, turn: Self.sources.firstIndex(of: name) ?? 0) {
                try SelectionCheck.check(
                    cut.ranges(of: source), of: path, showing: source, in: folder, as: cut.rawValue,
                    besideFullEncode: true, "\(name), \(cut)")
            }
        }
    }

    /// Editors change how a picture is shown without touching it: then the container and the codec do not agree.
    @Test(
        "keeps samples' shapes, the container's and the codec's, where these differ",
        arguments: [
            ("libx264", "mp4", "1/1"), ("libx264", "mkv", "1/1"), ("libx264", "mp4", "4/3"), ("libx265", "mp4", "4/3"),
            ("libx265", "mp4", "0/1"), ("libx265", "mkv", "4/3"),
        ])
    func aspectRatios(encoder: String, container: String, coded: String) throws {
        try withTemporaryFolder { folder in
            let (plain, source) = ("\(folder)/plain.mp4", "\(folder)/source.\(container)")
            let codec = encoder == "libx264" ? ["-bf", "2"] : ["-x265-params", "log-level=none:bframes=2"]
            _ = try Command.output(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=192x144:r=30:d=4", "-vf", "setsar=\(coded)"]
                    + ["-c:v", encoder, "-preset", "ultrafast", "-g", "30", "-pix_fmt", "yuv420p"] + codec + [plain])
            // Samples of 3:2.
            _ = try Command.output("ffmpeg", ["-v", "error", "-i", plain, "-c", "copy", "-aspect", "2:1", source])
            let smart = try SelectionCheck.check(
                [(Rational(1, 3), Rational(8, 3)), (Rational(17, 6), nil)], of: source,
                showing: ReferenceVideo(source), in: folder, as: "out", container: container,
                "\(encoder), \(container), \(coded)")
            #expect(smart.copiedPictures > 0 && smart.encodedPictures > 0)
            let output = "\(folder)/out.\(container)"
            #expect(try Self.aspectRatios(output, entries: "stream") == ["3:2"])
            // What is coded in the copied pictures and in the seams, without any container's word.
            let bare = "\(folder)/bare.\(encoder == "libx264" ? "h264" : "hevc")"
            _ = try Command.output("ffmpeg", ["-v", "error", "-i", output, "-map", "0:v", "-c", "copy", bare])
            let shown = coded == "0/1" ? "N/A" : coded.replacing("/", with: ":")
            #expect(try Self.aspectRatios(bare, entries: "frame") == [shown])
        }
    }

    private static func aspectRatios(_ path: String, entries: String) throws -> Set<String> {
        let printed = try Command.output(
            "ffprobe",
            ["-v", "error", "-select_streams", "v", "-show_entries", "\(entries)=sample_aspect_ratio"]
                + ["-of", "csv=p=0", path])
        return Set(
            String(decoding: printed, as: UTF8.self).components(separatedBy: CharacterSet(charactersIn: ",\n")).filter {
                !$0.isEmpty
            })
    }
}
