import Foundation
import Model
import TestSupport
import Testing

/// Real files that nobody here made, where they lie beside the checkout: each works, or fails with one code.
@Suite("A file of ../shared/media", .enabled(if: Fixture.sharedMedia != nil), .timeLimit(.minutes(5)))
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
        ("iibbibb_editlist_videoonly.mp4", .picture()), ("london.jpg", .picture(exact: false)),
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

    @Test("is probed, or refused with its code", arguments: verdicts.map(\.name))
    func probe(name: String) throws {
        let path = "\(try #require(Fixture.sharedMedia))/\(name)"
        let verdict = try #require(Self.verdicts.first { $0.name == name }).verdict
        let result = try Command.reelpool("probe", "--json", path)
        if case .refused(let code) = verdict { return try expectFailure(result, code) }
        try #require(result.status == 0, "\(result.errors)")
        let report = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        #expect((report["video"] as? [Any])?.isEmpty == (verdict == .sound))
        let container = try #require(report["container"] as? [String: Any])
        #expect(container["truncated"] as? Bool == false)
        guard let duration = container["duration_seconds"] as? Double else {
            // Still pictures last as long as one likes.
            #expect(name.hasSuffix(".jpg") || name.hasSuffix(".png"))
            return
        }
        // The largest file of the folder lasts six minutes; one claims to last forty hours.
        #expect(duration > 0 && duration < 400)
        if verdict != .sound {
            let source = try Self.reference(path)
            #expect(duration >= source.frames.last.map(\.time.seconds) ?? 0)
            #expect(duration < source.end.seconds + 1.5)
        }
    }

    @Test("is rendered, or refused with its code", arguments: verdicts.map(\.name))
    func render(name: String) throws {
        let path = "\(try #require(Fixture.sharedMedia))/\(name)"
        let verdict = try #require(Self.verdicts.first { $0.name == name }).verdict
        try withTemporaryFolder { folder in
            let (edit, output) = ("\(folder)/edit.json", "\(folder)/out.mp4")
            // A second at most, its later half first, so that there is a seam and a way back.
            let lossless = #"{"video":{"crf":0,"preset":"ultrafast"}}"#
            guard case .picture(let exact) = verdict else {
                let range = name == "sample_ac3_aac.mp4" ? #","end_ms":250"# : #","start_ms":300,"end_ms":800"#
                _ = try writeEdit(folder, source: path, range: range, output: lossless)
                let result = try Command.reelpool("render", edit, "--output", output, "--json")
                if case .refused(let code) = verdict { return try expectFailure(result, code) }
                #expect(result.status == 0, "\(result.errors)")
                #expect(try ReferenceAudio(output).seconds > 0.2)
                return
            }
            let source = try Self.reference(path)
            let middle = source.frames[min(source.frames.count / 2, 20)].time
            let end = source.frames.first { $0.time >= middle + Rational(1, 2) }?.time
            let ranges: [(start: Rational, end: Rational?)] =
                middle > .zero ? [(middle, end), (.zero, middle)] : [(.zero, nil)]
            try write(EditText.timeline(ranges, of: path, output: lossless), to: edit)
            let result = try Command.reelpool("render", edit, "--output", output, "--json")
            try #require(result.status == 0, "\(result.errors)")
            let expected = ExpectedProgramme(source, ranges: ranges)
            let rendered = try ReferenceVideo(output)
            #expect(rendered.times == expected.frames.map(\.time))
            if exact { #expect(rendered.hashes == expected.frames.map(\.hash)) }
        }
    }

    private static func reference(_ path: String) throws -> ReferenceVideo {
        // This file's audio has no description that the command could copy.
        try ReferenceVideo(path, withoutSound: path.hasSuffix("sample_missing_stsd.mp4"))
    }
}
