import Model
import SQLStore
import Testing
import WorkerCore

@Suite("Claims")
struct ClaimTests {
    @Test("start an attempt, under a lease, with an epoch of its own", arguments: StoreKind.available)
    func attempt(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let id = try await under.store.add(.new())
            let job = try await under.store.claimOne()
            let now = try await under.store.now()
            #expect((job.id, job.state, job.attempt, job.epoch) == (id, .running, 1, 1))
            #expect(job.leaseOwner == "w1" && job.startedAt != nil)
            #expect((now + 20_000...now + 30_000).contains(job.leaseUntil ?? 0))
            #expect(try await under.store.job(id) == job)
            let attempts = try await under.store.attempts(of: id)
            #expect(attempts.map(\.epoch) == [1] && attempts.map(\.worker) == ["w1"])
            #expect(attempts.allSatisfy { $0.endedAt == nil && $0.failure == nil })
            #expect(try await under.store.claim().isEmpty, "nobody else gets it")
        }
    }

    @Test("take the kinds asked for, and what fits, to the byte", arguments: StoreKind.available)
    func fitting(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let sizes: [Int64] = [0, 1, (64 << 20) + 1, 3_000_000_000, 3_000_000_001, 1 << 40]
            let jobs = sizes.map { size in NewJob.new { $0.memoryBytes = size } }
            _ = try await under.store.insert(jobs + [.new(.proxy)])
            let fits = try await under.store.claim(10, memoryBytes: 3_000_000_000)
            #expect(fits.map(\.id) == jobs.prefix(4).map(\.id))
            #expect(try await under.store.claim(10, kinds: [.probe, .analysis]).isEmpty)
            let rest = try await under.store.claim(10, kinds: [.render, .proxy])
            #expect(Set(rest.map(\.memoryBytes)) == [3_000_000_001, 1 << 40, 0])
        }
    }

    @Test("take turns among owners, however many jobs one has", arguments: StoreKind.available)
    func fair(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.store.insert((0..<50).map { _ in NewJob.new(owner: "flood") { $0.costSeconds = 10 } })
            _ = try await under.store.claim(3)
            let late = try await under.store.add(.new(owner: "late") { $0.costSeconds = 10 })
            let next = try await under.store.claim(2)
            #expect(next.map(\.id).contains(late), "it is one of the next two: \(next.map(\.owner))")
        }
    }

    @Test("let a higher tier go ahead, but not for ever", arguments: StoreKind.available)
    func tiers(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let free = try await under.store.add(.new(owner: "free") { $0.costSeconds = 60 })
            // Two owners with 2400 s of work each: more than the highest tier is ahead.
            var order: [String] = []
            for number in 0..<80 {
                try await under.store.add(.new(owner: "v\(number % 2)") { ($0.tier, $0.costSeconds) = (.highest, 60) })
            }
            while let job = try await under.store.claim().first { order.append(job.owner) }
            let place = try #require(order.firstIndex(of: "free"))
            #expect(order[0].hasPrefix("v") && place > 10, "\(order)")
            #expect(place < order.count - 1, "\(order)")
            #expect(try await under.store.state(free) == .running)
        }
    }

    @Test("of several kinds are in one order", arguments: StoreKind.available)
    func kinds(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            // The renders are far on in virtual time; that must not put them behind the proxies.
            for _ in 0..<5 { try await under.store.add(.new { $0.costSeconds = 1000 }) }
            #expect(try await under.store.claim(4).count == 4)
            for _ in 0..<3 { try await under.store.add(.new(.proxy) { $0.costSeconds = 1000 }) }
            let order = try await under.store.claim(4, kinds: [.proxy, .render])
            #expect(order.map(\.kind) == [.proxy, .render, .proxy, .proxy])
        }
    }

    @Test("give no job to two of many workers at once, and leave none", arguments: StoreKind.available)
    func concurrent(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let jobs = (0..<300).map { NewJob.new(owner: "o\($0 % 7)") { $0.memoryBytes = .random(in: 0..<1 << 34) } }
            _ = try await under.store.insert(jobs)
            let other = try under.another()
            let claimed = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for number in 0..<8 {
                    let store = number.isMultiple(of: 2) ? under.store : other
                    group.addTask {
                        var (mine, misses) = ([JobID](), 0)
                        while misses < 20 {
                            let some = try await store.claim(5, worker: "w\(number)")
                            mine += some.map(\.id)
                            misses = some.isEmpty ? misses + 1 : 0
                        }
                        return mine
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 300 && Set(claimed) == Set(jobs.map(\.id)))
            await other.close()
        }
    }

    @Test("do not start what is late, or expired", arguments: StoreKind.available)
    func time(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            try await under.store.add(.new { $0.delayMilliseconds = 60_000 })
            try await under.store.add(.new { $0.expiresAfterMilliseconds = 1000 })
            try await under.advance(seconds: 2)
            #expect(try await under.store.claim(5).isEmpty)
        }
    }

    @Test("spare a worker the job that it lost, while another could take it", arguments: StoreKind.available)
    func avoided(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            try await store.heartbeat("w1")
            let id = try await store.add(.new { ($0.memoryBytes, $0.maxAttempts) = (1000, 9) })
            let job = try await store.claimOne()
            _ = try await store.finish(job, .retry(.away, afterSeconds: 0, avoidingWorker: true, overflow: nil))
            #expect(try await store.job(id)?.avoidedWorkers == ["w1"])
            try await store.heartbeat("w2")
            #expect(try await store.claim().isEmpty)
            // Others that could not take it do not count.
            try await store.heartbeat("w2", kinds: [.proxy])
            try await store.heartbeat("w3", isDraining: true)
            try await store.heartbeat("w4", memoryBytes: 999)
            #expect(try await store.claim().count == 1)
            _ = try await store.finish(
                try #require(try await store.job(id)),
                .retry(.away, afterSeconds: 0, avoidingWorker: true, overflow: nil))
            try await store.heartbeat("w2")
            #expect(try await store.claim().isEmpty)
            try await under.advance(seconds: 91)
            #expect(try await store.claim().count == 1, "w2 is gone")
        }
    }

    @Test(
        "to look at a job take the first that is to be admitted, and count no attempt", arguments: StoreKind.available)
    func admitting(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 1)) { under in
            let store = under.store
            let id = try await store.add(.new { ($0.needsAdmission, $0.maxAttempts) = (true, 2) })
            #expect(try await store.claim().isEmpty)
            let look = try await store.claimOne(admits: true)
            #expect((look.id, look.state, look.attempt, look.epoch) == (id, .admitting, 0, 1))
            #expect(try await store.claim(1, admits: true).isEmpty)
            #expect(try await store.renew([look.lease], worker: "w1", seconds: 30) == RenewOutcome())

            let stale = Admission(lease: Lease(job: id, epoch: 0), costSeconds: 1, memoryBytes: 1)
            #expect(try await store.admit(stale) == false)
            #expect(try await store.admit(Admission(lease: look.lease, costSeconds: 90, memoryBytes: 1 << 30)))
            let job = try #require(try await store.job(id))
            #expect((job.state, job.costSeconds, job.memoryBytes) == (.queued, 90, 1 << 30))
            #expect(job.leaseOwner == nil)
            #expect(try await store.admit(Admission(lease: look.lease, costSeconds: 1, memoryBytes: 1)) == false)
            #expect(try await store.claim(1, memoryBytes: (1 << 30) - 1).isEmpty)
            let run = try await store.claimOne()
            #expect((run.id, run.attempt, run.epoch) == (id, 1, 2))
            #expect(try await store.attempts(of: id).map { $0.endedAt == nil } == [false, true])
        }
    }

    @Test("to look at a job that fails or is lost count when they end", arguments: StoreKind.available)
    func admittingFails(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(.new { ($0.needsAdmission, $0.maxAttempts) = (true, 3) })
            let first = try await store.claimOne(admits: true)
            #expect(
                try await store.finish(first, .retry(.away, afterSeconds: 5, avoidingWorker: false, overflow: nil))
                    == .accepted(.scheduled))
            #expect(try await store.job(id)?.attempt == 1)
            try await under.advance(seconds: 6)
            _ = try await store.sweep()
            #expect(try await store.state(id) == .admitting)
            let second = try await store.claimOne(admits: true)
            #expect(try await store.finish(second, .interrupted(.drained)) == .accepted(.admitting))
            #expect(try await store.job(id)?.attempt == 1)
            _ = try await store.claimOne(admits: true)
            try await under.advance(seconds: 31)
            #expect(try await store.sweep().leasesLost == [id])
            #expect(try await store.job(id)?.attempt == 2)
        }
    }
}
