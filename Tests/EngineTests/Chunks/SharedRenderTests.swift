import Engine
import Foundation
import Media
import Model
import TestSupport
import Testing

/// The parts that processes do, one after the other in this one, with nothing in common but a folder.
@Suite("A render that is shared")
struct SharedRenderTests {
    private static func edit(extra: String = "") -> String {
        let path = Fixture.media("bframes_closed.mp4")
        let output =
            #"{"video":{"codec":"h264","crf":30,"preset":"ultrafast","keyframe_interval_s":1}\#(extra)}"#
        return EditText.timeline((0..<4).map { _ in (.zero, Rational(14, 5)) }, of: path, output: output)
    }

    private static func renderer(
        _ json: String, _ folder: String, to output: String, threads: Int = 1,
        progress: @escaping (ProgressEvent) -> Void = { _ in }
    ) throws -> Renderer {
        LogCapture.install()
        let document = try EditDocument(json: Data(json.utf8))
        var options = RenderOptions()
        options.threads = ThreadBudget(total: threads)
        options.mode = .full
        var settings = ChunkSettings(store: LocalChunks(folder: folder), sourceVersions: ["1"])
        settings.secondsPerChunk = 1
        options.chunks = settings
        return Renderer(
            document, paths: document.sources.map(\.uri), output: output, options: options,
            meter: ProgressMeter(minimumInterval: 0, report: progress), cancellation: Cancellation())
    }

    @Test("comes to what one process makes of it, in whatever order its chunks are made")
    func parts() throws {
        try withTemporaryFolder { folder in
            let json = Self.edit()
            let whole = try ChunkRendering(folder: "\(folder)/a").run(json, to: "\(folder)/whole.mp4")
            let chunks = "\(folder)/b"
            let dividing = try Self.renderer(json, chunks, to: "\(folder)/shared.mp4").divide(leastSeconds: 1)
            guard case .divided(let division) = dividing else {
                Issue.record("it was not divided")
                return
            }
            #expect(division.weights.count == whole.chunks?.count && division.digest.utf8.count == 64)
            #expect(abs(division.seconds - whole.durationSeconds) < 1e-6)
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/shared.mp4"))
            var made = 0
            for number in division.weights.indices.reversed() {
                var fractions: [Double] = []
                let chunk = try Self.renderer(json, chunks, to: "\(folder)/shared.mp4") {
                    fractions.append($0.fraction)
                }.encodeChunk(number)
                // The sound, behind the others, has none.
                let frames = number < division.frames.count ? division.frames[number] : 0
                #expect(abs(chunk.frames - frames) <= 1 && chunk.sizeBytes > 0)
                #expect(fractions == fractions.sorted() && fractions.last == 1)
                made += chunk.frames
            }
            let joined = try Self.renderer(json, chunks, to: "\(folder)/shared.mp4").joinChunks()
            #expect(joined.video?.frames == made && joined.video == whole.video && joined.audio == whole.audio)
            #expect(joined.chunks?.count == division.weights.count && joined.chunks?.mended == 0)
            #expect(try bytes(ofFile: "\(folder)/shared.mp4") == bytes(ofFile: "\(folder)/whole.mp4"))
        }
    }

    @Test("is made in one go where it is too short, and says nothing of chunks")
    func short() throws {
        try withTemporaryFolder { folder in
            let output = "\(folder)/short.mp4"
            let made = try Self.renderer(Self.edit(), "\(folder)/c", to: output).divide(leastSeconds: 120)
            guard case .rendered(let report) = made else {
                Issue.record("it was divided")
                return
            }
            #expect(report.chunks == nil && report.video != nil)
            #expect(FileManager.default.fileExists(atPath: output))
        }
    }

    @Test("has no chunk beyond its last")
    func noChunk() throws {
        try withTemporaryFolder { folder in
            let renderer = try Self.renderer(Self.edit(), "\(folder)/c", to: "\(folder)/o.mp4")
            let refusal = failure { _ = try renderer.encodeChunk(1000) }
            #expect(refusal?.code == .invalidTask)
        }
    }
}
