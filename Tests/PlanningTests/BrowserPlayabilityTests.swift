import Model
import Planning
import TestSupport
import Testing

@Suite("Browsers play")
struct BrowserPlayabilityTests {
    private static let mp4 = "mov,mp4,m4a,3gp,3g2,mj2"

    private static func judge(
        _ format: String, brand: String? = nil, video: VideoStream? = nil, audio: AudioStream? = nil,
        change: (inout ProbeReport.Container) -> Void = { _ in }
    ) -> ProbeReport.Playability {
        var container = ProbeReport.Container(format: format, sizeBytes: 1, startSeconds: 0)
        container.majorBrand = brand
        change(&container)
        return BrowserPlayability.judge(
            container: container, video: [video].compactMap(\.self), audio: [audio].compactMap(\.self))
    }

    @Test(
        "only what all of them know",
        arguments: [
            (mp4, "isom", "h264", "aac", true), (mp4, "isom", "h264", "ac3", false),
            (mp4, "isom", "hevc", "aac", false),
            (mp4, "isom", "vp9", "opus", true), (mp4, "isom", "av1", "flac", true),
            (mp4, "isom", "mpeg4", "aac", false),
            (mp4, "isom", "h264", "mp3", true), (mp4, "qt", "h264", "aac", false), (mp4, nil, "h264", "aac", true),
            (mp4, "M4A", nil, "aac", true), ("matroska,webm", "webm", "vp9", "opus", true),
            ("matroska,webm", "webm", "vp8", "vorbis", true), ("matroska,webm", "webm", "h264", "opus", false),
            ("matroska,webm", "matroska", "vp9", "opus", false), ("matroska,webm", "matroska", "h264", "aac", false),
            ("mpegts", nil, "h264", "aac", false), ("avi", nil, "mpeg4", "mp3", false), ("mp3", nil, nil, "mp3", true),
            ("wav", nil, nil, "pcm_s16le", true), ("wav", nil, nil, "pcm_s24le", false),
            ("flac", nil, nil, "flac", true),
            ("flv", nil, "h264", "aac", false), (mp4, "isom", nil, nil, false),
        ] as [(String, String?, String?, String?, Bool)])
    func table(format: String, brand: String?, video: String?, audio: String?, playable: Bool) {
        let verdict = Self.judge(
            format, brand: brand, video: video.map { ProbedSource.video(codec: $0) },
            audio: audio.map { ProbedSource.audio(codec: $0) })
        #expect(verdict.playable == playable, "\(verdict.reason)")
        #expect(!verdict.reason.isEmpty)
    }

    @Test("H.264 only with eight bits and 4:2:0")
    func pixelFormats() {
        func plays(_ format: String, _ depth: Int) -> Bool {
            Self.judge(
                Self.mp4, brand: "isom", video: ProbedSource.video(pixelFormat: format, bitDepth: depth),
                audio: ProbedSource.audio()
            ).playable
        }
        #expect(plays("yuv420p", 8) && plays("yuvj420p", 8))
        #expect(!plays("yuv420p10le", 10) && !plays("yuv444p", 8) && !plays("yuv422p", 8))
    }

    @Test("nothing that is cut short or encrypted")
    func damage() {
        let clip = (ProbedSource.video(), ProbedSource.audio())
        #expect(!Self.judge(Self.mp4, brand: "isom", video: clip.0, audio: clip.1) { $0.truncated = true }.playable)
        #expect(
            !Self.judge(Self.mp4, brand: "isom", video: ProbedSource.video { $0.encrypted = true }, audio: clip.1)
                .playable)
        #expect(
            !Self.judge(Self.mp4, brand: "isom", video: clip.0, audio: ProbedSource.audio { $0.encrypted = true })
                .playable)
    }
}
