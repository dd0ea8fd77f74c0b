import CodecHost
import Foundation
import Isolation
import Model
import TestSupport
import Testing

/// A divided render, each part in a process of its own: the same bytes must come out as of the command in chunks.
@Suite("A divided job in processes of their own")
struct ChildChunkTests {
    // As in ChildMediaTests.
    private static let zeroes = "MALLOC_PERTURB_=255"

    private static let template: CodecTemplate = {
        var settings = CodecTemplate.Settings(program: Programs.codec)
        settings.environment = [zeroes]
        return CodecTemplate(settings)
    }()

    private static let path = Fixture.media("bframes_closed.mp4")

    private static func json() -> String {
        let output = #"{"video":{"codec":"h264","crf":30,"preset":"ultrafast","keyframe_interval_s":1}}"#
        return EditText.timeline((0..<2).map { _ in (.zero, Rational(14, 5)) }, of: path, output: output)
    }

    /// What every part is told alike.
    private static func task(
        _ step: ChunkOrder.Step, output: String, division: ChunkDivision? = nil, chunks: [String] = [],
        version: String = "one"
    ) throws -> CodecTask {
        var task = try CodecTask.local(.render, [path] + chunks, outputs: [output])
        task.edit = try EditDocument(json: Data(json().utf8))
        task.mode = .full
        task.sources[0].version = version
        task.chunks = ChunkOrder(step: step, output: "film.mp4", secondsPerChunk: 1, division: division)
        return task
    }

    private static func run(_ task: CodecTask, _ files: TestFiles) async throws -> ChildOutcome {
        try await template.fork().run(.roomy(task), files: files).outcome
    }

    private static func divide() async throws -> ChunkDivision {
        let outcome = try await run(
            task(.divide(leastSeconds: 1), output: "film.mp4"), TestFiles([path], streams: true))
        guard case .finished(.division(let division), let outputs) = outcome, outputs.isEmpty else {
            throw outcome.failure ?? Failure(code: .internalFault, message: "\(outcome)")
        }
        return division
    }

    @Test("comes to the bytes that the command makes in chunks")
    func parts() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-parts-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let division = try await Self.divide()
        #expect(division.frames.count >= 4)
        var chunks: [String] = []
        for number in division.weights.indices {
            let files = TestFiles([Self.path], streams: true)
            let outcome = try await Self.run(
                Self.task(.chunk(number), output: "\(number)", division: division), files)
            guard case .finished(.chunk(let made), let outputs) = outcome else {
                throw outcome.failure ?? Failure(code: .internalFault, message: "\(outcome)")
            }
            let bytes = try #require(files.output("\(number)"))
            #expect(outputs == ["\(number)"] && made.sizeBytes == Int64(bytes.count))
            #expect((made.frames > 0) == (number < division.frames.count))
            chunks.append("\(folder)/\(number)")
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(number)"))
        }
        let files = TestFiles([Self.path] + chunks, streams: true)
        let outcome = try await Self.run(
            Self.task(.join, output: "film.mp4", division: division, chunks: chunks), files)
        guard case .finished(.render(let report), let outputs) = outcome else {
            throw outcome.failure ?? Failure(code: .internalFault, message: "\(outcome)")
        }
        #expect(outputs == ["film.mp4"] && report.chunks?.count == chunks.count && report.chunks?.mended == 0)
        try Self.json().write(toFile: "\(folder)/edit.json", atomically: true, encoding: .utf8)
        let words = [
            Self.zeroes, Fixture.program, "render", "\(folder)/edit.json", "--output", "\(folder)/film.mp4", "--mode",
            "full", "--threads", "1", "--chunks", "\(folder)/kept", "--chunk-seconds", "1", "--json",
        ]
        let result = try Command.run("env", words)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try bytes(ofFile: "\(folder)/film.mp4") == files.output("film.mp4").map { Data($0) })
    }

    @Test("makes no chunk of a source that is another by now")
    func changed() async throws {
        let division = try await Self.divide()
        let outcome = try await Self.run(
            Self.task(.chunk(0), output: "0", division: division, version: "two"), TestFiles([Self.path]))
        #expect(outcome.failure?.code == .sourceChanged)
    }

    @Test("makes a chunk anew that comes in damaged")
    func damaged() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-damaged-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let division = try await Self.divide()
        var chunks: [String] = []
        for number in division.weights.indices {
            let files = TestFiles([Self.path])
            _ = try await Self.run(Self.task(.chunk(number), output: "\(number)", division: division), files)
            var bytes = try #require(files.output("\(number)"))
            if number == 1 { bytes[bytes.count / 2] ^= 0xFF }
            chunks.append("\(folder)/\(number)")
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(number)"))
        }
        let outcome = try await Self.run(
            Self.task(.join, output: "film.mp4", division: division, chunks: chunks),
            TestFiles([Self.path] + chunks))
        guard case .finished(.render(let report), _) = outcome else {
            throw outcome.failure ?? Failure(code: .internalFault, message: "\(outcome)")
        }
        #expect(report.chunks?.mended == 1 && report.chunks?.encodedFrames ?? 0 > 0)
    }
}
