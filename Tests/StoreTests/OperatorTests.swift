import Model
import SQLStore
import Testing
import WorkerCore

@Suite("Operators")
struct OperatorTests {
    @Test("cancel what has not started, at once", arguments: StoreKind.available)
    func cancel(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 1)) { under in
            let store = under.store
            let jobs: [NewJob] = [
                .new(), .new(), .new { $0.needsAdmission = true }, .new { $0.delayMilliseconds = 9000 },
            ]
            _ = try await store.insert(jobs)
            for job in jobs.reversed() {
                #expect(try await store.cancel(job.id) == .cancelled)
                #expect(try await store.cancel(job.id) == .alreadyEnded(.cancelled))
                let ended = try #require(try await store.job(job.id))
                #expect(ended.failure?.code == .cancelled && ended.finishedAt != nil)
            }
            #expect(try await store.cancel(.new()) == .unknownJob)
            #expect(try await store.takeNotices(limit: 99, seconds: 9).count == 4)
            // Work that was never done is not held against the owner.
            let shares = try await under.query("SELECT finish_tag FROM owner_shares")
            #expect(shares.map { String(describing: $0).contains("0.0") } == [true])
        }
    }

    @Test("cancel what runs by a request, which a success outruns", arguments: StoreKind.available)
    func cancelRunning(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let endings: [(AttemptEnding.Outcome, JobState)] = [
                (.succeeded("{}"), .succeeded), (.failed(.broken), .cancelled), (.dead(.broken), .cancelled),
                (.interrupted(.drained), .cancelled), (.cancelled(.stopped), .cancelled),
                (.retry(.away, afterSeconds: 9, avoidingWorker: true, overflow: nil), .cancelled),
                (
                    .retry(.away, afterSeconds: 0, avoidingWorker: true, overflow: OverflowRetry(memoryBytes: 1)),
                    .cancelled
                ),
            ]
            for (outcome, state) in endings {
                try await store.add(.new())
                let job = try await store.claimOne()
                #expect(try await store.cancel(job.id) == .requested(worker: "w1"))
                #expect(try await store.cancel(job.id) == .requested(worker: "w1"))
                #expect(try await store.job(job.id)?.isCancelRequested == true)
                #expect(try await store.finish(job, outcome) == .accepted(state))
                #expect(try await store.cancel(job.id) == .alreadyEnded(state))
                if state == .cancelled { #expect(try await store.job(job.id)?.failure?.code == .cancelled) }
            }
            try await store.add(.new())
            let job = try await store.claimOne()
            _ = try await store.cancel(job.id)
            try await under.advance(seconds: 31)
            _ = try await store.sweep()
            #expect(try await store.state(job.id) == .cancelled, "its worker was lost")
            try await store.add(.new { $0.needsAdmission = true })
            let look = try await store.claimOne(admits: true)
            #expect(try await store.cancel(look.id) == .requested(worker: "w1"))
            #expect(try await store.admit(Admission(lease: look.lease, costSeconds: 1, memoryBytes: 1)))
            #expect(try await store.state(look.id) == .cancelled)
        }
    }

    @Test("may have a job started and cancelled at once: one of the two it is", arguments: StoreKind.available)
    func cancelRace(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            _ = try await store.insert((0..<40).map { _ in .new() })
            let ids = try await store.jobs(JobFilter(limit: 100)).map(\.id)
            async let claims = withThrowingTaskGroup(of: [JobRecord].self) { group in
                for _ in 0..<40 { group.addTask { try await store.claim() } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let cancelled = try await withThrowingTaskGroup(of: CancelOutcome.self) { group in
                for id in ids { group.addTask { try await store.cancel(id) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let claimed = try await claims
            let atOnce = cancelled.filter { $0 == .cancelled }.count
            #expect(atOnce + claimed.count == 40)
            for job in claimed {
                #expect(try await store.finish(job, .interrupted(.drained)) == .accepted(.cancelled))
            }
            #expect(try await under.number("SELECT count(*) FROM notices WHERE body = 'cancelled'") == 40)
        }
    }

    @Test("move jobs up and down, past what their owner may have ready", arguments: StoreKind.available)
    func reprioritise(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 2)) { under in
            let store = under.store
            let ids = try await (0..<4).asyncMap { _ in try await store.add(.new { $0.costSeconds = 10 }) }
            func states() async throws -> [JobState?] { try await ids.asyncMap { try await store.state($0) } }
            #expect(try await states() == [.queued, .queued, .waiting, .waiting])
            #expect(try await store.reprioritise(ids[3], tier: .highest))
            #expect(try await states() == [.queued, .waiting, .waiting, .queued])
            #expect(try await store.job(ids[3])?.tier == .highest)
            #expect(try await store.claimOne().id == ids[3])
            #expect(try await store.reprioritise(ids[3], tier: Tier(0)) == false, "it runs")
            #expect(try await store.reprioritise(ids[2], tier: Tier(1)))
            #expect(try await states() == [.waiting, .waiting, .queued, .running])
            #expect(try await store.reprioritise(ids[2], tier: Tier(0)))
            #expect(try await states() == [.queued, .waiting, .waiting, .running])
            // A new one of a higher tier takes a place as well.
            let urgent = try await store.add(.new { $0.tier = .highest })
            #expect(try await store.state(urgent) == .queued)
            #expect(try await states() == [.waiting, .waiting, .waiting, .running])
            #expect(try await store.cancel(ids[1]) == .cancelled)
            #expect(try await store.reprioritise(ids[1], tier: Tier(1)) == false)
            #expect(try await store.reprioritise(.new(), tier: Tier(1)) == false)
        }
    }

    @Test("let an owner have so many ready or running, the best of his", arguments: StoreKind.available)
    func runningCap(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 2)) { under in
            let store = under.store
            _ = try await store.insert((0..<6).map { _ in .new() })
            try await store.add(.new(owner: "bob"))
            try await store.add(.new(.proxy))
            var first = try await store.claim(9)
            #expect(first.map(\.owner).sorted() == ["ann", "ann", "bob"])
            #expect(try await store.claim(9, kinds: [.proxy]).count == 1, "kinds are counted apart")
            let mine = first.filter { $0.owner == "ann" }
            for (job, outcome) in zip(
                mine,
                [.failed(.broken), .retry(.away, afterSeconds: 60, avoidingWorker: false, overflow: nil)]
                    as [AttemptEnding.Outcome])
            {
                _ = try await store.finish(job, outcome)
                #expect(try await store.claim(9).count == 1)
            }
            first = try await store.jobs(JobFilter(owner: "ann", kinds: [.render], states: [.running]))
            #expect(first.count == 2)
            #expect(try await under.number("SELECT count(*) FROM jobs WHERE state = 'queued'") == 0)
            // A store with a higher limit uses it.
            let other = try under.another(.limited(running: 4))
            #expect(try await other.sweep().becameReady == 2)
            #expect(try await other.claim(9, worker: "w2").count == 2)
            await other.close()
        }
    }

    @Test("run what an ended job was about once more, as a new job", arguments: StoreKind.available)
    func requeue(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(
                .new {
                    ($0.maxAttempts, $0.expiresAfterMilliseconds, $0.idempotencyKey) = (1, 50_000, "k")
                    ($0.payload, $0.reply, $0.progressRoute, $0.requestID) = (#"{"a":1}"#, "r", "p", "q")
                    ($0.tier, $0.costSeconds, $0.memoryBytes) = (Tier(2), 7, 1 << 30)
                })
            #expect(try await store.requeue(id) == .notEndedWithoutSuccess(.queued))
            let first = try await store.claimOne()
            _ = try await store.finish(first, .dead(.broken))
            try await under.advance(seconds: 60)
            let ended = try #require(try await store.job(id))
            guard case .requeued(let retry) = try await store.requeue(id) else {
                Issue.record("not requeued")
                return
            }
            #expect(try await store.job(id) == ended, "the old one stays as it ended")
            let again = try #require(try await store.job(retry))
            #expect(again.retryOf == id && again.id == retry && retry != id)
            #expect((again.state, again.attempt, again.epoch, again.maxAttempts) == (.queued, 0, 0, 1))
            #expect(again.failure == nil && again.expiresAt == nil && again.startedAt == nil)
            #expect((again.payload, again.reply, again.progressRoute) == (ended.payload, "r", "p"))
            #expect((again.requestID, again.tier, again.costSeconds) == ("q", Tier(2), 7))
            #expect(try await store.requeue(id) == .already(retry), "once")
            #expect(try await store.finish(first, .succeeded("{}")) == .stale)
            let second = try await store.claimOne()
            #expect((second.id, second.attempt, second.epoch) == (retry, 1, 1))
            #expect(try await store.finish(second, .succeeded("{}")) == .accepted(.succeeded))
            #expect(try await store.requeue(retry) == .notEndedWithoutSuccess(.succeeded))
            #expect(try await store.requeue(.new()) == .unknownJob)
        }
    }

    @Test("take jobs from workers without counting the attempt", arguments: StoreKind.available)
    func inFlight(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 3)) { under in
            let store = under.store
            for _ in 0..<3 { try await store.add(.new()) }
            try await store.add(.new(.proxy) { $0.needsAdmission = true })
            let mine = try await store.claimOne()
            let other = try await store.claimOne(worker: "w2")
            let stopping = try await store.claimOne(worker: "w2")
            _ = try await store.cancel(stopping.id)
            let look = try #require(try await store.claim(1, worker: "w3", kinds: [.proxy], admits: true).first)
            #expect(try await store.requeueInFlight(worker: "w2") == [other.id, stopping.id])
            #expect(try await store.state(stopping.id) == .cancelled)
            #expect(try await store.state(mine.id) == .running)
            #expect(try await store.finish(other, .succeeded("{}"), worker: "w2") == .stale)
            let again = try await store.claimOne(worker: "w2")
            #expect((again.id, again.attempt, again.interruptions, again.epoch) == (other.id, 1, 0, 2))
            #expect(Set(try await store.requeueInFlight(worker: nil)) == [mine.id, again.id, look.id])
            #expect(try await store.state(look.id) == .admitting)
            #expect(try await store.requeueInFlight(worker: nil).isEmpty)
            #expect(try await store.claim(9).count == 2)
            try await Invariants.check(under, runningLimit: 3, "taken back")
        }
    }

    @Test("read pages of jobs, newest first", arguments: StoreKind.available)
    func list(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let jobs = (0..<10).map { NewJob.new($0 % 2 == 0 ? .render : .proxy, owner: $0 < 5 ? "ann" : "bob") }
            for job in jobs { try await store.add(job) }
            let newest = Array(jobs.map(\.id).reversed())
            let page = try await store.jobs(JobFilter(limit: 4))
            #expect(page.map(\.id) == Array(newest[0..<4]))
            #expect(try await store.jobs(JobFilter(before: page[3].id, limit: 3)).map(\.id) == Array(newest[4..<7]))
            #expect(try await store.jobs(JobFilter(owner: "ann", limit: 99)).map(\.id) == Array(newest[5...]))
            let filter = JobFilter(owner: "bob", kinds: [.render], states: [.queued, .dead], before: jobs[9].id)
            #expect(try await store.jobs(filter).map(\.id) == [jobs[8].id, jobs[6].id])
            #expect(try await store.jobs(JobFilter(states: [.running])).isEmpty)
        }
    }

    @Test("count what waits, and how long it has", arguments: StoreKind.available)
    func counts(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 2)) { under in
            let store = under.store
            #expect(try await store.counts().isEmpty)
            let begun = ContinuousClock.now
            _ = try await store.insert((0..<5).map { _ in .new() })
            try await under.advance(seconds: 50)
            try await store.add(.new(.proxy))
            try await store.add(.new(.probe) { $0.delayMilliseconds = 60_000 })
            try await store.add(.new(.probe) { $0.needsAdmission = true })
            try await store.add(.new(.probe) { $0.needsAdmission = true })
            let job = try await store.claimOne()
            _ = try await store.claim(1, kinds: [.probe], admits: true)
            _ = try await store.finish(job, .dead(.broken))
            _ = try await store.claim(1, kinds: [.proxy])
            let counts = try await store.counts()
            #expect(
                counts.map { "\($0.kind) \($0.state) \($0.count)" } == [
                    "probe admitting 2", "probe scheduled 1", "proxy running 1", "render dead 1", "render queued 2",
                    "render waiting 2",
                ])
            // What passed on the store's clock and, rounded up, on this one's: a busy disk may take its time.
            let passed = (ContinuousClock.now - begun) / .seconds(1) + 1
            for count in counts {
                let advanced: Double = count.kind == .render ? 50 : 0
                #expect((advanced...advanced + passed).contains(count.oldestSeconds), "\(count)")
            }
        }
    }

    @Test("see workers as they last said", arguments: StoreKind.available)
    func workers(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            var worker = WorkerRecord(
                name: "b \"x\"", instance: "1", kinds: [.render, .proxy], slots: 4, busySlots: 1, memoryBytes: 1 << 40,
                isDraining: false, version: "1")
            try await under.store.heartbeat(worker)
            try await under.store.heartbeat("a")
            (worker.instance, worker.busySlots, worker.isDraining) = ("2", 3, true)
            try await under.store.heartbeat(worker)
            let now = try await under.store.now()
            let workers = try await under.store.workers()
            #expect(workers.map(\.name) == ["a", "b \"x\""])
            var seen = workers[1]
            #expect((now - 20_000...now).contains(seen.heartbeatAt))
            seen.heartbeatAt = 0
            #expect(seen == worker)
        }
    }
}
