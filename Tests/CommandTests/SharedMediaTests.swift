import Foundation
import Model
import TestSupport
import Testing

/// Real files that nobody here made, where they lie beside the checkout: each works, or fails with one code.
@Suite("A file of ../shared/media", .enabled(if: Fixture.sharedMedia != nil))
struct SharedMediaTests {
    enum Verdict: Sendable, Equatable {
        /// Probed and rendered. Pictures pass untouched when `exact`, else they are converted or turned.
        case picture(exact: Bool = true)
        case sound
        case refused(FailureCode)
    }

    static let verdicts: [(name: String, verdict: Verdict)] = [
        ("bbb_642x642_768kbps_30fps_vp9.webm", .picture()),
        ("bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4", .picture()),
        ("bbb_800x640_768kbps_30fps_avc_pyramid_3b.mp4", .picture()), ("bbb_800x640_768kbps_30fps_vp9.mp4", .picture()),
        ("bear-vbr-xing-header.mp3", .sound), ("bear.flac", .sound), ("bear_vorbis.ogg", .sound),
        ("bt601.mov", .picture()), ("h265_bframes.mp4", .picture()), ("h265_with_metadata_track.mp4", .picture()),
        ("hdr10-av1.mp4", .picture(exact: false)), ("hlg10-color-test.mp4", .picture(exact: false)),
        ("iibbibb_editlist_videoonly.mp4", .picture(exact: false)), ("london.jpg", .picture(exact: false)),
        ("long_1080p_lowbitrate.mp4", .picture()), ("long_edit_list_audioonly.mp4", .sound),
        ("media3test.png", .picture(exact: false)), ("sample.avi", .picture()), ("sample.flv", .picture()),
        ("sample.mkv", .picture()), ("sample.mp4", .picture()), ("sample_ac3_aac.mp4", .sound),
        ("sample_android_slow_motion.mp4", .picture()), ("sample_audio_only_15s.mp4", .sound),
        ("sample_av1.mp4", .picture()), ("sample_edit_list_only_preroll_sync_sample.mp4", .picture()),
        ("sample_fragmented.mp4", .picture()), ("sample_fragmented_widevine.mp4", .refused(.encryptedMedia)),
        ("sample_h262_mpeg_audio.ts", .picture()), ("sample_h264.ts", .picture()),
        ("sample_mdat_too_long.mp4", .picture()),
        ("sample_missing_stsd.mp4", .picture()), ("sample_opus.mp4", .sound),
        ("sample_partially_fragmented.mp4", .picture()),
        ("sample_portrait.mp4", .picture(exact: false)), ("sample_rotate_and_reflect.mp4", .picture(exact: false)),
        ("sample_shorter_audio.mp4", .picture()), ("sample_still_photo.heic", .refused(.formatNotAllowed)),
        ("sample_twos_pcm.mp4", .picture()), ("sample_video_only.mp4", .picture()),
        ("sample_with_chapters.mp4", .picture()),
        ("sample_with_increasing_timestamps_320w_240h_5s.mp4", .picture()),
        ("sample_with_multiple_key_frames.mkv", .picture()), ("sample_with_vorbis_audio.mkv", .picture()),
        ("sample_without_stss.mp4", .picture()), ("testvid_1022ms.mp4", .picture()),
        ("trim_optimization_failure.mp4", .picture()),
    ]

    @Test("is listed here")
    func complete() throws {
        let folder = try #require(Fixture.sharedMedia)
        let files = try contents(ofFolder: folder).filter { $0 != "README.md" }
        #expect(files == Self.verdicts.map(\.name).sorted())
    }

    @Test("is probed and rendered, or refused with one code", arguments: verdicts.map(\.name))
    func verdict(name: String) throws {
        let path = "\(try #require(Fixture.sharedMedia))/\(name)"
        let probe = try Command.reelpool("probe", "--json", path)
        try withTemporaryFolder { folder in
            switch try #require(Self.verdicts.first { $0.name == name }).verdict {
            case .refused(let code):
                try expectFailure(probe, code)
                try expectFailure(try Self.render(EditText.timeline([(.zero, .one)], of: path), folder), code)
            case .sound:
                let report = try Self.report(probe)
                #expect(report.video.isEmpty && report.audio.count >= 1)
                let start = name == "sample_ac3_aac.mp4" ? Rational.zero : Rational(3, 10)
                let ranges: [(start: Rational, end: Rational?)] = [(start, start + Rational(1, 4))]
                let result = try Self.render(EditText.timeline(ranges, of: path), folder)
                #expect(result.status == 0, "\(result.errors)")
                #expect(try ReferenceAudio("\(folder)/out.mp4").seconds > 0.2)
            case .picture(let exact):
                // One file's sound has no description that the command could copy.
                let source = try ReferenceVideo(
                    path, withoutSound: name == "sample_missing_stsd.mp4", frameLimit: 100)
                try Self.expectDuration(try Self.report(probe), source, name)
                try Self.expectPictures(of: path, source, exact: exact, folder)
            }
        }
    }

    private struct Report: Decodable {
        struct Container: Decodable {
            var truncated: Bool
            var durationSeconds: Double?
        }
        struct Stream: Decodable { var codec: String }
        var container: Container
        var video: [Stream]
        var audio: [Stream]
    }

    private static func report(_ result: CommandResult) throws -> Report {
        try #require(result.status == 0, "\(result.errors)")
        let report = try result.decoded(as: Report.self)
        #expect(!report.container.truncated)
        return report
    }

    private static func expectDuration(_ report: Report, _ source: ReferenceVideo, _ name: String) throws {
        guard let duration = report.container.durationSeconds else {
            // Still pictures last as long as one likes.
            #expect(name.hasSuffix(".jpg") || name.hasSuffix(".png"))
            return
        }
        // The longest lasts six minutes; one claims to last forty hours. WebM tells the time of its last frame.
        #expect(duration < 400)
        #expect(duration + 1e-6 >= source.frames.last.map(\.time.seconds) ?? 0)
        if source.frames.count < 100 { #expect(duration < source.end.seconds + 1.5) }
    }

    private static func render(_ edit: String, _ folder: String) throws -> CommandResult {
        try write(edit, to: "\(folder)/edit.json")
        return try Command.reelpool("render", "\(folder)/edit.json", "--output", "\(folder)/out.mp4", "--json")
    }

    /// A second at most, its later part first, so that there is a seam and a way back.
    private static func expectPictures(
        of path: String, _ source: ReferenceVideo, exact: Bool, _ folder: String
    ) throws {
        let (count, times) = (source.frames.count, source.times)
        let (middle, end) = (times[min(count / 3, 15)], times[min(2 * count / 3, 30)])
        let ranges: [(start: Rational, end: Rational?)] =
            middle > .zero ? [(middle, end), (.zero, middle)] : [(.zero, nil)]
        let result = try render(EditText.timeline(ranges, of: path), folder)
        try #require(result.status == 0, "\(result.errors)")
        let expected = ExpectedProgramme(source, ranges: ranges)
        let rendered = try ReferenceVideo("\(folder)/out.mp4")
        #expect(rendered.times == expected.frames.map(\.time))
        if exact { #expect(rendered.hashes == expected.frames.map(\.hash)) }
    }
}
