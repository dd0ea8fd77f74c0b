import Engine
import Foundation
import Media
import Model
import TestSupport
import Testing

/// Renders that end before their end, in the middle of whatever an encoder is doing.
@Suite("A render that is stopped")
struct StoppedRenderTests {
    private static func output(_ codec: String) -> String { #"{"video":{"codec":"\#(codec)","preset":"ultrafast"}}"# }

    @Test("leaves nothing, whichever encoder was at work", arguments: ["h264", "hevc", "vp9", "av1"], [1, 2])
    func cancelled(codec: String, threads: Int) throws {
        let json = EditText.timeline([(.zero, nil)], of: Fixture.media("open_gop.mp4"), output: Self.output(codec))
        let document = try EditDocument(json: Data(json.utf8))
        try withTemporaryFolder { folder in
            let cancellation = Cancellation()
            var options = RenderOptions()
            options.threads = ThreadBudget(total: threads)
            let meter = ProgressMeter(
                minimumInterval: 0,
                report: { event in
                    if event.frames >= 5 { cancellation.raise() }
                })
            let renderer = Renderer(
                document, paths: document.sources.map(\.uri), output: "\(folder)/out.mp4", options: options,
                meter: meter, cancellation: cancellation)
            let outcome = failure { _ = try renderer.run() }
            #expect(outcome?.code == .cancelled)
            let left = try contents(ofFolder: folder)
            #expect(left.isEmpty)
        }
    }

    @Test(
        "because its source is damaged says so, whichever encoder was at work",
        arguments: ["h264", "hevc", "vp9", "av1"])
    func damaged(codec: String) throws {
        let json = EditText.timeline([(.zero, nil)], of: Fixture.hostile("bitflips.mp4"), output: Self.output(codec))
        try withTemporaryFolder { folder in
            let outcome = failure { try render(json, to: "\(folder)/out.mp4") }
            #expect(outcome?.code == .damagedMedia)
            let left = try contents(ofFolder: folder)
            #expect(left.isEmpty)
        }
    }

    @Test("because no frame was kept says so, whichever encoder waited", arguments: ["h264", "hevc", "vp9", "av1"])
    func empty(codec: String) throws {
        // Between two frames of 30 per second.
        let ranges: [(start: Rational, end: Rational?)] = [(Rational(1001, 1000), Rational(1020, 1000))]
        let json = EditText.timeline(ranges, of: Fixture.media("open_gop.mp4"), output: Self.output(codec))
        try withTemporaryFolder { folder in
            let outcome = failure { try render(json, to: "\(folder)/out.mp4") }
            #expect(outcome?.code == .editKeepsNothing)
            let left = try contents(ofFolder: folder)
            #expect(left.isEmpty)
        }
    }

    @Test("leaves an older output as it was")
    func olderOutput() throws {
        try withTemporaryFolder { folder in
            let file = "\(folder)/out.mp4"
            try write("the older one", to: file)
            let json = EditText.timeline([(.zero, nil)], of: Fixture.hostile("bitflips.mp4"))
            #expect(failure { try render(json, to: file) } != nil)
            #expect(try bytes(ofFile: file) == Data("the older one".utf8))
            #expect(try contents(ofFolder: folder) == ["out.mp4"])
        }
    }
}
