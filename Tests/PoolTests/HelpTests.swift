import Foundation
import Logging
import Model
import SQLStore
import StoreSQLite
import Synchronization
import TestSupport
import Testing
import WorkerCore

/// A worker with time for others' renders.
@Suite("A worker that helps")
struct HelpTests {
    /// Chunks that the test ends by hand.
    private final class GatedHelper: ChunkHelper {
        private struct State {
            var offered: [ChunkClaim] = []
            var running: [Int: CheckedContinuation<Void, Never>] = [:]
            var asked: [Int64] = []
            var made: [Int] = []
            var stopped: [Int: StopReason] = [:]
        }

        private let state = Mutex(State())

        func offer(_ claims: [ChunkClaim]) { state.withLock { $0.offered += claims } }

        func takeChunk(memoryBytes: Int64) async throws(StoreError) -> ChunkClaim? {
            state.withLock { state -> ChunkClaim? in
                state.asked.append(memoryBytes)
                return state.offered.isEmpty ? nil : state.offered.removeFirst()
            }
        }

        func makeChunk(_ claim: ChunkClaim, caps: EffectiveCaps, stop: StopSwitch) async -> Failure? {
            await withCheckedContinuation { continuation in
                state.withLock { $0.running[claim.number] = continuation }
                stop.listen { [self] reason in
                    state.withLock { $0.stopped[claim.number] = reason }
                    end(claim.number)
                }
            }
            return stop.reason?.failure
        }

        func end(_ number: Int) {
            let continuation = state.withLock { state in
                state.made.append(number)
                return state.running.removeValue(forKey: number)
            }
            continuation?.resume()
        }

        var running: [Int] { state.withLock { $0.running.keys.sorted() } }
        var asked: [Int64] { state.withLock { $0.asked } }
        var stopped: [Int: StopReason] { state.withLock { $0.stopped } }
    }

    private struct Bench {
        let store: SQLJobStore
        let executor = GatedExecutor()
        let helper = GatedHelper()
        let worker: Worker

        init(_ folder: String, slots: Int) async throws {
            store = SQLJobStore(
                try SQLiteDatabase(path: "\(folder)/jobs.db"),
                policy: StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 0.01, capSeconds: 0.01)))
            try await store.migrate()
            let caps = EffectiveCaps(
                memoryBytes: 1 << 30, threads: 1, wallSeconds: 60, stallSeconds: 60, outputBytes: 1 << 30,
                sourceSeconds: 60, sourceBytes: 1 << 30)
            var settings = WorkerSettings(
                name: "w", instance: "1", version: "test", kinds: [.render], slots: slots, memoryBytes: 4 << 30,
                caps: [.render: caps])
            (settings.pollSeconds, settings.renewSeconds, settings.drainSeconds) = (0.02, 0.05, 0.05)
            worker = Worker(
                settings: settings, store: store, executors: [.render: executor], helper: helper,
                progress: RecordingSink(), log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func submit(memoryBytes: Int64 = 0) async throws {
            let id = try #require(JobID(UUID().uuidString))
            var job = NewJob(id: id, kind: .render, owner: "o", payload: "{}", ingress: .cli)
            job.memoryBytes = memoryBytes
            _ = try await store.insert([job])
        }

        /// Chunks of a render that is another worker's.
        func claims(_ numbers: Range<Int>) async throws -> [ChunkClaim] {
            // Too large for the worker itself.
            try await submit(memoryBytes: 1 << 39)
            let job = try #require(
                try await store.claim(
                    ClaimRequest(
                        worker: "other", kinds: [.render], limit: 1, memoryBytes: 1 << 40, leaseSeconds: 1000)
                ).first)
            let division = ChunkDivision(digest: "d", plan: "{}", frames: numbers.map { _ in 10 }, seconds: 9)
            return numbers.map { number in
                ChunkClaim(
                    job: job, offer: ChunkOffer(division: division, folder: "/f", threads: 1, secondsPerChunk: 30),
                    number: number, taker: ChunkTaker(worker: "w", instance: "1", seconds: 15), turn: 1, tries: 1,
                    failure: nil)
            }
        }
    }

    private static func with(slots: Int, _ body: (Bench) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("help-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bench = try await Bench(folder, slots: slots)
        async let ran: Void = bench.worker.run()
        var failure: (any Error)?
        do { try await body(bench) } catch { failure = error }
        await bench.worker.drain()
        await bench.worker.drain()
        await ran
        await bench.store.close()
        if let failure { throw failure }
    }

    private static func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            try #require(ContinuousClock.now < deadline, what)
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test("takes as many chunks as it has slots, and each takes a slot and its memory")
    func slots() async throws {
        try await Self.with(slots: 2) { bench in
            bench.helper.offer(try await bench.claims(0..<3))
            try await Self.eventually("two are made") { bench.helper.running == [0, 1] }
            let status = await bench.worker.status
            #expect(status.busySlots == 2)
            #expect(bench.helper.asked.contains(4 << 30) && bench.helper.asked.contains(3 << 30))
            bench.helper.end(0)
            try await Self.eventually("the third follows") { bench.helper.running == [1, 2] }
            for number in [1, 2] { bench.helper.end(number) }
            try await Self.eventually("its slots are free") { await bench.worker.status.busySlots == 0 }
        }
    }

    @Test("claims a job that has come before it goes on with chunks")
    func givesWay() async throws {
        try await Self.with(slots: 1) { bench in
            bench.helper.offer(try await bench.claims(0..<2))
            try await Self.eventually("one is made") { bench.helper.running == [0] }
            try await bench.submit()
            #expect(bench.executor.started.isEmpty)
            bench.helper.end(0)
            try await Self.eventually("the job starts") { bench.executor.running.count == 1 }
            #expect(bench.helper.running.isEmpty)
            for lease in bench.executor.running { bench.executor.end(lease, .succeeded("{}")) }
            try await Self.eventually("then the other chunk") { bench.helper.running == [1] }
        }
    }

    @Test("gives its chunk back at once when it is drained")
    func drained() async throws {
        try await Self.with(slots: 1) { bench in
            bench.helper.offer(try await bench.claims(0..<1))
            try await Self.eventually("one is made") { bench.helper.running == [0] }
            await bench.worker.drain()
            try await Self.eventually("it stops") { bench.helper.stopped == [0: .drained] }
        }
    }
}
