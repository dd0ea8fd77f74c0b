import Model
import Planning
import TestSupport
import Testing

@Suite("What may be copied")
struct SmartEligibilityTests {
    private static let both = #""timeline":[{"source":"s0"},{"source":"s1"}]"#

    private static func plan(
        _ streams: [VideoStream], output: String = "{}", keepsCodec: Bool = true
    ) throws -> (
        RenderPlan, [ProbeReport]
    ) {
        let probes = streams.map { ProbedSource.report(video: [$0], audio: [ProbedSource.audio()]) }
        let programme = probes.count == 1 ? #""timeline":[{"source":"s0"}]"# : Self.both
        let plan = try PlannerSegmentsTests.plan(
            programme, probes: probes, more: #","output":\#(output)"#, keepsCodec: keepsCodec)
        return (plan, probes)
    }

    private static func obstacle(_ streams: [VideoStream], output: String = "{}") throws -> SmartObstacle? {
        let (plan, probes) = try plan(streams, output: output)
        do throws(SmartObstacle) {
            try plan.checkCopying(probes)
            return nil
        } catch { return error }
    }

    @Test(
        "is of the source's codec where none is asked for and the container takes it",
        arguments: [
            ("hevc", "mp4", VideoSettings.Codec.hevc), ("vp9", "mp4", .vp9), ("av1", "mkv", .av1),
            ("hevc", "mov", .hevc), ("vp9", "mov", .h264), ("av1", "webm", .av1), ("hevc", "webm", .vp9),
            ("mpeg4", "mp4", .h264),
        ])
    func keptCodec(source: String, container: String, expected: VideoSettings.Codec) throws {
        let output = #"{"container":"\#(container)"}"#
        let (copying, _) = try Self.plan([ProbedSource.video(codec: source)], output: output)
        #expect(copying.video?.codec == expected)
        let (encoding, _) = try Self.plan([ProbedSource.video(codec: source)], output: output, keepsCodec: false)
        #expect(encoding.video?.codec == (container == "webm" ? .vp9 : .h264))
    }

    @Test("is of the codec that is asked for, whatever the source's")
    func askedCodec() throws {
        let output = #"{"video":{"codec":"h264"}}"#
        let (plan, _) = try Self.plan([ProbedSource.video(codec: "hevc")], output: output)
        #expect(plan.video?.codec == .h264)
        let obstacle = try Self.obstacle([ProbedSource.video(codec: "hevc")], output: output)
        #expect(obstacle == .otherCodec(source: "hevc", output: "h264"))
    }

    @Test("is of no one's codec where sources have several")
    func severalCodecs() throws {
        let (plan, _) = try Self.plan([ProbedSource.video(codec: "hevc"), ProbedSource.video(codec: "vp9")])
        #expect(plan.video?.codec == .h264)
    }

    @Test("is turned as the source is, where the container can say so")
    func turned() throws {
        let turned = ProbedSource.video(orientation: .rotated90)
        let inMP4 = try Self.obstacle([turned])
        #expect(inMP4 == nil)
        for container in ["mov", "mkv"] {
            let obstacle = try Self.obstacle([turned], output: #"{"container":"\#(container)"}"#)
            #expect((obstacle == nil) == (container == "mov"), "\(container)")
        }
    }

    @Test("is turned in one way only")
    func turnedDifferently() throws {
        // The same size as shown, so that nothing else is in the way; one rate, so that nothing is resampled.
        let first = ProbedSource.video(width: 640, height: 640, orientation: .rotated90)
        let (plan, probes) = try Self.plan([first])
        var mixed = plan
        var other = plan.sources[0]
        other.layout?.orientation = .rotated180
        mixed.sources.append(other)
        var segment = plan.segments[0]
        segment.source = 1
        mixed.segments.append(segment)
        let reports = probes + probes
        var found: SmartObstacle?
        do throws(SmartObstacle) { try mixed.checkCopying(reports) } catch { found = error }
        #expect(found == .changesPicture("the sources are turned upright in several ways"))
    }
}
