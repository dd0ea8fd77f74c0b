import Model
import TestSupport
import Testing

/// A way of cutting a source, as ranges placed on its own frames' times.
enum Cut: String, CaseIterable, Sendable {
    case everything, atFrameTimes, justBeforeFrameTimes, justAfterFrameTimes, tinyBitAfterFrameTimes, insideGroups
    case severalInOrder, outOfOrder, repeated, touching, overlapping, toTheEnd, pastTheEnd, singleFrame, firstFrame
    case lastFrame

    func ranges(of source: ReferenceVideo) -> [(start: Rational, end: Rational?)] {
        let (count, millisecond) = (source.frames.count, Rational(1, 1000))
        /// The time of the frame at this share of the whole, in thousandths.
        func time(_ share: Int) -> Rational { source.frames[min(count - 1, count * share / 1000)].time }
        switch self {
        case .everything: return [(.zero, nil)]
        case .atFrameTimes: return [(time(300), time(500))]
        case .justBeforeFrameTimes: return [(time(300) - millisecond, time(500) - millisecond)]
        case .justAfterFrameTimes: return [(time(300) + millisecond, time(500) + millisecond)]
        case .tinyBitAfterFrameTimes:
            let tick = Rational(1, 1_000_000)
            return [(time(350) + tick, time(450) + tick)]
        case .insideGroups: return [(time(410) + millisecond, time(610) - millisecond)]
        case .severalInOrder: return [(time(50), time(130)), (time(330), time(460)), (time(700), time(790))]
        case .outOfOrder: return [(time(700), time(780)), (time(50), time(140)), (time(400), time(450))]
        case .repeated: return [(time(220), time(280)), (time(220), time(280)), (time(220), time(280))]
        case .touching: return [(time(100), time(200)), (time(200), time(300)), (time(500), time(600))]
        case .overlapping: return [(time(150), time(400)), (time(300), time(500))]
        case .toTheEnd: return [(time(920), nil)]
        case .pastTheEnd: return [(time(930), source.end + Rational(1, 2))]
        case .singleFrame: return [(time(550), time(550) + millisecond)]
        case .firstFrame: return [(time(0), time(0) + millisecond)]
        case .lastFrame: return [(source.frames[count - 1].time, nil)]
        }
    }
}

/// What comes out is compared with what the `ffmpeg` command decodes from the source: every frame's samples and time.
@Suite("Frames kept by a render")
struct FrameExactnessTests {
    /// Eight bits in 4:2:0, shown as they are stored: nothing may change on the way.
    static let sources = [
        "bframes_closed.mp4", "open_gop.mp4", "open_gop_hevc.mp4", "intra_refresh.mp4", "vfr.mp4", "vfr.mkv",
        "ntsc.mp4",
        "pal25.mp4", "film24.mkv", "hfr60.mp4", "start_offset.ts", "start_10s.mp4", "late_video.mkv", "late_audio.mp4",
        "edit_list.mp4", "gapped_audio.mkv", "fullrange.mp4", "bt601.mp4", "surround51.mp4", "surround51.mkv",
        "two_audio.mkv", "no_audio.mp4", "fragmented.mp4", "moov_last.mp4", "vp9_opus.webm", "av1_opus.mp4",
        "mpeg4.avi", "proxy_ready.mp4",
    ]

    @Test("are the source's own, bit by bit, with their spacing", arguments: sources)
    func framesAndSpacing(name: String) throws {
        let path = Fixture.media(name)
        let source = try ReferenceVideo(path)
        let turn = Self.sources.firstIndex(of: name) ?? 0
        try withTemporaryFolder { folder in
            for cut in Cut.allCases.few(5, turn: turn) {
                let ranges = cut.ranges(of: source)
                let expected = ExpectedProgramme(source, ranges: ranges)
                let output = "\(folder)/\(cut.rawValue).mp4"
                let report = try render(EditText.timeline(ranges, of: path), to: output)
                let result = try ReferenceVideo(output)
                #expect(result.hashes == expected.frames.map(\.hash), "pictures of \(cut)")
                #expect(result.times == expected.frames.map(\.time), "times of \(cut)")
                let reachesUnknownEnd = !source.endIsKnown && expected.intervals.contains { $0.end == source.end }
                let tolerance = reachesUnknownEnd ? Rational(1, 24) : .zero
                #expect(distance(result.end, expected.length) <= tolerance, "length of \(cut)")
                #expect(report.video?.frames == expected.frames.count, "report of \(cut)")
                #expect(report.video?.resampledTo == nil)
                #expect(abs(report.durationSeconds - result.end.seconds) < 1e-9, "reported length of \(cut)")
            }
        }
    }

    @Test("of an interlaced source are the same frames, woven into whole pictures")
    func interlaced() throws {
        let path = Fixture.media("mpeg2.ts")
        let source = try ReferenceVideo(path)
        try withTemporaryFolder { folder in
            for cut in Cut.allCases {
                let ranges = cut.ranges(of: source)
                let expected = ExpectedProgramme(source, ranges: ranges)
                let output = "\(folder)/\(cut.rawValue).mp4"
                try render(EditText.timeline(ranges, of: path), to: output)
                let result = try ReferenceVideo(output)
                #expect(result.times == expected.frames.map(\.time), "times of \(cut)")
                #expect(result.end == expected.length, "length of \(cut)")
            }
            let first = try #require(source.frames.firstIndex { $0.time >= Rational(1, 2) })
            let ranges: [(start: Rational, end: Rational?)] = [(Rational(1, 2), source.frames[first + 10].time)]
            try render(EditText.timeline(ranges, of: path), to: "\(folder)/part.mp4")
            let picture = try RawVideo("\(folder)/part.mp4")
            let filters = "bwdif=mode=send_frame:deint=interlaced,select='between(n,\(first),\(first + 9))'"
            let expected = try RawVideo(path, filters: filters)
            try #require(picture.frames.count == 10)
            // The first and the last of a segment have no neighbour to look at.
            for frame in 1..<9 { #expect(RawVideo.psnr(picture.frames[frame], expected.frames[frame]) >= 40) }
        }
    }
}
