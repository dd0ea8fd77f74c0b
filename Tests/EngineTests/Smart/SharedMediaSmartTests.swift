import Foundation
import Model
import TestSupport
import Testing

/// Real files, which not every machine has beside its checkout, cut anywhere: what phones, cameras and other encoders made.
@Suite("A smart render of real media", .enabled(if: Fixture.sharedMedia != nil, "../shared/media is absent"))
struct SharedMediaSmartTests {
    static let folder = Fixture.sharedMedia ?? ""

    /// All with a picture in a codec that may be copied, but for those that no render takes.
    static let names = [
        "bbb_642x642_768kbps_30fps_vp9.webm", "bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4",
        "bbb_800x640_768kbps_30fps_avc_pyramid_3b.mp4", "bbb_800x640_768kbps_30fps_vp9.mp4", "bt601.mov",
        "h265_bframes.mp4", "h265_with_metadata_track.mp4", "hdr10-av1.mp4", "hlg10-color-test.mp4",
        "iibbibb_editlist_videoonly.mp4", "long_1080p_lowbitrate.mp4", "sample.flv", "sample.mkv", "sample.mp4",
        "sample_android_slow_motion.mp4", "sample_av1.mp4", "sample_edit_list_only_preroll_sync_sample.mp4",
        "sample_fragmented.mp4", "sample_h264.ts", "sample_mdat_too_long.mp4", "sample_missing_stsd.mp4",
        "sample_partially_fragmented.mp4", "sample_portrait.mp4", "sample_rotate_and_reflect.mp4",
        "sample_shorter_audio.mp4", "sample_twos_pcm.mp4", "sample_video_only.mp4", "sample_with_chapters.mp4",
        "sample_with_increasing_timestamps_320w_240h_5s.mp4", "sample_with_multiple_key_frames.mkv",
        "sample_with_vorbis_audio.mkv", "sample_without_stss.mp4", "testvid_1022ms.mp4",
        "trim_optimization_failure.mp4",
    ]

    @Test("keeps what was asked for", arguments: names.indices)
    func cuts(index: Int) throws {
        let name = Self.names[index]
        let path = "\(Self.folder)/\(name)"
        let seed = RandomCuts.seed(of: index)
        var random = SeededGenerator(seed: seed)
        // Of a long one, as much as is decoded in a moment.
        var shown = try ReferenceVideo(
            path, withoutSound: name == "sample_missing_stsd.mp4", frameLimit: name.hasPrefix("long_") ? 300 : nil)
        // Its track lasts for half a frame longer than its last packet, and the container has the last word.
        if name == "bt601.mov" { shown.end = Rational(10201, 10000) }
        let container = name.hasSuffix("webm") ? "webm" : name.hasSuffix("mkv") ? "mkv" : "mp4"
        try withTemporaryFolder { folder in
            for round in 0..<(Thoroughness.isFull ? 10 : 2) {
                var ranges = RandomCuts.list(of: shown, fromBeginning: round == 0, using: &random)
                if name.hasPrefix("long_") { ranges = ranges.map { ($0.start, $0.end ?? Rational(9)) } }
                let comment = "\(name), seed \(seed), round \(round): \(ranges)"
                let smart = try SelectionCheck.check(
                    ranges, of: path, showing: shown, in: folder, as: "out\(round)", container: container,
                    threads: 1 + round % 2, mayDecline: true, comment)
                print("\(name): \(smart.declined ?? "\(smart.copiedPictures) copied")")
            }
        }
    }
}
