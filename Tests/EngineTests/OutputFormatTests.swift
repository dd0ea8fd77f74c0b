import Foundation
import Model
import TestSupport
import Testing

/// What is written into the file, by the `ffprobe` command's word, and whether the right pictures are in it.
@Suite("An output file")
struct OutputFormatTests {
    private static let ranges: [(start: Rational, end: Rational?)] = [
        (Rational(5, 10), Rational(7, 10)), (.one, Rational(12, 10)),
    ]
    private static let kept: [Int?] = [15, 16, 17, 18, 19, 20, 30, 31, 32, 33, 34, 35]

    @Test(
        "holds the codecs and frames that were asked for",
        arguments: [
            ("mp4", "h264", "aac"), ("mp4", "hevc", "opus"), ("mp4", "vp9", "mp3"), ("mp4", "av1", "aac"),
            ("mov", "h264", "mp3"), ("mov", "hevc", "aac"), ("mkv", "h264", "opus"), ("mkv", "hevc", "mp3"),
            ("mkv", "vp9", "aac"), ("mkv", "av1", "opus"), ("webm", "vp9", "opus"), ("webm", "av1", "opus"),
        ])
    func codecs(container: String, video: String, audio: String) throws {
        let path = Fixture.media("open_gop.mp4")
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.\(container)"
            let output = #"{"video":{"codec":"\#(video)","crf":24,"preset":"ultrafast"},"audio":{"codec":"\#(audio)"}}"#
            let report = try render(EditText.timeline(Self.ranges, of: path, output: output), to: file)
            let found = try Inspection(file)
            #expect(found.streamCount == 2)
            #expect(found.video["codec_name"] == video)
            #expect(found.audio["codec_name"] == audio)
            #expect(found.video["pix_fmt"] == "yuv420p")
            #expect(found.video["color_space"] == "bt709" && found.video["color_range"] == "tv")
            let isMP4 = container == "mp4" || container == "mov"
            #expect(found.format["format_name"]?.contains(isMP4 ? "mp4" : "matroska") == true)
            if isMP4, video == "hevc" { #expect(found.video["codec_tag_string"] == "hvc1") }

            let picture = try RawVideo(file)
            #expect(picture.frameNumbers() == Self.kept)
            let times = try ReferenceVideo(file).times
            let first = try #require(times.first)
            // Matroska's clock has whole milliseconds, and Opus begins before zero there.
            let tolerance = isMP4 ? Rational.zero : Rational(1, 1000)
            for (index, time) in times.enumerated() {
                #expect(distance(time - first, Rational(Int64(index), 30)) <= tolerance, "frame \(index)")
            }
            // In Matroska the sound's priming comes before the picture; in MP4 it is edited away.
            #expect(distance(first, .zero) <= (isMP4 ? .zero : Rational(30, 1000)))
            #expect(report.video?.frames == Self.kept.count && report.video?.codec == video)
            #expect(report.audio?.codec == audio)
            #expect(report.sizeBytes == Int64(try bytes(ofFile: file).count))

            let heard = try ReferenceAudio(file)
            let source = try ReferenceAudio(path, options: ["-ar", "\(heard.sampleRate)"])
            for (place, shown) in [(Rational(5, 100), Rational(55, 100)), (Rational(27, 100), Rational(107, 100))] {
                let start = place + first
                let have = heard.samples(from: start, to: start + Rational(8, 100))
                let want = source.samples(from: shown, to: shown + Rational(8, 100))
                let (lag, decibels) = Sound.alignment(of: have, to: want, limit: 96)
                #expect(abs(lag) <= heard.sampleRate / 1000 + 24, "\(lag) samples off at \(place.seconds) s")
                #expect(decibels > 10, "at \(place.seconds) s")
            }
        }
    }

    @Test(
        "is as long as its pictures and its sound, which are as long as each other", arguments: ["mp4", "mkv", "webm"])
    func durations(container: String) throws {
        let path = Fixture.media("open_gop.mp4")
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.\(container)"
            let output = #"{"video":{"preset":"ultrafast"}}"#
            let report = try render(EditText.timeline(Self.ranges, of: path, output: output), to: file)
            #expect(abs(report.durationSeconds - 0.4) < 1e-9)
            let (video, sound) = (try ReferenceVideo(file), try ReferenceAudio(file))
            let duration = Double(try Inspection(file).format["duration"] ?? "") ?? 0
            #expect(abs(duration - 0.4) < 0.030)
            let (codecFrame, pictureFrame) = (1024.0 / 48000, 1.0 / 30)
            #expect(abs(video.end.seconds - sound.seconds) < codecFrame + pictureFrame)
        }
    }

    @Test("of MP4 has its index first", arguments: ["mp4", "mov"])
    func indexFirst(container: String) throws {
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.\(container)"
            try render(EditText.timeline(Self.ranges, of: Fixture.media("open_gop.mp4")), to: file)
            let data = try bytes(ofFile: file)
            let (index, media) = (data.range(of: Data("moov".utf8)), data.range(of: Data("mdat".utf8)))
            let first = try #require(index?.lowerBound)
            #expect(first < (try #require(media?.lowerBound)))
        }
    }

    @Test("has keyframes as often as it is asked to")
    func keyframes() throws {
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            let output = #"{"video":{"keyframe_interval_s":1,"preset":"ultrafast"}}"#
            try render(EditText.timeline([(.zero, nil)], of: Fixture.media("long_gop.mp4"), output: output), to: file)
            let flags = try Command.output(
                "ffprobe",
                ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=flags", "-of", "csv=p=0", file])
            let keys = String(decoding: flags, as: UTF8.self).split(separator: "\n").enumerated()
                .filter { $0.element.hasPrefix("K") }.map(\.offset)
            #expect(keys.count >= 20)
            #expect(zip(keys, keys.dropFirst()).allSatisfy { $1 - $0 <= 25 })
        }
    }

    @Test("is the same whatever the number of threads", arguments: [2, 4, 8])
    func threads(count: Int) throws {
        let json = EditText.timeline(Self.ranges, of: Fixture.media("open_gop.mp4"))
        try withTemporaryFolder { folder in
            try render(json, to: "\(folder)/one.mp4", threads: 1)
            try render(json, to: "\(folder)/many.mp4", threads: count)
            let (one, many) = (try ReferenceVideo("\(folder)/one.mp4"), try ReferenceVideo("\(folder)/many.mp4"))
            #expect(one == many)
        }
    }

    @Test("replaces an older one, and leaves nothing beside it")
    func replaces() throws {
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            try write("old", to: file)
            try render(EditText.timeline(Self.ranges, of: Fixture.media("open_gop.mp4")), to: file)
            #expect(try ReferenceVideo(file).frames.count == Self.kept.count)
            #expect(try contents(ofFolder: folder) == ["out.mp4"])
        }
    }

    @Test("is never one of its own sources")
    func outputIsSource() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/clip.mp4"
            let original = try bytes(ofFile: Fixture.media("no_audio.mp4"))
            try original.write(to: URL(filePath: source))
            let code = failure { try render(EditText.timeline(Self.ranges, of: source), to: source) }?.code
            #expect(code == .outputIsSource)
            #expect(try bytes(ofFile: source) == original)
        }
    }
}
