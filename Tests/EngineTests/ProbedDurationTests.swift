import Engine
import Model
import TestSupport
import Testing

@Suite("The duration that a probe tells")
struct ProbedDurationTests {
    @Test("covers every frame and not much more", arguments: FrameExactnessTests.sources)
    func coversEveryFrame(name: String) throws {
        let path = Fixture.media(name)
        let source = try ReferenceVideo(path)
        let last = try #require(source.frames.last)
        let sound = name == "no_audio.mp4" ? 0 : try ReferenceAudio(path).seconds
        let duration = try #require(try Prober.probe(path: path).container.durationSeconds)
        #expect(duration > last.time.seconds, "a range may begin at the last frame")
        #expect(duration < max(source.end.seconds, sound) + 0.1)
    }
}
