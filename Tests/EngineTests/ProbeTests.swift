import Engine
import Foundation
import Model
import TestSupport
import Testing

/// What a probe says, against the `ffprobe` command's word on the same file.
@Suite("A probe")
struct ProbeTests {
    /// Recordings: an image has no length.
    static let files: [String] =
        ((try? contents(ofFolder: "\(Fixture.repository)/Fixtures/media")) ?? [])
        .filter { !$0.hasSuffix(".json") && !$0.hasSuffix(".png") }

    private static func probe(_ name: String) throws -> ProbeReport { try Prober.probe(path: Fixture.media(name)) }

    @Test("agrees with ffprobe on the container", arguments: files)
    func container(name: String) throws {
        let (report, other) = (try Self.probe(name), try Inspection(Fixture.media(name)))
        #expect(report.container.format == other.format["format_name"])
        #expect(report.container.sizeBytes == Int64(other.format["size"] ?? ""))
        let start = Double(other.format["start_time"] ?? "") ?? 0
        #expect(abs(report.container.startSeconds - start) < 1e-6)
        #expect(report.video.count + report.audio.count + report.other.count == other.streamCount)
        #expect(!report.container.truncated && report.container.intactSeconds == nil)
        #expect(report.container.claimedDurationSeconds == nil)
        let duration = try #require(report.container.durationSeconds)
        // ffprobe's own counts from the container's start or from zero, by format.
        let claim = try #require(Double(other.format["duration"] ?? ""))
        #expect([claim, claim - start].contains { abs($0 - duration) < 0.012 }, "\(duration) for \(claim)")
        #expect(try #require(report.container.bitRate) > 0)
    }

    @Test("agrees with ffprobe on the picture", arguments: files)
    func video(name: String) throws {
        let (report, other) = (try Self.probe(name), try Inspection(Fixture.media(name)).video)
        guard let video = report.video.first else {
            #expect(other.isEmpty)
            return
        }
        #expect(video.codec == other["codec_name"])
        #expect(video.profile == other["profile"])
        #expect(video.level == other["level"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil })
        #expect(video.pixelFormat == other["pix_fmt"])
        #expect([video.codedWidth, video.codedHeight] == [Int(other["width"] ?? ""), Int(other["height"] ?? "")])
        #expect("\(video.timeBase)" == other["time_base"])
        #expect(video.averageFrameRate.map { "\($0)" } ?? "0/0" == other["avg_frame_rate"] || name == "vfr.mkv")
        #expect(video.realFrameRate.map { "\($0)" } == other["r_frame_rate"])
        #expect(abs((video.startSeconds ?? 0) - (Double(other["start_time"] ?? "") ?? 0)) < 1e-6)
        for (mine, theirs) in [
            (video.color.range, "color_range"), (video.color.matrix, "color_space"),
            (video.color.transfer, "color_transfer"), (video.color.primaries, "color_primaries"),
            (video.color.chromaLocation, "chroma_location"),
        ] {
            let word = other[theirs].flatMap { ["unknown", "unspecified"].contains($0) ? nil : $0 }
            #expect(mine == word, "\(theirs)")
        }
        let aspect = other["sample_aspect_ratio"]?.replacing(":", with: "/") ?? "1/1"
        let shown = video.orientation.swapsAxes ? video.sampleAspectRatio.inverse : video.sampleAspectRatio
        #expect("\(shown)" == aspect)
    }

    @Test("agrees with ffprobe on the sound", arguments: files)
    func audio(name: String) throws {
        let (report, other) = (try Self.probe(name), try Inspection(Fixture.media(name)).audio)
        guard let audio = report.audio.first else {
            #expect(other.isEmpty)
            return
        }
        #expect(audio.codec == other["codec_name"])
        #expect(audio.profile == other["profile"])
        #expect("\(audio.channels)" == other["channels"])
        #expect("\(audio.sampleRate)" == other["sample_rate"])
        #expect(audio.sampleFormat == other["sample_fmt"])
        if let layout = other["channel_layout"] { #expect(audio.channelLayout == layout) }
        #expect("\(audio.timeBase)" == other["time_base"])
        #expect(abs((audio.startSeconds ?? 0) - (Double(other["start_time"] ?? "") ?? 0)) < 1e-6)
    }

    @Test("finds the longest distance between keyframes", arguments: files)
    func keyframes(name: String) throws {
        let report = try Self.probe(name)
        guard let video = report.video.first, let told = video.keyframeIntervalSeconds else {
            // Only what has a picture has keyframes.
            #expect(report.video.isEmpty || name == "mpeg4.avi")
            return
        }
        let listing = try Command.output(
            "ffprobe",
            ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time,dts_time,flags"]
                + ["-of", "csv=p=0", Fixture.media(name)])
        var times: [(time: Double, isKey: Bool)] = []
        for line in String(decoding: listing, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count >= 3, let time = Double(fields[0]) ?? Double(fields[1]) else { continue }
            times.append((time, fields[2].hasPrefix("K")))
        }
        times.sort { $0.time < $1.time }
        let last = try #require(times.last).time
        let marks = times.filter(\.isKey).map(\.time) + [last]
        let longest = zip(marks, marks.dropFirst()).map { $1 - $0 }.max() ?? 0
        // The last group ends with the last frame; an MP4's index tells times of decoding, which B-frames move.
        #expect(told >= longest - 0.002 && told <= longest + 0.11, "\(told) s for \(longest) s")
    }

    @Test("tells variable frame rates from constant ones", arguments: files)
    func variableFrameRate(name: String) throws {
        for video in try Self.probe(name).video {
            #expect(video.variableFrameRate == ["vfr.mp4", "vfr.mkv"].contains(name))
        }
    }

    @Test(
        "sees how the picture is turned",
        arguments: [
            ("rotated90.mp4", Orientation.rotated90, 180), ("rotated180.mp4", .rotated180, 320),
            ("rotated270.mp4", .rotated270, 180), ("mirrored.mp4", .mirrored, 320), ("ntsc.mp4", .upright, 320),
        ])
    func orientation(name: String, orientation: Orientation, width: Int) throws {
        let video = try #require(try Self.probe(name).video.first)
        #expect(video.orientation == orientation && video.width == width)
    }

    @Test("knows what each fixture is made to show")
    func peculiarities() throws {
        #expect(try Self.probe("fragmented.mp4").container.fragmented)
        #expect(try Self.probe("moov_last.mp4").container.indexFirst == false)
        #expect(try Self.probe("proxy_ready.mp4").container.indexFirst == true)
        #expect(try Self.probe("mpeg2.ts").video.first?.interlaced == true)
        #expect(try Self.probe("two_audio.mkv").audio.map(\.language) == ["eng", "deu"])
        #expect(try Self.probe("two_audio.mkv").audio.map(\.isDefault) == [true, false])
        let anamorphic = try #require(try Self.probe("anamorphic.mp4").video.first)
        #expect(anamorphic.displayAspectRatio == Rational(16, 9))
        let edits = try #require(try Self.probe("edit_list.mp4").video.first).editList
        #expect(edits.count == 1 && (edits.first?.mediaStartSeconds ?? 0) > 0)
        let pause = try #require(try Self.probe("start_10s.mp4").video.first).editList
        #expect(pause.first?.mediaStartSeconds == nil && abs((pause.first?.durationSeconds ?? 0) - 10) < 0.001)
        #expect(try Self.probe("tenbit_h264.mp4").video.first?.bitDepth == 10)
    }

    @Test("reads HDR metadata wherever the file has it")
    func hdr() throws {
        let hdr = try #require(try Self.probe("hdr10.mp4").video.first?.hdr)
        #expect(hdr.system == .pq && hdr.maxContentLightLevel == 1000 && hdr.maxFrameAverageLightLevel == 400)
        let mastering = try #require(hdr.mastering)
        #expect(mastering.red == .init(x: Rational(34000, 50000), y: Rational(16000, 50000)))
        #expect(mastering.whitePoint == .init(x: Rational(15635, 50000), y: Rational(16450, 50000)))
        #expect(mastering.maxLuminance == Rational(1000) && mastering.minLuminance == Rational(1, 10000))
        #expect(try Self.probe("hlg.mp4").video.first?.hdr?.system == .hlg)
        #expect(try Self.probe("ntsc.mp4").video.first?.hdr == nil)
    }

    @Test("says which files browsers play", arguments: files)
    func browsers(name: String) throws {
        let unplayable = [
            "film24.mkv", "gapped_audio.mkv", "late_video.mkv", "surround51.mkv", "two_audio.mkv", "vfr.mkv",
            "mpeg2.ts",
            "start_offset.ts", "mpeg4.avi", "prores.mov", "hdr10.mp4", "hlg.mp4", "open_gop_hevc.mp4", "yuv444.mp4",
            "tenbit_h264.mp4", "voice.ogg",
        ]
        let verdict = try Self.probe(name).browserPlayable
        #expect(verdict.playable == !unplayable.contains(name), "\(verdict.reason)")
    }
}
