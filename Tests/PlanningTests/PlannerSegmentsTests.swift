import Foundation
import Model
import Planning
import TestSupport
import Testing

/// A segment as these tests look at it: source, start and end in milliseconds (no end: -1), sound effects.
struct Shape: Equatable, CustomStringConvertible {
    var source: Int
    var start: Int64
    var end: Int64
    var sound: [String] = []
    var description: String { "\(source):\(start)-\(end)\(sound)" }

    init(_ source: Int, _ start: Int64, _ end: Int64, _ sound: String...) {
        (self.source, self.start, self.end, self.sound) = (source, start, end, sound)
    }

    init(_ segment: PlannedSegment) {
        (source, start) = (segment.source, segment.start.milliseconds)
        end = segment.end?.milliseconds ?? -1
        sound = segment.sound.map { "\($0.kind.rawValue) \($0.start.milliseconds)-\($0.end.milliseconds)" }
    }
}

@Suite("The segments of a plan")
struct PlannerSegmentsTests {
    static func plan(
        _ programme: String, probes: [ProbeReport] = [ProbedSource.clip()], more: String = "",
        container: OutputSettings.Container? = nil, salvage: Bool = false, keepsCodec: Bool = false
    ) throws -> RenderPlan {
        let sources = probes.indices.map { #"{"id":"s\#($0)","uri":"\#($0).mp4"}"# }.joined(separator: ",")
        let edit = try EditDocument(json: Data(#"{"sources":[\#(sources)],\#(programme)\#(more)}"#.utf8))
        return try Planner.plan(
            edit, probes: probes, container: container, salvage: salvage, keepsCodec: keepsCodec)
    }

    static func failure(
        _ programme: String, probes: [ProbeReport] = [ProbedSource.clip()], more: String = ""
    ) -> Failure? {
        TestSupport.failure { _ = try plan(programme, probes: probes, more: more) }
    }

    private static func shapes(
        _ programme: String, probes: [ProbeReport] = [ProbedSource.clip()], more: String = ""
    ) throws
        -> [Shape]
    {
        try plan(programme, probes: probes, more: more).segments.map(Shape.init)
    }

    // MARK: Timelines

    @Test("of a timeline are its ranges in order, those that touch made one")
    func timeline() throws {
        let ranges = #"""
            "timeline":[{"source":"s0","start_ms":5000,"end_ms":6000},{"source":"s0","start_ms":1000,"end_ms":2000},
                        {"source":"s0","start_ms":2000,"end_ms":3000},{"source":"s0","start_ms":2500,"end_ms":2600},
                        {"source":"s0","start_ms":2500,"end_ms":2600},{"source":"s0","start_ms":9000}]
            """#
        #expect(
            try Self.shapes(ranges) == [
                Shape(0, 5000, 6000), Shape(0, 1000, 3000), Shape(0, 2500, 2600), Shape(0, 2500, 2600),
                Shape(0, 9000, -1),
            ])
    }

    @Test("of several sources are not joined across them")
    func acrossSources() throws {
        let ranges = #"""
            "timeline":[{"source":"s1","end_ms":2000},{"source":"s0","start_ms":2000,"end_ms":3000},{"source":"s1"}]
            """#
        let shapes = try Self.shapes(ranges, probes: [ProbedSource.clip(), ProbedSource.clip()])
        #expect(shapes == [Shape(1, 0, 2000), Shape(0, 2000, 3000), Shape(1, 0, -1)])
    }

    @Test("may overshoot their source by up to a second", arguments: [(10_000, true), (11_000, true), (11_001, false)])
    func overshoot(end: Int, accepted: Bool) {
        let failure = Self.failure(#""timeline":[{"source":"s0","start_ms":9000,"end_ms":\#(end)}]"#)
        #expect(failure?.code == (accepted ? nil : .rangeOutOfBounds))
    }

    @Test("are faded at every seam and nowhere else")
    func fades() throws {
        let whole = try Self.plan(#""timeline":[{"source":"s0"}]"#).segments
        #expect(whole.map(\.fadesIn) == [false] && whole.map(\.fadesOut) == [false])
        let part = try Self.plan(#""timeline":[{"source":"s0","start_ms":1,"end_ms":5000}]"#).segments
        #expect(part.map(\.fadesIn) == [true] && part.map(\.fadesOut) == [true])
        let two = try Self.plan(#""timeline":[{"source":"s0","end_ms":1000},{"source":"s0","start_ms":2000}]"#).segments
        #expect(two.map(\.fadesIn) == [false, true] && two.map(\.fadesOut) == [true, false])
    }

    @Test(
        "are refused with their place when they cannot be",
        arguments: [
            (#"{"source":"s0","end_ms":1},{"source":"x"}"#, .unknownSource, "timeline[1].source"),
            (#"{"source":"s0","start_ms":2000,"end_ms":1000}"#, .rangeReversed, "timeline[0]"),
            (#"{"source":"s0","start_ms":2000,"end_ms":2000}"#, .rangeReversed, "timeline[0]"),
            (#"{"source":"s0"},{"source":"s0","start_ms":-1,"end_ms":5}"#, .rangeOutOfBounds, "timeline[1]"),
            (#"{"source":"s0","start_ms":10000}"#, .rangeOutOfBounds, "timeline[0]"),
            (#"{"source":"s0","start_ms":99000,"end_ms":99500}"#, .rangeOutOfBounds, "timeline[0]"),
            ("", .editKeepsNothing, ""),
        ] as [(String, FailureCode, String)])
    func refusals(ranges: String, code: FailureCode, path: String) {
        let failure = Self.failure(#""timeline":[\#(ranges)]"#)
        #expect(failure?.code == code)
        #expect(failure?.message.hasPrefix(path) == true, "\(failure?.message ?? "")")
    }

    // MARK: Edit lists

    @Test(
        "of an edit list are what is not cut",
        arguments: [
            ("", [Shape(0, 0, -1)]),
            (#"{"start_ms":1000,"end_ms":2000}"#, [Shape(0, 0, 1000), Shape(0, 2000, -1)]),
            (#"{"start_ms":0,"end_ms":2000}"#, [Shape(0, 2000, -1)]),
            (#"{"start_ms":9000,"end_ms":10500}"#, [Shape(0, 0, 9000)]),
            // Overlapping, touching, contained, in any order.
            (
                #"{"start_ms":4000,"end_ms":5000},{"start_ms":1000,"end_ms":3000},{"start_ms":2000,"end_ms":4000}"#,
                [Shape(0, 0, 1000), Shape(0, 5000, -1)]
            ),
            (
                #"{"start_ms":1000,"end_ms":4000},{"start_ms":2000,"end_ms":3000}"#,
                [Shape(0, 0, 1000), Shape(0, 4000, -1)]
            ),
        ] as [(String, [Shape])])
    func cuts(operations: String, expected: [Shape]) throws {
        #expect(try Self.shapes(#""edits":[\#(operations)]"#) == expected)
    }

    @Test("of several sources treat them as one programme")
    func programme() throws {
        let probes = [ProbedSource.clip(seconds: 10), ProbedSource.clip(seconds: 5), ProbedSource.clip(seconds: 2.5)]
        let shapes = try Self.shapes(
            #"""
            "edits":[{"start_ms":9000,"end_ms":11000},{"start_ms":15000,"end_ms":15500},
                     {"start_ms":13000,"end_ms":16000,"action":"mute"}]
            """#, probes: probes)
        #expect(
            shapes == [
                Shape(0, 0, 9000), Shape(1, 1000, -1, "mute 3000-6000"), Shape(2, 500, -1, "mute -2000-1000"),
            ])
    }

    @Test(
        "carry mutes and bleeps in their source's time",
        arguments: [
            (#"{"start_ms":1000,"end_ms":2000,"action":"bleep"}"#, "", ["bleep 1000-2000"]),
            (
                #"{"start_ms":3000,"end_ms":4000,"action":"mute"},{"start_ms":1000,"end_ms":2000,"action":"mute"}"#, "",
                ["mute 1000-2000", "mute 3000-4000"]
            ),
            (
                #"{"start_ms":1000,"end_ms":3000,"action":"mute"},{"start_ms":2000,"end_ms":4000,"action":"mute"}"#, "",
                ["mute 1000-4000"]
            ),
            // Where they overlap the bleep is heard.
            (
                #"{"start_ms":1000,"end_ms":4000,"action":"mute"},{"start_ms":2000,"end_ms":3000,"action":"bleep"}"#,
                "", ["mute 1000-2000", "bleep 2000-3000", "mute 3000-4000"]
            ),
            (#"{"start_ms":1000,"end_ms":2000,"action":"bleep"}"#, "mute", ["mute 1000-2000"]),
            (#"{"start_ms":1000,"end_ms":2000,"action":"mute"}"#, "bleep", ["bleep 1000-2000"]),
        ] as [(String, String, [String])])
    func effects(operations: String, censorship: String, expected: [String]) throws {
        let settings = censorship.isEmpty ? "" : #","settings":{"audio_censorship":"\#(censorship)"}"#
        let shapes = try Self.shapes(#""edits":[\#(operations)]"#, more: settings)
        #expect(shapes.map(\.sound) == [expected])
    }

    @Test("keep an effect whole on both sides of a cut, so that it does not fade there")
    func effectAcrossCut() throws {
        let shapes = try Self.shapes(
            #"""
            "edits":[{"start_ms":1000,"end_ms":5000,"action":"bleep"},{"start_ms":2000,"end_ms":3000}]
            """#)
        #expect(shapes == [Shape(0, 0, 2000, "bleep 1000-5000"), Shape(0, 3000, -1, "bleep 1000-5000")])
    }

    @Test("leave cuts alone when censorship is replaced")
    func censorshipIsNotForCuts() throws {
        let shapes = try Self.shapes(
            #""edits":[{"start_ms":0,"end_ms":5000,"action":"cut"}],"settings":{"audio_censorship":"mute"}"#)
        #expect(shapes == [Shape(0, 5000, -1)])
    }

    @Test(
        "of an edit list are refused when they cannot be",
        arguments: [
            (#"{"start_ms":5,"end_ms":5}"#, .rangeReversed), (#"{"start_ms":9,"end_ms":5}"#, .rangeReversed),
            (#"{"start_ms":-1,"end_ms":5}"#, .rangeOutOfBounds),
            (#"{"start_ms":10000,"end_ms":10001}"#, .rangeOutOfBounds),
            (#"{"start_ms":0,"end_ms":11001}"#, .rangeOutOfBounds),
            (#"{"start_ms":0,"end_ms":10000}"#, .editKeepsNothing),
            (#"{"start_ms":0,"end_ms":6000},{"start_ms":5000,"end_ms":11000}"#, .editKeepsNothing),
            (#"{"start_ms":0,"end_ms":1},{"start_ms":7,"end_ms":3,"action":"mute"}"#, .rangeReversed),
        ] as [(String, FailureCode)])
    func editListRefusals(operations: String, code: FailureCode) {
        #expect(Self.failure(#""edits":[\#(operations)]"#)?.code == code)
    }

    @Test("need a known duration in an edit list, but not in a timeline")
    func unknownDuration() throws {
        let probes = [ProbedSource.clip(seconds: nil)]
        #expect(Self.failure(#""edits":[]"#, probes: probes)?.code == .damagedMedia)
        #expect(try Self.shapes(#""timeline":[{"source":"s0","start_ms":5}]"#, probes: probes) == [Shape(0, 5, -1)])
    }

    @Test("keep exactly the instants that no cut holds", arguments: [UInt64](1...40))
    func randomCuts(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let seconds = (0..<Int.random(in: 1...3, using: &random)).map { _ in Int64.random(in: 1...4, using: &random) }
        let total = seconds.reduce(0, +) * 1000
        let cuts = (0..<Int.random(in: 0...6, using: &random)).map { _ in
            let start = Int64.random(in: 0..<total - 500, using: &random)
            return start..<start + .random(in: 1...500, using: &random)
        }
        let operations = cuts.map { #"{"start_ms":\#($0.lowerBound),"end_ms":\#($0.upperBound)}"# }
        let probes = seconds.map { ProbedSource.clip(seconds: Double($0)) }
        let shapes = try Self.shapes(#""edits":[\#(operations.joined(separator: ","))]"#, probes: probes)
        var kept: [Int64] = []
        for shape in shapes {
            let offset = seconds[..<shape.source].reduce(0, +) * 1000
            kept += (offset + shape.start)..<(offset + (shape.end < 0 ? seconds[shape.source] * 1000 : shape.end))
        }
        #expect(kept == (0..<total).filter { instant in !cuts.contains { $0.contains(instant) } })
    }
}
