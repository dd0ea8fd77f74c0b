import Foundation
import Model
import Planning
import TestSupport
import Testing

@Suite("When something is laid over a segment")
struct LayerTimesTests {
    /// `start-end:layers`, in milliseconds of the source.
    private static func stretches(
        _ programme: String, cues: String = "", overlays: String = "",
        probes: [ProbeReport] = [ProbedSource.clip()]
    ) throws -> [[String]] {
        var more = #","captions":{"cues":[\#(cues)]}"#
        if !overlays.isEmpty { more += #","overlays":[\#(overlays)]"# }
        return try PlannerSegmentsTests.plan(programme, probes: probes, more: more).segments.map { segment in
            segment.layers.map { stretch in
                let layers = stretch.layers.map { "\($0.kind.rawValue)\($0.index)" }.joined(separator: "+")
                return "\(stretch.start.milliseconds)-\(stretch.end.milliseconds):\(layers)"
            }
        }
    }

    private static func cue(_ start: Int, _ end: Int) -> String {
        #"{"start_ms":\#(start),"end_ms":\#(end),"text":"x"}"#
    }

    @Test("is on the output's clock for a timeline")
    func timeline() throws {
        let ranges = #"""
            "timeline":[{"source":"s0","start_ms":5000,"end_ms":6000},{"source":"s0","start_ms":1000,"end_ms":3000}]
            """#
        #expect(
            try Self.stretches(ranges, cues: "\(Self.cue(200, 400)),\(Self.cue(900, 1500)),\(Self.cue(3100, 4000))")
                == [
                    ["5200-5400:caption0", "5900-6000:caption1"], ["1000-1500:caption1"],
                ])
    }

    @Test("is on the clock before the cuts for an edit list")
    func edits() throws {
        let operations = #""edits":[{"start_ms":2000,"end_ms":3000}]"#
        #expect(
            try Self.stretches(operations, cues: "\(Self.cue(1500, 3500)),\(Self.cue(2100, 2900))") == [
                ["1500-2000:caption0"], ["3000-3500:caption0"],
            ])
        let two = [ProbedSource.clip(seconds: 10), ProbedSource.clip(seconds: 5)]
        #expect(
            try Self.stretches(#""edits":[]"#, cues: Self.cue(9000, 11_000), probes: two) == [
                ["9000-10000:caption0"], ["0-1000:caption0"],
            ])
    }

    @Test("is told apart wherever what is shown changes, captions above all else")
    func overlapping() throws {
        let shown = try Self.stretches(
            #""timeline":[{"source":"s0"}]"#, cues: "\(Self.cue(1000, 3000)),\(Self.cue(2000, 4000))",
            overlays: #"{"source":"s1","start_ms":2500,"end_ms":3500,"width":0.5}"#,
            probes: [ProbedSource.clip(), ProbedSource.clip()])
        #expect(
            shown == [
                [
                    "1000-2000:caption0", "2000-2500:caption0+caption1", "2500-3000:overlay0+caption0+caption1",
                    "3000-3500:overlay0+caption1", "3500-4000:caption1",
                ]
            ])
    }

    @Test("goes to the end where an image has none, which is no part of the programme itself")
    func endless() throws {
        let shown = try Self.stretches(
            #""edits":[{"start_ms":8000,"end_ms":9000}]"#, overlays: #"{"source":"s1","start_ms":7000}"#,
            probes: [ProbedSource.clip(), ProbedSource.clip()])
        #expect(shown == [["7000-8000:overlay0"], ["9000-10000:overlay0"]])
    }

    @Test(
        "is refused with its place where it cannot be",
        arguments: [
            (#""captions":{"cues":[{"start_ms":2,"end_ms":2,"text":"x"}]}"#, .rangeReversed, "captions.cues[0]"),
            (#""overlays":[{"source":"s9"}]"#, .unknownSource, "overlays[0].source"),
            (#""overlays":[{"source":"s0","start_ms":9,"end_ms":3}]"#, .rangeReversed, "overlays[0]"),
        ] as [(String, FailureCode, String)])
    func refusals(layers: String, code: FailureCode, place: String) {
        let failure = PlannerSegmentsTests.failure(#""timeline":[{"source":"s0"}],\#(layers)"#)
        #expect(failure?.code == code && failure?.message.hasPrefix(place) == true, "\(failure?.message ?? "")")
    }

    @Test("is found by a time")
    func lookup() throws {
        let plan = try PlannerSegmentsTests.plan(
            #""timeline":[{"source":"s0"}]"#,
            more: #","captions":{"cues":[\#(Self.cue(1000, 2000)),\#(Self.cue(3000, 4000))]}"#)
        let segment = plan.segments[0]
        func layers(_ milliseconds: Int64) -> [Layer] { segment.layers(at: Rational(milliseconds, 1000)) }
        #expect([0, 999, 2000, 2999, 4000, 9000].allSatisfy { layers($0).isEmpty })
        #expect([1000, 1999].allSatisfy { layers($0) == [.caption(0)] })
        #expect([3000, 3999].allSatisfy { layers($0) == [.caption(1)] })
    }

    @Test("is a stretch of its own for copying, of a bounded length")
    func stretches() throws {
        let plan = try PlannerSegmentsTests.plan(
            #""timeline":[{"source":"s0","start_ms":1000}]"#,
            probes: [ProbedSource.clip(seconds: 100)],
            more:
                #","captions":{"cues":[\#(Self.cue(1000, 2000)),\#(Self.cue(2000, 3000)),\#(Self.cue(10_000, 55_000))]}"#
        )
        let shown = plan.segments[0].stretches.map {
            "\($0.start.milliseconds)-\($0.end?.milliseconds ?? -1)\($0.isLayered ? "+" : "")"
        }
        #expect(
            shown == [
                "1000-2000", "2000-4000+", "4000-11000", "11000-31000+", "31000-51000+", "51000-56000+", "56000--1",
            ])
    }
}
