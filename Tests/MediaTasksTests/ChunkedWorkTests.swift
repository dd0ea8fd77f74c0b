import CodecHost
import Foundation
import Model
import SQLStore
import Synchronization
import Testing
import WorkerCore

@testable import MediaTasks

@Suite("A divided render")
struct ChunkedWorkTests {
    @Test("makes the longest chunks first, and joins all in order")
    func whole() async throws {
        try await DividedJob.with { job in
            let runner = FakeRunner()
            let told = Mutex<[Double]>([])
            let made = try await job.work(job.claim(), runner) { event in told.withLock { $0.append(event.fraction) } }
            #expect(runner.made == [0, 2, 1, 3])
            #expect(job.text == DividedJob.whole)
            let chunks = try #require(made.chunks)
            #expect(chunks.count == 4 && chunks.reused == 0 && chunks.helped == 0 && chunks.encodedFrames == 85)
            let fractions = told.withLock { $0 }
            #expect(fractions == fractions.sorted() && fractions.last == 1)
            #expect(fractions.contains { abs($0 - 0.95 * 30 / 85) < 1e-9 }, "the first chunk's share: \(fractions)")
            #expect(try await job.records().allSatisfy { $0.state == .done && $0.worker == "w1" })
        }
    }

    @Test("goes on from what an earlier attempt has made")
    func resuming() async throws {
        try await DividedJob.with { job in
            let crash = Failure(code: .crashed, message: "the process that did the work died")
            let failing = FakeRunner(before: { number, _ in if number == 1 { throw crash } })
            let first = try await job.claim()
            let failure = await Self.failure { _ = try await job.work(first, failing) }
            #expect(failure?.code == .crashed, "a chunk's failure is the attempt's")
            #expect(try await job.records().map(\.state) == [.done, .free, .done, .free])
            #expect(try await job.records()[1].failure?.code == .crashed)
            try await job.retry(first)
            let runner = FakeRunner()
            let made = try await job.work(job.claim(), runner)
            #expect(failing.made == [0, 2] && runner.made == [1, 3])
            let chunks = try #require(made.chunks)
            #expect(chunks.reused == 2 && chunks.reusedFrames == 55 && chunks.encodedFrames == 30)
            #expect(job.text == DividedJob.whole)
        }
    }

    @Test("waits for what another worker makes, and tells how much that was")
    func helped() async throws {
        try await DividedJob.with { job in
            let gate = Gate()
            // The helper's chunk is made when all others are.
            let own = FakeRunner(before: { _, _ in await gate.begin() })
            let helping = FakeRunner(before: { _, _ in await gate.wait() })
            let attempt = try await job.claim()
            async let made = job.work(attempt, own)
            await gate.waitForBegin()
            let maker = job.maker(helping, worker: "w2")
            let claim = try #require(
                try await job.store.takeAnyChunk(by: maker.sharing.taker, memoryBytes: 1 << 40))
            #expect(claim.number == 2, "the longest that is left")
            async let outcome = maker.make(claim, caps: DividedJob.caps, stop: StopSwitch())
            gate.letOwnGo()
            try await Self.eventually { try await job.records().filter { $0.state == .done }.count == 3 }
            gate.open()
            let answer = try await outcome
            #expect(answer == .made(ChunkMade(frames: 25, sizeBytes: 8)))
            let report = try await made
            #expect(report.chunks?.helped == 1 && own.made == [0, 1, 3] && helping.made == [2])
            #expect(job.text == DividedJob.whole)
        }
    }

    @Test("makes what a helper failed at itself")
    func brokenHelper() async throws {
        try await DividedJob.with { job in
            let gate = Gate()
            let own = FakeRunner(before: { _, _ in await gate.begin() })
            let another = Failure(code: .sourceChanged, message: "it has another version")
            let broken = FakeRunner(before: { _, _ in throw another })
            let attempt = try await job.claim()
            async let made = job.work(attempt, own)
            await gate.waitForBegin()
            let maker = job.maker(broken, worker: "w2")
            let claim = try #require(
                try await job.store.takeAnyChunk(by: maker.sharing.taker, memoryBytes: 1 << 40))
            let failure = await Self.failure {
                _ = try await maker.make(claim, caps: DividedJob.caps, stop: StopSwitch())
            }
            #expect(failure?.code == .sourceChanged)
            #expect(try await job.records()[claim.number].tries == 1)
            gate.letOwnGo()
            let report = try await made
            #expect(own.made.sorted() == [0, 1, 2, 3] && report.chunks?.helped == 0)
            #expect(job.text == DividedJob.whole)
        }
    }

    @Test("makes a chunk anew whose object has gone")
    func missing() async throws {
        try await DividedJob.with { job in
            let path = "\(ChunkSharing.folder(of: job.output, job: job.id, digest: DividedJob.digest))/2"
            let runner = FakeRunner(beforeJoin: { tries in
                if tries == 0 { try FileManager.default.removeItem(atPath: path) }
            })
            let made = try await job.work(job.claim(), runner)
            #expect(runner.made == [0, 2, 1, 3, 2] && made.chunks?.mended == 1)
            #expect(job.text == DividedJob.whole)
        }
    }

    @Test(
        "stops at once when it is to, and gives its chunk back unharmed", arguments: [StopReason.cancelled, .drained])
    func stopped(reason: StopReason) async throws {
        try await DividedJob.with { job in
            let gate = Gate()
            let runner = FakeRunner(before: { _, stop in
                stop.listen { _ in gate.open() }
                await gate.begin()
                await gate.wait()
            })
            let attempt = try await job.claim()
            async let failure = Self.failure { _ = try await job.work(attempt, runner) }
            await gate.waitForBegin()
            gate.letOwnGo()
            attempt.stop.stop(reason)
            let ended = await failure
            #expect(ended?.code == reason.failure.code)
            #expect(runner.made.isEmpty && job.text == nil)
            let records = try await job.records()
            #expect(records.allSatisfy { $0.state == .free && $0.tries == 0 && $0.failure == nil })
        }
    }

    private static func failure(_ body: () async throws -> Void) async -> Failure? {
        do {
            try await body()
            return nil
        } catch {
            return Failure(error)
        }
    }

    private static func eventually(_ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Holds the job's own worker at its first chunk, and a helper at its last.
final class Gate: Sendable {
    private let (begun, own, other) = (Doorbell(), Latch(), Latch())

    /// The own worker has a chunk; it waits until it may go on.
    func begin() async {
        begun.ring()
        await own.wait()
    }

    func waitForBegin() async { await begun.wait() }
    func letOwnGo() { own.open() }
    func wait() async { await other.wait() }
    func open() { other.open() }
}

/// Closed until it is opened, and then for good open.
final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
