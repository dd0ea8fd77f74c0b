import Model
import TestSupport
import Testing
import WorkerCore

@Suite("What a job may come to")
struct MediaBoundTests {
    private static func bound(
        _ kind: JobKind, _ payload: JSONValue, _ probes: [ProbeReport] = [ProbedSource.clip(seconds: 60)]
    ) throws -> MediaBound? {
        MediaBound.of(try TaskDocument(kind: kind, payload: payload.text), probes)
    }

    private static func render(_ members: [String: JSONValue]) -> JSONValue {
        let sources: JSONValue = [["id": "a", "uri": "a.mp4"], ["id": "b", "uri": "b.mp4"]]
        return ["edit": .object(members.merging(["sources": sources]) { $1 }), "output": "out.mp4"]
    }

    private static let two = [
        ProbedSource.clip(seconds: 60), ProbedSource.clip(seconds: 30.0005, width: 720, height: 1280),
    ]

    private static func cut(_ start: Int64, _ end: Int64) -> JSONValue {
        ["start_ms": .integer(start), "end_ms": .integer(end), "action": "cut"]
    }

    @Test("is its source's length and picture, for a proxy and an analysis")
    func whole() throws {
        for kind in [JobKind.proxy, .analysis] {
            let payload: JSONValue = kind == .proxy ? ["source": "a", "output": "o"] : ["source": "a"]
            #expect(try Self.bound(kind, payload) == MediaBound(resolution: .upTo1080, milliseconds: 60_000))
            #expect(try Self.bound(kind, payload, [ProbedSource.clip(seconds: nil)]) == nil)
            let sound = ProbedSource.report(audio: [ProbedSource.audio()], seconds: 1.0001)
            #expect(try Self.bound(kind, payload, [sound]) == MediaBound(resolution: .audio, milliseconds: 1001))
            #expect(try Self.bound(kind, payload, [ProbedSource.clip(width: 7680, height: 4320)]) == nil)
        }
    }

    @Test("is what a render's cuts leave of all sources, each moment cut once")
    func cuts() throws {
        func milliseconds(_ edits: [JSONValue]) throws -> Int64? {
            try Self.bound(.render, Self.render(["edits": .array(edits)]), Self.two)?.milliseconds
        }
        #expect(try milliseconds([]) == 90_001)
        #expect(try milliseconds([Self.cut(0, 60_000)]) == 30_001)
        #expect(try milliseconds([Self.cut(10_000, 30_000), Self.cut(20_000, 40_000)]) == 60_001)
        #expect(try milliseconds([Self.cut(80_000, 95_000)]) == 80_000)
        #expect(try milliseconds([["start_ms": 0, "end_ms": 9000, "action": "mute"]]) == 90_001)
        #expect(try milliseconds([Self.cut(0, 95_000)]) == 0)
    }

    @Test("is what a render's ranges play, however often, at the size that it asks for")
    func ranges() throws {
        let timeline: JSONValue = [
            ["source": "a", "start_ms": 1000, "end_ms": 3500], ["source": "a", "start_ms": 0, "end_ms": 1],
            ["source": "b", "start_ms": 10_000],
        ]
        let plain = try Self.bound(.render, Self.render(["timeline": timeline]), Self.two)
        #expect(plain == MediaBound(resolution: .upTo1080, milliseconds: 2500 + 1 + 20_001))
        let settings: JSONValue = ["resolution": "2160p"]
        let large = try Self.bound(.render, Self.render(["timeline": timeline, "settings": settings]), Self.two)
        #expect(large?.resolution == .upTo2160)
    }

    @Test("is neither longer nor larger for an image that is laid over a render")
    func image() throws {
        let image = ProbedSource.clip(seconds: nil, width: 4000, height: 4000)
        let overlays: JSONValue = [["source": "b", "start_ms": 0]]
        for members: [String: JSONValue] in [["edits": []], ["timeline": [["source": "a"]]]] {
            let payload = Self.render(members.merging(["overlays": overlays]) { $1 })
            #expect(
                try Self.bound(.render, payload, [ProbedSource.clip(seconds: 60), image])
                    == MediaBound(resolution: .upTo1080, milliseconds: 60_000))
        }
    }

    @Test("is known before sources are looked at, where all ranges end and the size is named")
    func declared() throws {
        func declared(_ range: JSONValue, _ settings: JSONValue) throws -> MediaBound? {
            let payload = Self.render(["timeline": .array([range]), "settings": settings])
            return MediaBound.declared(by: try TaskDocument(kind: .render, payload: payload.text))
        }
        let closed: JSONValue = ["source": "a", "start_ms": 1000, "end_ms": 3500]
        #expect(
            try declared(closed, ["resolution": "720p"]) == MediaBound(resolution: .upTo720, milliseconds: 2500))
        #expect(try declared(closed, [:]) == nil)
        #expect(try declared(["source": "a", "start_ms": 1000], ["resolution": "720p"]) == nil)
    }
}
