import Model
import Planning
import TestSupport
import Testing

@Suite("The prediction of a smart render")
struct SmartPlannerTests {
    /// Ten minutes of 1080p30 with a keyframe every two seconds.
    private static let survey = SourceSurvey(
        keyframes: (0..<300).map { 2 * Double($0) }, keyframeInterval: 2, framesPerSecond: 30, bytesPerSecond: 300_000,
        megapixels: 2, depth: ReorderDepth(2), duration: 600)

    private static func predict(
        _ ranges: [(Int, Int)], of survey: SourceSurvey = survey, copiesSound: Bool = true, threads: Int = 1
    ) throws -> SmartPlan {
        let timeline = ranges.map { #"{"source":"s0","start_ms":\#($0.0),"end_ms":\#($0.1)}"# }
        let plan = try PlannerSegmentsTests.plan(
            #""timeline":[\#(timeline.joined(separator: ","))]"#,
            probes: [ProbedSource.report(video: [ProbedSource.video()], audio: [ProbedSource.audio()], seconds: 600)])
        return SmartPlanner().plan(plan, surveys: [0: survey], copiesSound: copiesSound, threads: threads)
    }

    @Test("counts what lies between a cut and the keyframe behind it")
    func counts() throws {
        let aligned = try Self.predict([(0, 4000)])
        let cut = try Self.predict([(1000, 4000)])
        #expect(aligned.segments[0].copiedFromSeconds == 0)
        #expect(cut.segments[0].copiedFromSeconds == 2)
        #expect(cut.encodedFrames - aligned.encodedFrames == 30)
        #expect(cut.copiedFrames + cut.encodedFrames == 90)
        #expect(cut.decodedFrames > 30, "from the keyframe before the cut")
        #expect(try Self.predict([(500, 1500)]).segments[0].copiedFromSeconds == nil)
    }

    @Test("grows with the number of cuts, not with what is kept")
    func cost() throws {
        let (short, long) = (try Self.predict([(1000, 60_000)]), try Self.predict([(1000, 600_000)]))
        #expect(long.predictedSeconds < 2 * short.predictedSeconds)
        #expect(long.predictedFullSeconds > 9 * short.predictedFullSeconds)
        let many = try Self.predict((0..<100).map { (6000 * $0 + 1000, 6000 * $0 + 5500) })
        #expect(many.predictedSeconds > 20 * long.predictedSeconds)
        #expect(many.predictedGain < long.predictedGain)
    }

    @Test("has sound cost its joins where it is copied, and all of its length where it is not")
    func sound() throws {
        let (copied, encoded) = (
            try Self.predict([(0, 600_000)]), try Self.predict([(0, 600_000)], copiesSound: false)
        )
        let channels = 2.0
        let costs = RenderCosts()
        let difference = encoded.predictedSeconds - copied.predictedSeconds
        #expect(abs(difference - channels * (600 * costs.soundChannelSecond - costs.soundJoins)) < 1e-9)
        #expect(encoded.predictedFullSeconds == copied.predictedFullSeconds)
    }

    @Test("has the verification run beside the rest where there are two threads")
    func threads() throws {
        let (one, two) = (try Self.predict([(1000, 9000)]), try Self.predict([(1000, 9000)], threads: 2))
        #expect(two.predictedSeconds < one.predictedSeconds)
        #expect(two.predictedSeconds > 0.4 * one.predictedSeconds)
    }

    @Test("knows from the index how long the group behind a seam is, which is verified")
    func groups() throws {
        var uneven = Self.survey
        uneven.keyframes = [0, 2] + (6..<300).map { 2 * Double($0) }
        let (usual, long) = (try Self.predict([(1000, 60_000)]), try Self.predict([(1000, 60_000)], of: uneven))
        let costs = RenderCosts()
        let picture = uneven.megapixels * costs.decode + uneven.bytesPerSecond / 30 * costs.decodedByte
        #expect(long.encodedFrames == usual.encodedFrames)
        #expect(abs(long.predictedSeconds - usual.predictedSeconds - 8 * 30 * picture) < 1e-9)
    }

    @Test("takes a group of the usual length to be verified where there is no index")
    func withoutIndex() throws {
        var unknown = Self.survey
        unknown.keyframes = nil
        // Both ends lie in the middle of a group, as is assumed where nothing is known.
        let (known, assumed) = (try Self.predict([(1000, 59_000)]), try Self.predict([(1000, 59_000)], of: unknown))
        #expect(assumed.encodedFrames == known.encodedFrames)
        #expect(abs(assumed.predictedSeconds - known.predictedSeconds) < 1e-9)
    }
}
