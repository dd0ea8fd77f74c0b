import CodecHost
import Foundation
import Glibc
import Isolation
import Model
import TestSupport
import Testing

/// Children that attack, forked off the test program's own template.
enum Attacker {
    static let template = CodecTemplate(.init(program: Programs.hostile))

    /// Limits that only those meet who are meant to.
    static let limits = ChildJob.Limits(
        memoryBytes: 512 << 20, wallSeconds: 100, stallSeconds: 60, outputBytes: 64 << 20, readBytes: 64 << 20)

    /// A task whose first source says what to do, and whose one output is `out`.
    static func job(
        _ mode: String, limits: ChildJob.Limits = limits, kind: CodecTask.Kind = .probe, sources: [String] = []
    ) throws -> ChildJob {
        var task = try CodecTask.local(kind, sources, outputs: ["out"])
        task.sources.insert(.init(name: mode, sizeBytes: 1 << 20), at: 0)
        return ChildJob(task: task, limits: limits, requiresSandbox: true)
    }

    /// The number that an attack came to.
    static func number(_ ending: ChildEnding) throws -> Int32 {
        guard case .failed(let failure) = ending.outcome else {
            throw Failure(code: .internalFault, message: "no number but \(ending.outcome)")
        }
        return try #require(Int32(failure.message), "\(failure)")
    }

    /// Whether the daemon still works, as does another child beside the attacker.
    static func expectOthersUnharmed() async throws {
        let path = Fixture.media("pal25.mp4")
        let ending = try await sharedTemplate.fork().run(.roomy(try .local(.probe, [path])), files: TestFiles([path]))
        guard case .finished(.probe(let report), _) = ending.outcome else {
            Issue.record("an honest child came to \(ending.outcome)")
            return
        }
        #expect(report.video.count == 1)
    }
}

/// Sources for attackers: the first is zeros without end, the rest are files.
final class AttackerFiles: ChildFiles {
    private final class Zeros: ByteSource {
        let sizeBytes: Int64? = nil
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            return buffer.count
        }
    }

    private let files: TestFiles
    init(_ paths: [String] = []) { files = TestFiles(paths) }

    func openSource(_ index: Int) throws -> any ByteSource {
        try index == 0 ? Zeros() : files.openSource(index - 1)
    }
    func makeOutput(_ name: String, headBytes: Int64) throws -> any RereadableSink {
        try files.makeOutput(name, headBytes: headBytes)
    }
    func interrupt() { files.interrupt() }
    func output(_ name: String) -> [UInt8]? { files.output(name) }
}

/// What this process has on its hands.
enum OwnProcess {
    static var openDescriptors: Int { ((try? contents(ofFolder: "/proc/self/fd")) ?? []).count }

    /// Ids of children by their command name, dead ones that nobody reaped as well.
    static func children(named name: String) -> [Int32] {
        ProcessEntry.all.filter { $0.name == name && $0.parent == getpid() }.map(\.identifier)
    }

    /// Polls until something holds; `false` when it did not for a long time.
    static func wait(seconds: Double = 30, until holds: () -> Bool) async -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(seconds)
        while clock.now < deadline {
            if holds() { return true }
            // Polling, not synchronising: the deadline is what counts.
            try? await Task.sleep(for: .milliseconds(10))
        }
        return holds()
    }
}
