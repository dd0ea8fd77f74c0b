import Foundation
import Model
import TestSupport
import Testing

/// A chunked render beside the source's own frames, as the `ffmpeg` command decodes them, and beside a render in one go.
@Suite("Frames of a chunked render")
struct ChunkExactnessTests {
    /// Constant and variable frame rates, clocks of all sorts, open groups, sound that begins before or after.
    private static let sources = [
        "bframes_closed.mp4", "open_gop.mp4", "open_gop_hevc.mp4", "vfr.mp4", "vfr.mkv", "ntsc.mp4", "film24.mkv",
        "hfr60.mp4", "start_offset.ts", "late_video.mkv", "late_audio.mp4", "edit_list.mp4", "no_audio.mp4",
        "fragmented.mp4", "vp9_opus.webm", "start_10s.mp4", "long_gop.mp4",
    ]

    /// Cuts that leave enough for several chunks, and chunks that begin and end within segments and across them.
    private enum LongCut: String, CaseIterable {
        case everything, overlapping, touching, backwards

        func ranges(of source: ReferenceVideo) -> [(start: Rational, end: Rational?)] {
            let (count, millisecond) = (source.frames.count, Rational(1, 1000))
            func time(_ share: Int) -> Rational { source.frames[min(count - 1, count * share / 100)].time }
            switch self {
            case .everything: return [(.zero, nil)]
            case .overlapping: return [(time(3), time(70) + millisecond), (time(35) - millisecond, time(97))]
            case .touching: return [(time(5), time(30)), (time(30), time(45)), (time(46), nil)]
            case .backwards:
                return stride(from: 88, through: 0, by: -8).map { (time($0) + millisecond, time($0 + 10)) }
            }
        }
    }

    @Test("are the source's own, each once, at its time, wherever chunks meet", arguments: sources)
    func framesAndSpacing(name: String) throws {
        let path = Fixture.media(name)
        let source = try ReferenceVideo(path)
        try withTemporaryFolder { folder in
            var chunked = 0
            let cuts = LongCut.allCases.few(2, turn: Self.sources.firstIndex(of: name) ?? 0)
            for cut in cuts {
                let ranges = cut.ranges(of: source)
                let expected = ExpectedProgramme(source, ranges: ranges)
                let json = EditText.timeline(ranges, of: path, output: ChunkRendering.lossless)
                let (output, single) = ("\(folder)/\(cut.rawValue).mp4", "\(folder)/\(cut.rawValue)-single.mp4")
                let report = try ChunkRendering(folder: "\(folder)/chunks").run(json, to: output)
                let work = try #require(report.chunks)
                let whole = try render(json, to: single)
                let result = try ReferenceVideo(output)
                #expect(result.hashes == expected.frames.map(\.hash), "pictures of \(cut)")
                #expect(result.times == expected.frames.map(\.time), "times of \(cut)")
                #expect(result.end == (try ReferenceVideo(single)).end, "end of \(cut)")
                #expect(report.video == whole.video, "report of \(cut)")
                #expect(report.audio == whole.audio, "report of \(cut)")
                #expect(report.durationSeconds == whole.durationSeconds, "report of \(cut)")
                guard work.declined == nil else { continue }
                chunked += 1
                #expect(work.count > 1 && work.encodedFrames == expected.frames.count, "chunks of \(cut)")
                let left = try ChunkRendering(folder: "\(folder)/chunks").objects()
                #expect(left.isEmpty, "chunks stay behind \(cut)")
                try expectNoComplaints(about: output, withSound: true, "\(cut)")
            }
            #expect(chunked >= cuts.count - 1)
        }
    }

    private static let rates = ["24", "30", "60", "\"30000/1001\""]

    @Test("resampled to another rate are those of a render in one go", arguments: rates.indices)
    func resampled(number: Int) throws {
        let rate = Self.rates[number]
        for (turn, name) in ["vfr.mp4", "hfr60.mp4", "film24.mkv"].enumerated() {
            let path = Fixture.media(name)
            let source = try ReferenceVideo(path)
            let output =
                #"{"fps":\#(rate),"video":{"crf":0,"preset":"ultrafast","keyframe_interval_s":1}}"#
            for cut in [LongCut.overlapping, .backwards].few(1, turn: turn + number) {
                let json = EditText.timeline(cut.ranges(of: source), of: path, output: output)
                try Self.compare(json, "\(name) at \(rate), \(cut)")
            }
        }
    }

    @Test("of several sources, one of them without a picture, are those of a render in one go")
    func severalSources() throws {
        let paths = [Fixture.media("ntsc.mp4"), Fixture.media("vfr.mp4"), Fixture.media("talk.mp4")]
        let ranges: [(source: Int, start: Rational, end: Rational?)] = [
            (0, Rational(1, 3), Rational(2)), (1, Rational(1, 2), Rational(5, 2)), (2, .zero, Rational(3, 2)),
            (0, .zero, Rational(1)),
        ]
        try Self.compare(
            EditText.timeline(ranges, sources: paths, output: ChunkRendering.lossless), "three sources")
        // With one clock, each keeps its own spacing.
        let alike = ["bframes_closed.mp4", "open_gop.mp4"].map(Fixture.media)
        let parts: [(source: Int, start: Rational, end: Rational?)] = [
            (0, Rational(1, 3), Rational(3)), (1, Rational(1, 2), Rational(5, 2)), (0, .zero, Rational(2)),
        ]
        try Self.compare(EditText.timeline(parts, sources: alike, output: ChunkRendering.lossless), "one clock")
        let withSound = [Fixture.media("ntsc.mp4"), Fixture.media("tone.wav")]
        let mixed: [(source: Int, start: Rational, end: Rational?)] = [
            (0, .zero, Rational(3, 2)), (1, Rational(1, 10), Rational(8, 10)), (0, Rational(1), Rational(3)),
        ]
        try Self.compare(
            EditText.timeline(mixed, sources: withSound, output: ChunkRendering.lossless), "a source of sound")
    }

    @Test("of an interlaced source are woven as in a render in one go")
    func interlaced() throws {
        let path = Fixture.media("mpeg2.ts")
        let source = try ReferenceVideo(path)
        for cut in [LongCut.everything, .overlapping] {
            let json = EditText.timeline(cut.ranges(of: source), of: path, output: ChunkRendering.lossless)
            try Self.compare(json, "\(cut)")
        }
    }

    /// Both without loss: every picture, every time and the length must agree.
    private static func compare(_ json: String, _ comment: String) throws {
        try withTemporaryFolder { folder in
            let (chunked, single) = ("\(folder)/chunked.mp4", "\(folder)/single.mp4")
            let report = try ChunkRendering(folder: "\(folder)/chunks").run(json, to: chunked)
            let whole = try render(json, to: single)
            let work = try #require(report.chunks, "\(comment)")
            #expect(work.declined == nil, "\(comment)")
            let (made, expected) = (try ReferenceVideo(chunked), try ReferenceVideo(single))
            #expect(made.hashes == expected.hashes, "\(comment)")
            #expect(made.times == expected.times, "\(comment)")
            #expect(made.end == expected.end, "\(comment)")
            #expect(report.audio == whole.audio && report.video == whole.video, "\(comment)")
        }
    }
}
