import CodecHost
import Foundation
import Isolation
import Model
import TestSupport
import Testing

/// A process that was taken over, and says over the channel what it likes.
@Suite("A child that lies")
struct LyingChildTests {
    static let violations = [
        "short", "long", "unknown-kind", "hello-again", "begin", "filled", "read-slot", "read-far-slot",
        "read-too-much", "read-nothing", "read-negative-count", "read-negative-offset", "read-overflow",
        "read-other-source", "read-output-not-begun", "write-read-slot", "write-far-slot", "write-too-much",
        "write-negative", "write-overflow", "write-not-begun", "write-source", "write-result-hole", "create-other",
        "create-far", "create-head", "create-negative-head", "progress-nan", "progress-beyond", "progress-infinite",
        "progress-phase", "progress-frames",
        "end-count", "end-nothing", "end-beyond", "end-outputs-not-made", "end-garbage", "end-other-json",
        "end-deep-json", "fail-garbage", "flood-progress", "flood-create", "flood-reads", "flood-result", "many-reads",
    ]

    private static func run(_ mode: String, _ limits: ChildJob.Limits = Attacker.limits) async throws -> ChildEnding {
        try await Attacker.template.fork().run(try Attacker.job(mode, limits: limits), files: AttackerFiles())
    }

    @Test("is ended, and fails its own job only", arguments: violations)
    func violation(mode: String) async throws {
        let ending = try await Self.run(mode)
        guard case .killed(.violation) = ending.outcome else {
            Issue.record("\(mode) came to \(ending.outcome)")
            return
        }
        #expect(ending.outcome.failure?.code == .sandboxViolation)
    }

    @Test("by closing its channel is ended at once", arguments: ["close", "empty"])
    func close(mode: String) async throws {
        let ending = try await Self.run(mode)
        #expect(ending.outcome == .crashed(signal: 9))
    }

    @Test("about how much it writes is ended at the cap", arguments: ["huge-offset", "many-writes"])
    func output(mode: String) async throws {
        let ending = try await Self.run(mode)
        #expect(ending.outcome == .killed(.outputSize))
        #expect(ending.outcome.failure?.code == .outputTooLarge)
    }

    @Test("by changing memory while it is read harms nobody")
    func changingMemory() async throws {
        let answer = try Attacker.number(try await Self.run("changing-memory"))
        #expect(answer == 0)
    }

    @Test("by saying nothing is ended when its time is over", arguments: ["sleep", "spin"])
    func silence(mode: String) async throws {
        var limits = Attacker.limits
        limits.stallSeconds = 0.3
        let ending = try await Self.run(mode, limits)
        #expect(ending.outcome == .killed(.stall))
        #expect(ending.outcome.failure?.code == .noProgress)
    }

    @Test("all at once, beside honest ones")
    func together() async throws {
        try await withThrowingTaskGroup { group in
            for mode in ["flood-reads", "flood-progress", "many-writes", "spin", "close", "end-deep-json"] {
                group.addTask {
                    var limits = Attacker.limits
                    limits.stallSeconds = 1
                    let ending = try await Self.run(mode, limits)
                    #expect(ending.outcome.failure != nil)
                }
            }
            for _ in 0..<6 { group.addTask { try await Attacker.expectOthersUnharmed() } }
            try await group.waitForAll()
        }
    }
}
