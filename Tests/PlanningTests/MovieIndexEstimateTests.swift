import Foundation
import Model
import Planning
import TestSupport
import Testing

/// How much is set aside for the index of an output. That it is enough, the engine's tests show with real files.
@Suite("The space set aside for an index")
struct MovieIndexEstimateTests {
    private static func estimate(
        minutes: Double = 90, rate: Rational = Rational(30), output: String = "{}",
        change: (inout VideoStream) -> Void = { _ in }
    ) throws -> MovieIndexEstimate? {
        let probe = ProbedSource.report(
            video: [ProbedSource.video(rate: rate, change: change)], audio: [ProbedSource.audio()],
            seconds: 60 * minutes)
        let json = #"{"sources":[{"id":"a","uri":"a.mp4"}],"timeline":[{"source":"a"}],"output":\#(output)}"#
        return try Planner.plan(EditDocument(json: Data(json.utf8)), probes: [probe]).indexEstimate
    }

    private static func reservation(
        minutes: Double = 90, rate: Rational = Rational(30), output: String = "{}",
        change: (inout VideoStream) -> Void = { _ in }
    ) throws -> Double {
        let found = try estimate(minutes: minutes, rate: rate, output: output, change: change)
        return Double(try #require(found).reservation) / 1_048_576
    }

    @Test("of the longest recordings stays small enough to be kept in memory")
    func bounds() throws {
        #expect((6...8).contains(try Self.reservation()))
        #expect((9...11).contains(try Self.reservation(rate: Rational(60))))
        #expect((8...10).contains(try Self.reservation { $0.variableFrameRate = true }))
        #expect(try Self.reservation(minutes: 10_000_000) == 64)
    }

    @Test("is little for a clip")
    func clip() throws {
        #expect(try Self.reservation(minutes: 0.1) < 0.03)
    }

    @Test("grows with what needs entries")
    func parts() throws {
        let usual = try Self.reservation()
        // No frames in another order than they are shown in.
        #expect(try Self.reservation(output: #"{"video":{"preset":"ultrafast"}}"#) < 0.7 * usual)
        #expect(try Self.reservation(output: #"{"video":{"codec":"vp9"}}"#) < 0.7 * usual)
        #expect(try Self.reservation(output: #"{"video":{"codec":"hevc"}}"#) >= usual)
        // A frame lasts 33⅓ ms, which a clock of milliseconds does not have.
        #expect(try Self.reservation { $0.timeBase = Rational(1, 1000) } > 1.3 * usual)
        // Resampled, all frames last as long again.
        #expect(
            try Self.reservation(output: #"{"fps":30}"#) { $0.variableFrameRate = true } == usual)
        #expect(try Self.reservation(output: #"{"audio":{"sample_rate":96000}}"#) > 1.2 * usual)
    }

    @Test("is there where nothing tells how long the source is, and in MP4 and MOV only")
    func unknown() throws {
        let probe = ProbedSource.report(video: [ProbedSource.video()], audio: [ProbedSource.audio()], seconds: nil)
        for (container, expected) in [("mp4", true), ("mov", true), ("mkv", false)] {
            let json =
                #"{"sources":[{"id":"a","uri":"a.ts"}],"timeline":[{"source":"a"}],"#
                + #""output":{"container":"\#(container)"}}"#
            let plan = try Planner.plan(EditDocument(json: Data(json.utf8)), probes: [probe])
            #expect((plan.indexEstimate?.reservation ?? 0 > 50_000) == expected)
            #expect((plan.indexEstimate != nil) == expected)
        }
    }
}
