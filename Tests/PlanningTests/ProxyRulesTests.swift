import Model
import Planning
import TestSupport
import Testing

@Suite("A source is a proxy already")
struct ProxyRulesTests {
    private static func obstacle(
        _ video: VideoStream = ProbedSource.video(width: 1280, height: 720),
        audio: [AudioStream] = [ProbedSource.audio()],
        format: String = "mov,mp4", change: (inout ProbeReport) -> Void = { _ in }
    ) -> String? {
        var report = ProbedSource.report(video: [video], audio: audio, format: format)
        change(&report)
        return ProxyRules.obstacle(report)
    }

    @Test("when it has every property of one")
    func meets() {
        #expect(Self.obstacle() == nil)
        #expect(Self.obstacle(ProbedSource.video(width: 720, height: 1280)) == nil)
        #expect(Self.obstacle(audio: []) == nil)
    }

    @Test("unless one property is missing, whichever it is")
    func lacks() {
        let lacking: [(String, VideoStream)] = [
            ("codec", ProbedSource.video(width: 1280, height: 720, codec: "hevc")),
            ("pixel format", ProbedSource.video(width: 1280, height: 720, pixelFormat: "yuv444p")),
            ("size", ProbedSource.video(width: 1920, height: 1080)),
            ("long side", ProbedSource.video(width: 1400, height: 600)),
            ("rotation", ProbedSource.video(width: 1280, height: 720, orientation: .rotated90)),
            ("pixel shape", ProbedSource.video(width: 960, height: 720, aspect: Rational(4, 3))),
            ("dynamic range", ProbedSource.video(width: 1280, height: 720, color: ProbedSource.pq)),
            ("interlacing", ProbedSource.video(width: 1280, height: 720) { $0.interlaced = true }),
            ("keyframes", ProbedSource.video(width: 1280, height: 720) { $0.keyframeIntervalSeconds = 1.5 }),
            ("unknown keyframes", ProbedSource.video(width: 1280, height: 720) { $0.keyframeIntervalSeconds = nil }),
            (
                "a pause",
                ProbedSource.video(width: 1280, height: 720) {
                    $0.editList = [EditListEntry(durationSeconds: 1, mediaStartSeconds: nil)]
                }
            ),
        ]
        for (property, video) in lacking { #expect(Self.obstacle(video) != nil, "\(property)") }
        #expect(Self.obstacle(audio: [ProbedSource.audio(codec: "ac3")]) != nil)
        #expect(Self.obstacle(audio: [ProbedSource.audio { $0.profile = "HE-AAC" }]) != nil)
        #expect(Self.obstacle(audio: [ProbedSource.audio(), ProbedSource.audio(index: 2)]) != nil)
        #expect(Self.obstacle(format: "matroska,webm") != nil)
        #expect(Self.obstacle { $0.container.truncated = true } != nil)
        #expect(Self.obstacle { $0.video = [] } != nil)
    }

    @Test(
        "else its proxy is no larger than 720p, and no larger than it is itself",
        arguments: [
            ((1920, 1080), Rational.one, (1280, 720)), ((3840, 2160), .one, (1280, 720)),
            ((1080, 1920), .one, (720, 1280)), ((640, 360), .one, (640, 360)), ((319, 179), .one, (318, 178)),
            ((2560, 1080), .one, (1280, 540)), ((1440, 1440), .one, (720, 720)),
            ((240, 180), Rational(4, 3), (320, 180)),
            ((720, 576), Rational(16, 15), (768, 576)),
        ] as [((Int, Int), Rational, (Int, Int))])
    func canvas(source: (Int, Int), aspect: Rational, expected: (Int, Int)) {
        let canvas = ProxyRules.canvas(for: ProbedSource.video(width: source.0, height: source.1, aspect: aspect))
        #expect(canvas == Canvas(width: expected.0, height: expected.1))
    }
}
