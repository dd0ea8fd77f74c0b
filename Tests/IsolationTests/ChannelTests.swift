import CodecHost
import Foundation
import Isolation
import Model
import TestSupport
import Testing

/// Bytes on their way through shared memory.
@Suite("The channel")
struct ChannelTests {
    private static func randomFile(bytes count: Int, seed: UInt64) throws -> (path: String, bytes: [UInt8]) {
        var state = seed | 1
        let bytes = (0..<count).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 40)
        }
        let path = FileManager.default.temporaryDirectory.path + "/reelpool-channel-\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return (path, bytes)
    }

    @Test(
        "carries every byte to its place, in order, back and forth",
        arguments: [(0x5EED1, 1), (0x5EED2, 65_536), (0x5EED3, 262_145), (0x5EED4, 3_000_001), (0x5EED5, 7 << 20)])
    func exact(seed: UInt64, count: Int) async throws {
        let (path, bytes) = try Self.randomFile(bytes: count, seed: seed)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let files = AttackerFiles([path])
        let job = try Attacker.job("copy:\(seed)", limits: .generous, sources: [path])
        let ending = try await Attacker.template.fork().run(job, files: files)
        let answer = try Attacker.number(ending)
        #expect(answer == 0)
        #expect(files.output("out") == bytes, "seed \(seed)")
    }

    @Test("passes a failing source's own words on, and ends the job")
    func sourceFails() async throws {
        let files = FailingFiles(source: Failure(code: .storeUnavailable, message: "the store is away"))
        let ending = try await sharedTemplate.fork().run(
            .roomy(try .local(.probe, [Fixture.media("pal25.mp4")])), files: files)
        #expect(ending.outcome.failure?.code == .storeUnavailable)
        #expect(ending.outcome.failure?.message == "the store is away")
    }

    @Test("passes a failing output's own words on", arguments: [true, false])
    func outputFails(atOnce: Bool) async throws {
        let path = Fixture.media("pal25.mp4")
        let files = FailingFiles(
            output: Failure(code: .diskFull, message: "the disk is full"), atOnce: atOnce, path: path)
        let task = try CodecTask.local(.proxy, [path], outputs: CodecTask.proxyOutputs)
        let ending = try await sharedTemplate.fork().run(.roomy(task), files: files)
        #expect(ending.outcome.failure?.code == .diskFull)
    }
}

extension ChildJob.Limits {
    static let generous = ChildJob.Limits(
        memoryBytes: 1 << 30, wallSeconds: 200, stallSeconds: 100, outputBytes: 1 << 30, readBytes: 1 << 34)
}

/// Files of which one does not work.
final class FailingFiles: ChildFiles {
    private final class Broken: RereadableSink {
        let failure: Failure
        init(_ failure: Failure) { self.failure = failure }
        var sizeBytes: Int64? { nil }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int { throw failure }
        func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { throw failure }
    }

    private let source: Failure?
    private let output: Failure?
    private let atOnce: Bool
    private let files: TestFiles

    init(source: Failure? = nil, output: Failure? = nil, atOnce: Bool = false, path: String = "") {
        (self.source, self.output, self.atOnce) = (source, output, atOnce)
        files = TestFiles([path])
    }

    func openSource(_ index: Int) throws -> any ByteSource {
        if let source { return Broken(source) }
        return try files.openSource(index)
    }

    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink {
        guard let output else { return try files.makeOutput(name, headBytes: headBytes) }
        if atOnce { throw output }
        return Broken(output)
    }

    func interrupt() {}
}
