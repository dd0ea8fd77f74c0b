import Foundation
import Model
import SQLStore
import Synchronization
import TestSupport
import Testing
import WorkerCore

/// Many clients doing anything at all, and a look at what they left.
@Suite("Random operations")
struct RandomOperationTests {
    private static let limit = 3
    private static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["REELPOOL_SEED"].flatMap(UInt64.init) { return [seed] }
        let count = environment["REELPOOL_STORE_SEEDS"].flatMap(Int.init) ?? 2
        return (0..<count).map { _ in .random(in: 1...1_000_000) }
    }()

    /// What the clients know together.
    private final class World: Sendable {
        struct State {
            var ids: [JobID] = []
            var leases: [(job: JobRecord, worker: String)] = []
            /// Every answer that a job has ended, to be compared with what the store has.
            var ends: [JobID: [JobState]] = [:]
            var epochs: [JobID: Set<Int64>] = [:]
        }
        let state = Mutex(State())
    }

    /// One client: its store, its own random numbers, and the world that it shares.
    private struct Client {
        let store: any JobStore
        let under: StoreUnderTest
        let world: World
        let name: String
        var random: SeededGenerator
        /// Not where one question is asked twice: time passes in between.
        var someExpire = true

        private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

        private mutating func anyID() -> JobID? {
            let ids = world.state.withLock { $0.ids }
            return ids.randomElement(using: &random)
        }

        mutating func step() async throws {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<22: try await insert()
            case 22..<47: try await claim()
            case 47..<76: try await finish()
            case 76..<81: try await renew()
            case 81..<84: try await sweep()
            case 84..<86: try await upload()
            case 86..<91: try await cancel()
            case 91..<94: try await reprioritise()
            case 94..<97: try await requeue()
            case 97: try await under.advance(seconds: Double.random(in: 0...40, using: &random))
            case 98: try await release()
            default:
                _ = try await store.prune(finishedBefore: PruneAge(succeededSeconds: 1e9, otherSeconds: 1e9), limit: 9)
            }
        }

        private mutating func insert() async throws {
            var jobs: [NewJob] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                var job = NewJob.new([.render, .proxy].randomElement(using: &random) ?? .render)
                job.owner = "o\(Int.random(in: 0..<4, using: &random))"
                if chance(50) { job.idempotencyKey = "k\(Int.random(in: 0..<300, using: &random))" }
                job.tier = Tier(Int.random(in: 0...3, using: &random))
                job.maxAttempts = Int.random(in: 1...3, using: &random)
                job.costSeconds = Double.random(in: 0...100, using: &random)
                job.memoryBytes = Int64.random(in: 0...(4 << 30), using: &random)
                job.needsAdmission = chance(15)
                if chance(15) { job.delayMilliseconds = Int64.random(in: 1...30_000, using: &random) }
                if someExpire, chance(10) {
                    job.expiresAfterMilliseconds = Int64.random(in: 1...60_000, using: &random)
                }
                jobs.append(job)
            }
            for outcome in try await store.insert(jobs) {
                if case .inserted(let id) = outcome { world.state.withLock { $0.ids.append(id) } }
            }
        }

        private mutating func claim() async throws {
            let kinds: [[JobKind]] = [[.render], [.proxy], [.render, .proxy]]
            let jobs = try await store.claim(
                Int.random(in: 1...4, using: &random), worker: name,
                kinds: kinds.randomElement(using: &random) ?? [.render],
                memoryBytes: Int64.random(in: 0...(5 << 30), using: &random), admits: chance(40))
            let name = name
            world.state.withLock { state in
                for job in jobs {
                    // In whatever order: an answer may be on its way while others take the job back and claim it.
                    let isNew = state.epochs[job.id, default: []].insert(job.epoch).inserted
                    #expect(isNew, "an epoch is given out once")
                    state.leases.append((job, name))
                }
            }
        }

        private mutating func finish() async throws {
            var endings: [(job: JobRecord, worker: String, outcome: AttemptEnding.Outcome)] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                var random = random
                let lease = world.state.withLock { state -> (job: JobRecord, worker: String)? in
                    guard let index = state.leases.indices.randomElement(using: &random) else { return nil }
                    // Most are finished once; some are tried again later, when they must be stale.
                    return Bool.random(using: &random) ? state.leases[index] : state.leases.remove(at: index)
                }
                self.random = random
                guard let lease else { return }
                if lease.job.state == .admitting, chance(70) {
                    _ = try await store.admit(
                        Admission(
                            lease: lease.job.lease, costSeconds: Double.random(in: 0...200, using: &random),
                            memoryBytes: Int64.random(in: 0...(4 << 30), using: &random)))
                    continue
                }
                endings.append((lease.job, lease.worker, outcome()))
            }
            for (worker, mine) in Dictionary(grouping: endings, by: \.worker) {
                let outcomes = try await store.finish(
                    mine.map { AttemptEnding(lease: $0.job.lease, outcome: $0.outcome) }, worker: worker)
                for (ending, outcome) in zip(mine, outcomes) {
                    if case .accepted(let state) = outcome, state.isFinal { noteEnd(ending.job.id, state) }
                }
            }
        }

        private func noteEnd(_ id: JobID, _ state: JobState) {
            world.state.withLock { $0.ends[id, default: []].append(state) }
        }

        private mutating func outcome() -> AttemptEnding.Outcome {
            switch Int.random(in: 0..<8, using: &random) {
            case 0..<3: return .succeeded("{}")
            case 3: return .failed(.broken)
            case 4: return .interrupted(.drained)
            case 5: return .cancelled(.stopped)
            case 6: return .dead(.broken)
            default:
                return .retry(
                    .away, afterSeconds: chance(50) ? 0 : 20, avoidingWorker: chance(30),
                    overflow: chance(20) ? OverflowRetry(memoryBytes: 1 << 31) : nil)
            }
        }

        private mutating func renew() async throws {
            let mine = world.state.withLock { $0.leases.filter { $0.worker == name }.map(\.job.lease) }
            _ = try await store.renew(mine, worker: name, seconds: 30)
        }

        /// Of any attempt that ever was.
        private mutating func upload() async throws {
            var random = random
            let lease = world.state.withLock { $0.leases.randomElement(using: &random)?.job.lease }
            self.random = random
            guard let lease else { return }
            let uri = "s3://exports/\(Int.random(in: 0..<3, using: &self.random))"
            guard try await store.beginUpload(uri, for: lease) else { return }
            _ = try await store.nameUpload(uri, name, for: lease)
            _ = try await store.sealUpload(uri, etag: "e", for: lease)
        }

        private mutating func sweep() async throws {
            let outcome = try await store.sweep()
            for id in outcome.expired { noteEnd(id, .failed) }
        }

        private mutating func cancel() async throws {
            guard let id = anyID() else { return }
            if try await store.cancel(id) == .cancelled { noteEnd(id, .cancelled) }
        }

        private mutating func reprioritise() async throws {
            guard let id = anyID() else { return }
            _ = try await store.reprioritise(id, tier: Tier(Int.random(in: 0...3, using: &random)))
        }

        private mutating func requeue() async throws {
            guard let id = anyID() else { return }
            if chance(20) {
                _ = try await store.requeueInFlight(worker: chance(80) ? name : nil)
            } else if case .requeued(let new) = try await store.requeue(id) {
                world.state.withLock { $0.ids.append(new) }
            }
        }

        private mutating func release() async throws {
            let instance = "\(UInt32.random(in: 0..<UInt32.max, using: &random))"
            _ = try await store.releaseLeases(ofEarlier: .worker(name, instance: instance))
        }
    }

    @Test("of many clients at once break no rule", arguments: StoreKind.available, seeds)
    func concurrent(kind: StoreKind, seed: UInt64) async throws {
        try await StoreUnderTest.with(kind, .limited(running: Self.limit, queued: 60)) { under in
            let world = World()
            let other = try under.another(.limited(running: Self.limit, queued: 60))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<6 {
                    var client = Client(
                        store: number.isMultiple(of: 2) ? under.store : other, under: under, world: world,
                        name: "w\(number % 4)", random: SeededGenerator(seed: seed &+ UInt64(number) &* 7919))
                    group.addTask {
                        for _ in 0..<150 { try await client.step() }
                    }
                }
                group.addTask {
                    for _ in 0..<12 {
                        try await Invariants.check(under, runningLimit: Self.limit, "seed \(seed)")
                        try await Task.sleep(for: .milliseconds(50))
                    }
                }
                try await group.waitForAll()
            }
            try await Invariants.check(under, runningLimit: Self.limit, "seed \(seed), at the end")
            try await drain(under, world)
            try await Invariants.checkAtRest(under, runningLimit: Self.limit, "seed \(seed), drained")
            try await checkEnds(under, world, seed)
            await other.close()
        }
    }

    /// Lets every job come to its end.
    private func drain(_ under: StoreUnderTest, _ world: World) async throws {
        for _ in 0..<400 {
            if try await under.number("SELECT count(*) FROM jobs WHERE finished_at IS NULL") == 0 { return }
            try await under.advance(seconds: 2000)
            _ = try await under.store.sweep()
            let jobs = try await under.store.claim(100, worker: "last", kinds: [.render, .proxy], admits: true)
            for job in jobs where job.state == .admitting {
                _ = try await under.store.admit(Admission(lease: job.lease, costSeconds: 1, memoryBytes: 1))
            }
            let endings = jobs.filter { $0.state == .running }
                .map { AttemptEnding(lease: $0.lease, outcome: .succeeded("{}")) }
            _ = try await under.store.finish(endings, worker: "last")
        }
        Issue.record("some jobs never end")
    }

    private func checkEnds(_ under: StoreUnderTest, _ world: World, _ seed: UInt64) async throws {
        let state = world.state.withLock { $0 }
        #expect(try await under.number("SELECT count(*) FROM jobs") == state.ids.count, "seed \(seed)")
        // One set of notices for each job: none ends twice.
        var notices: [JobID: [String]] = [:]
        while case let some = try await under.store.takeNotices(limit: 200, seconds: 1e6), !some.isEmpty {
            for notice in some { notices[notice.job, default: []].append(notice.body) }
        }
        for id in state.ids {
            let told = notices[id] ?? []
            #expect(told.count == 1, "seed \(seed): \(id) \(told)")
            let job = try #require(try await under.store.job(id))
            #expect(told.last == job.state.rawValue, "seed \(seed)")
            // Every end that a client was told is one that was noticed.
            var left = told
            for end in state.ends[id] ?? [] {
                let index = left.firstIndex(of: end.rawValue)
                #expect(index != nil, "seed \(seed): \(id) ended as \(end), told \(told)")
                if let index { left.remove(at: index) }
            }
        }
    }

    @Test(
        "of one client are answered in order: the best job that fits is the one that is given",
        arguments: StoreKind.available, seeds)
    func order(kind: StoreKind, seed: UInt64) async throws {
        try await StoreUnderTest.with(kind, .limited(running: Self.limit, queued: 60)) { under in
            var client = Client(
                store: under.store, under: under, world: World(), name: "w0", random: SeededGenerator(seed: seed),
                someExpire: false)
            var random = SeededGenerator(seed: seed &+ 1)
            var claimed = 0
            for _ in 0..<150 {
                try await client.step()
                guard Int.random(in: 0..<3, using: &random) == 0 else { continue }
                let memory = Int64.random(in: 0...(5 << 30), using: &random)
                // The same question without an index, a limit or a size class.
                let best = try await under.query(
                    """
                    SELECT j.id FROM jobs j JOIN kinds k ON k.kind = j.kind
                    WHERE j.state = 'queued' AND j.memory_bytes <= $1
                    ORDER BY j.order_key - k.virtual_time, j.seq LIMIT 1
                    """, .integer(memory))
                let expected = try best.first.map { row -> String in
                    var row = row
                    return try row.text()
                }
                let given = try await under.store.claim(
                    1, worker: "new\(claimed)", kinds: [.render, .proxy], memoryBytes: memory)
                #expect(given.first?.id.text == expected, "seed \(seed)")
                claimed += given.count
                if let job = given.first {
                    _ = try await under.store.finish(job, .interrupted(.drained), worker: "new\(claimed - 1)")
                }
            }
            #expect(claimed > 5, "seed \(seed)")
            try await Invariants.checkAtRest(under, runningLimit: Self.limit, "seed \(seed)")
        }
    }
}
