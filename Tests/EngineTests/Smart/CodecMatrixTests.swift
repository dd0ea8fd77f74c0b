import Foundation
import Model
import TestSupport
import Testing

/// A source that is not H.264, or that is shown turned.
struct CodecForm: Sendable, CustomStringConvertible {
    var name: String
    /// For the `ffmpeg` command.
    var encoder: [String]
    var container = "mp4"
    var output = "mp4"
    var pixelFormat = "yuv420p"
    /// Clockwise, by the container's word.
    var degrees = 0
    /// libvpx hides pictures for later use only where it has seen the whole before.
    var isTwoPass = false
    var frames = 150

    var description: String { "\(name), \(container) to \(output)" }

    func make(in folder: String) throws -> String {
        let path = "\(folder)/source.\(container)"
        let sound = container == "webm" ? "libopus" : "aac"
        let source = "testsrc2=size=192x112:rate=30"
        let plain = degrees == 0 ? path : "\(folder)/plain.\(container)"
        let picture =
            ["-vf", "noise=alls=8:all_seed=5:allf=t,format=\(pixelFormat)", "-frames:v", "\(frames)"] + encoder
        let inputs = ["-v", "error", "-y", "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", "sine=f=330:r=48000"]
        if isTwoPass {
            let log = ["-passlogfile", "\(folder)/passes"]
            _ = try Command.output(
                "ffmpeg", inputs + picture + log + ["-map", "0:v", "-pass", "1", "-f", "null", "-"])
            _ = try Command.output(
                "ffmpeg",
                inputs + picture + log
                    + ["-pass", "2", "-t", "\(Double(frames) / 30)", "-c:a", sound, "-b:a", "96k", path])
        } else {
            _ = try Command.output(
                "ffmpeg",
                inputs + picture + ["-t", "\(Double(frames) / 30)", "-c:a", sound, "-b:a", "96k", plain])
        }
        if degrees != 0 {
            // FFmpeg's `rotate` counts the other way round.
            _ = try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-y", "-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate=\(360 - degrees)", path,
                ])
        }
        return path
    }

    private static func hevc(_ parameters: String) -> [String] {
        [
            "-c:v", "libx265", "-preset", "ultrafast", "-crf", "26", "-tag:v", "hvc1", "-x265-params",
            "log-level=none:pools=1:frame-threads=1:keyint=24:min-keyint=6:" + parameters,
        ]
    }

    private static func vp9(_ more: [String] = []) -> [String] {
        ["-c:v", "libvpx-vp9", "-b:v", "0", "-crf", "34", "-deadline", "good", "-cpu-used", "8", "-g", "24"] + more
    }

    static let hevcForms = [
        CodecForm(name: "HEVC, closed groups, hashes", encoder: hevc("open-gop=0:bframes=3:hash=1")),
        CodecForm(name: "HEVC, open groups", encoder: hevc("open-gop=1:bframes=4:b-pyramid=1:scenecut=0")),
        CodecForm(name: "HEVC, no B pictures", encoder: hevc("bframes=0:ref=2"), container: "mov", output: "mov"),
        CodecForm(
            name: "HEVC, ten bits", encoder: hevc("open-gop=1:bframes=3:scenecut=0"), pixelFormat: "yuv420p10le"),
        CodecForm(
            name: "HEVC, radl", encoder: hevc("open-gop=0:bframes=3:radl=2:scenecut=0"), container: "mkv",
            output: "mkv"),
        CodecForm(name: "HEVC, open groups", encoder: hevc("open-gop=1:bframes=3:scenecut=0"), container: "ts"),
        CodecForm(
            name: "HEVC, temporal layers", encoder: hevc("open-gop=0:bframes=3:b-pyramid=1:temporal-layers=1")),
        CodecForm(name: "HEVC, sets in packets", encoder: hevc("open-gop=1:bframes=2:repeat-headers=1:slices=2")),
    ]

    static let vp9Forms = [
        CodecForm(name: "VP9", encoder: vp9(), container: "webm", output: "webm"),
        CodecForm(name: "VP9", encoder: vp9(), container: "mkv", output: "mp4"),
        CodecForm(
            name: "VP9, hidden pictures", encoder: vp9(["-auto-alt-ref", "1", "-lag-in-frames", "16"]),
            output: "mkv", isTwoPass: true),
        CodecForm(
            name: "VP9, layers of hidden pictures", encoder: vp9(["-auto-alt-ref", "6", "-lag-in-frames", "25"]),
            container: "webm", output: "mp4", isTwoPass: true),
        CodecForm(
            name: "VP9, ten bits", encoder: vp9(), container: "webm", output: "webm", pixelFormat: "yuv420p10le"),
    ]

    static let av1Forms = [
        CodecForm(
            name: "AV1 by SVT-AV1",
            encoder: ["-c:v", "libsvtav1", "-preset", "10", "-crf", "35", "-g", "24", "-svtav1-params", "lp=1"]),
        CodecForm(
            name: "AV1 by libaom",
            encoder: ["-c:v", "libaom-av1", "-cpu-used", "6", "-crf", "35", "-g", "24", "-usage", "good"],
            container: "webm", output: "webm", frames: 100),
        CodecForm(
            name: "AV1 by libaom, at once",
            encoder: ["-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "35", "-g", "20", "-usage", "realtime"],
            container: "mkv", output: "mkv"),
        CodecForm(
            name: "AV1 by SVT-AV1, ten bits",
            encoder: ["-c:v", "libsvtav1", "-preset", "10", "-crf", "35", "-g", "30", "-svtav1-params", "lp=1"],
            pixelFormat: "yuv420p10le"),
    ]

    static let turnedForms =
        [
            (90, "mp4"), (180, "mov"), (270, "mp4"),
        ].map { degrees, container in
            CodecForm(
                name: "turned by \(degrees)",
                encoder: [
                    "-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-x264-params", "keyint=24:bframes=2",
                ],
                container: container, output: container, degrees: degrees)
        } + [CodecForm(name: "HEVC, turned by 90", encoder: hevc("bframes=2"), degrees: 90)]

    static let all = hevcForms + vp9Forms + av1Forms + turnedForms
}

/// As for H.264: what comes out is what the reference selection has, frame by frame.
@Suite("A smart render of any codec")
struct CodecMatrixTests {
    @Test("keeps what was asked for", arguments: CodecForm.all.indices)
    func cuts(form index: Int) throws {
        let form = CodecForm.all[index]
        let seed = RandomCuts.seed(of: index)
        var random = SeededGenerator(seed: seed)
        try withTemporaryFolder { folder in
            let source = try form.make(in: folder)
            let shown = try ReferenceVideo(source)
            for round in 0..<(Thoroughness.isFull ? 20 : 5) {
                try SelectionCheck.check(
                    RandomCuts.list(of: shown, fromBeginning: round == 0, using: &random), of: source, showing: shown,
                    in: folder, as: "out\(round)", container: form.output, threads: 1 + round % 2,
                    "\(form), seed \(seed), round \(round)")
            }
        }
    }

    @Test("copies from the keyframe on where a range begins with one, whatever is shown before it")
    func beginsWithKeyframe() throws {
        try withTemporaryFolder { folder in
            let source = try CodecForm.hevcForms[1].make(in: folder)
            let smart = try SelectionCheck.check(
                [(Rational(48, 30), nil)], of: source, showing: ReferenceVideo(source), in: folder, as: "out",
                container: "mp4", threads: 1, "a CRA first")
            #expect(smart.encodedPictures == 0)
        }
    }
}
