import Foundation
import Logging
import Model
import SQLStore
import StoreSQLite
import TestSupport
import Testing
import WorkerCore

/// A worker on a real store, with work that the test ends by hand.
@Suite("A worker")
struct WorkerTests {
    private struct Bench {
        let store: SQLJobStore
        let executor: GatedExecutor
        let sink = RecordingSink()
        let worker: Worker

        init(
            folder: String, executor: GatedExecutor = GatedExecutor(), slots: Int = 2,
            change: (inout WorkerSettings) -> Void = { _ in }
        ) async throws {
            let database = try SQLiteDatabase(path: "\(folder)/jobs.db")
            store = SQLJobStore(
                database, policy: StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 0.01, capSeconds: 0.01)))
            try await store.migrate()
            self.executor = executor
            let caps = EffectiveCaps(
                memoryBytes: 1 << 30, threads: 1, wallSeconds: 60, stallSeconds: 60, outputBytes: 1 << 30,
                sourceSeconds: 60, sourceBytes: 1 << 30)
            var settings = WorkerSettings(
                name: "w", instance: "1", version: "test", kinds: [.render, .noop], slots: slots, memoryBytes: 4 << 30,
                caps: [.render: caps])
            (settings.pollSeconds, settings.renewSeconds) = (0.02, 0.05)
            settings.failures = FailurePolicy(backoff: Backoff(baseSeconds: 0.01, capSeconds: 0.01))
            change(&settings)
            worker = Worker(
                settings: settings, store: store, executors: [.render: executor, .noop: NoopExecutor()], progress: sink,
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func submit(_ kind: JobKind = .render, count: Int = 1) async throws -> [JobID] {
            let jobs = (0..<count).map { _ in
                NewJob(
                    id: JobID(UUID().uuidString).unsafelyUnwrapped, kind: kind, owner: "o", payload: "{}", ingress: .cli
                )
            }
            _ = try await store.insert(jobs)
            return jobs.map(\.id)
        }

        func state(_ id: JobID) async throws -> JobState? { try await store.job(id)?.state }

        /// Works until `body` has returned, then drains.
        func working(_ body: () async throws -> Void) async throws {
            async let ran: Void = worker.run()
            do { try await body() } catch {
                await worker.drain()
                await worker.drain()
                await ran
                throw error
            }
            await worker.drain()
            await worker.drain()
            await ran
            await store.close()
        }
    }

    private static func inFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pool-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    /// Polls, for as long as a busy machine may need.
    private static func eventually(
        _ what: Comment, _ condition: () async throws -> Bool, location: SourceLocation = #_sourceLocation
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            try #require(ContinuousClock.now < deadline, what, sourceLocation: location)
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test("does jobs, as many at a time as it has slots, and writes down how they ended")
    func success() async throws {
        try await Self.inFolder { folder in
            let bench = try await Bench(folder: folder)
            try await bench.working {
                let ids = try await bench.submit(count: 3)
                try await Self.eventually("two start") { bench.executor.running.count == 2 }
                #expect(bench.executor.started.count == 2)
                for lease in bench.executor.running { bench.executor.end(lease, .succeeded(#"{"frames":7}"#)) }
                try await Self.eventually("the third starts") { bench.executor.running.count == 1 }
                for lease in bench.executor.running { bench.executor.end(lease, .succeeded("{}")) }
                for id in ids {
                    try await Self.eventually("each ends") { try await bench.state(id) == .succeeded }
                }
                #expect(try await bench.store.job(ids[0])?.result?.contains("frames") == true)
            }
        }
    }

    @Test("tells progress in order, and the end last")
    func progress() async throws {
        try await Self.inFolder { folder in
            let bench = try await Bench(folder: folder)
            try await bench.working {
                let id = try await bench.submit()[0]
                try await Self.eventually("it starts") { !bench.executor.running.isEmpty }
                try await Self.eventually("it is told again though nothing is new") { bench.sink.all.count >= 3 }
                for lease in bench.executor.running { bench.executor.end(lease, .succeeded("{}")) }
                try await Self.eventually("its end is told") { bench.sink.all.last?.state == .succeeded }
                let updates = bench.sink.all.filter { $0.job == id }
                #expect(updates.map(\.sequence) == Array(1...Int64(updates.count)))
                #expect(updates.compactMap { $0.progress?.fraction }.last == 0.5)
            }
        }
    }

    @Test("does a hundred jobs that are no work, in batches")
    func noops() async throws {
        try await Self.inFolder { folder in
            let bench = try await Bench(folder: folder)
            try await bench.working {
                let ids = try await bench.submit(.noop, count: 100)
                for id in ids {
                    try await Self.eventually("each ends") { try await bench.state(id) == .succeeded }
                }
                #expect(bench.executor.started.isEmpty)
            }
        }
    }

    @Test("stops a job that its owner cancels, and goes on with others")
    func cancel() async throws {
        try await Self.inFolder { folder in
            let bench = try await Bench(folder: folder)
            try await bench.working {
                let ids = try await bench.submit(count: 2)
                try await Self.eventually("both start") { bench.executor.running.count == 2 }
                #expect(try await bench.store.cancel(ids[0]) == .requested(worker: "w"))
                try await Self.eventually("it is cancelled") { try await bench.state(ids[0]) == .cancelled }
                #expect(bench.executor.stopped.values.map { $0 } == [.cancelled])
                #expect(bench.executor.running.map(\.job) == [ids[1]])
            }
        }
    }

    @Test("hands running jobs back when it is drained, at no cost to them")
    func drain() async throws {
        try await Self.inFolder { folder in
            let bench = try await Bench(folder: folder) { $0.drainSeconds = 0.05 }
            async let ran: Void = bench.worker.run()
            let id = try await bench.submit()[0]
            try await Self.eventually("it starts") { !bench.executor.running.isEmpty }
            await bench.worker.drain()
            await ran
            let job = try #require(try await bench.store.job(id))
            #expect(job.state == .queued && job.attempt == 0 && job.interruptions == 1 && job.leaseOwner == nil)
            #expect(bench.sink.all.last?.state == .queued)
            await bench.store.close()
        }
    }

    @Test("lets running jobs end within the grace period of a drain, and takes no more")
    func drainGrace() async throws {
        try await Self.inFolder { folder in
            let bench = try await Bench(folder: folder, slots: 1) { $0.drainSeconds = 600 }
            async let ran: Void = bench.worker.run()
            let ids = try await bench.submit(count: 2)
            try await Self.eventually("one starts") { bench.executor.running.count == 1 }
            await bench.worker.drain()
            for lease in bench.executor.running { bench.executor.end(lease, .succeeded("{}")) }
            await ran
            var states: [JobState?] = []
            for id in ids { states.append(try await bench.state(id)) }
            #expect(Set(states.compactMap { $0 }) == [.succeeded, .queued])
            await bench.store.close()
        }
    }

    @Test("tries again what failed for a while, and gives up after the last attempt")
    func retries() async throws {
        try await Self.inFolder { folder in
            let executor = GatedExecutor { attempt in
                .failed(Failure(code: .readFailed, message: "attempt \(attempt.job.attempt)"))
            }
            let bench = try await Bench(folder: folder, executor: executor)
            try await bench.working {
                let id = try await bench.submit()[0]
                try await Self.eventually("it is dead") { try await bench.state(id) == .dead }
                #expect(bench.executor.started.map(\.job.attempt) == [1, 2, 3])
                #expect(try await bench.store.job(id)?.failure?.message == "attempt 3")
                #expect(try await bench.store.attempts(of: id).count == 3)
            }
        }
    }

    @Test("stops what it no longer holds, and says nothing more about it")
    func leaseLost() async throws {
        try await Self.inFolder { folder in
            let bench = try await Bench(folder: folder)
            try await bench.working {
                let id = try await bench.submit()[0]
                try await Self.eventually("it starts") { !bench.executor.running.isEmpty }
                // Another daemon of the same name starts: this one is taken for gone.
                let other = WorkerRecord(
                    name: "w", instance: "2", kinds: [.render], slots: 1, busySlots: 0, memoryBytes: 0,
                    isDraining: false, version: "test")
                try await bench.store.heartbeat(other)
                #expect(try await bench.store.releaseLeases(ofEarlier: other) == [id])
                try await Self.eventually("it is stopped") { bench.executor.stopped.values.contains(.leaseLost) }
                #expect(bench.sink.all.allSatisfy { $0.state == .running || $0.epoch > 1 })
            }
        }
    }
}
