import Model
import SQLStore
import Testing
import WorkerCore

@Suite("Time")
struct TimeTests {
    @Test("brings delayed jobs when they are due, and not before", arguments: StoreKind.available)
    func delayed(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 1)) { under in
            let store = under.store
            let late = try await store.add(.new { $0.delayMilliseconds = 1_000_000 })
            let soon = try await store.add(.new { $0.delayMilliseconds = 500_000 })
            #expect(try await store.sweep() == SweepOutcome())
            try await under.advance(seconds: 600)
            #expect(try await store.sweep().becameReady == 1)
            #expect(try await store.state(soon) == .queued)
            try await under.advance(seconds: 600)
            #expect(try await store.sweep().becameReady == 1)
            // It came first, and the owner may have one: they change places.
            #expect(try await store.state(late) == .queued)
            #expect(try await store.state(soon) == .waiting)
        }
    }

    @Test("ends what was not started by then, whatever it waited for", arguments: StoreKind.available)
    func expired(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 1)) { under in
            let store = under.store
            func expiring(_ change: @escaping (inout NewJob) -> Void) -> NewJob {
                .new {
                    $0.expiresAfterMilliseconds = 60_000
                    change(&$0)
                }
            }
            let started = try await store.add(expiring { $0.maxAttempts = 5 })
            let run = try await store.claimOne()
            #expect(run.id == started)
            _ = try await store.renew([run.lease], worker: "w1", seconds: 600)
            let ids = [
                try await store.add(expiring { _ in }), try await store.add(expiring { $0.needsAdmission = true }),
                try await store.add(expiring { $0.delayMilliseconds = 600_000 }),
            ]
            try await under.advance(seconds: 70)
            #expect(Set(try await store.sweep().expired) == Set(ids))
            for id in ids {
                let job = try #require(try await store.job(id))
                #expect(job.state == .failed && job.failure?.code == .expired)
            }
            #expect(try await store.takeNotices(limit: 9, seconds: 9).map(\.body) == ["failed", "failed", "failed"])
            // What has started may start again.
            _ = try await store.finish(run, .retry(.away, afterSeconds: 0, avoidingWorker: false, overflow: nil))
            #expect(try await store.sweep().expired.isEmpty)
            #expect(try await store.claimOne().id == started)
        }
    }

    @Test("takes leases that were not renewed, as attempts, after growing pauses", arguments: StoreKind.available)
    func lost(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(.new { $0.maxAttempts = 3 })
            for (attempt, pause) in [(1, 5.0), (2, 10.0)] {
                let job = try await store.claimOne(worker: "w\(attempt)")
                #expect(job.attempt == attempt)
                try await under.advance(seconds: 31)
                let before = try await store.now()
                #expect(try await store.sweep().leasesLost == [id])
                let after = try await store.now()
                let lost = try #require(try await store.job(id))
                #expect(lost.state == .scheduled && lost.failure?.code == .workerLost)
                #expect(lost.avoidedWorkers.last == "w\(attempt)")
                #expect((before...after).contains(lost.availableAt - Int64(pause * 1000)))
                try await under.advance(seconds: pause + 1)
                _ = try await store.sweep()
            }
            _ = try await store.claimOne(worker: "w3")
            try await under.advance(seconds: 31)
            #expect(try await store.sweep().leasesLost == [id])
            #expect(try await store.state(id) == .dead)
            let attempts = try await store.attempts(of: id)
            #expect(attempts.map(\.failure?.code) == [.workerLost, .workerLost, .workerLost])
            #expect(attempts.allSatisfy { $0.endedAt != nil })
        }
    }

    @Test("is swept by many at once, each job once", arguments: StoreKind.available)
    func together(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.store.insert((0..<150).map { _ in .new { $0.maxAttempts = 1 } })
            _ = try await under.store.insert((0..<150).map { _ in .new(.proxy) { $0.expiresAfterMilliseconds = 1 } })
            #expect(try await under.store.claim(150).count == 150)
            try await under.advance(seconds: 31)
            let other = try under.another()
            let (lost, expired) = try await withThrowingTaskGroup(of: SweepOutcome.self) { group in
                for number in 0..<6 {
                    let store = number.isMultiple(of: 2) ? under.store : other
                    group.addTask { try await store.sweep() }
                }
                return try await group.reduce(into: ([JobID](), [JobID]())) {
                    $0.0 += $1.leasesLost
                    $0.1 += $1.expired
                }
            }
            #expect(lost.count == 150 && Set(lost).count == 150)
            #expect(expired.count == 150 && Set(expired).count == 150)
            #expect(try await under.number("SELECT count(*) FROM notices") == 300)
            await other.close()
        }
    }

    @Test("is not waited for when the same worker starts again", arguments: StoreKind.available)
    func restart(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let ids = try await (0..<3).asyncMap { _ in try await store.add(.new { $0.maxAttempts = 3 }) }
            let old = try await store.claim(2, worker: "w1", instance: "1")
            let other = try await store.claim(1, worker: "w2", instance: "1")
            #expect(try await store.cancel(old[1].id) == .requested(worker: "w1"))
            let released = try await store.releaseLeases(ofEarlier: .worker("w1", instance: "2"))
            #expect(Set(released) == Set(old.map(\.id)))
            #expect(try await store.workers().map(\.instance) == ["2"])
            #expect(try await store.state(old[0].id) == .queued)
            #expect(try await store.state(old[1].id) == .cancelled)
            #expect(try await store.job(other[0].id) == other[0])
            // The first time it may be the machine's fault, so the worker may have it again at once.
            try await store.heartbeat("w2")
            let again = try await store.claim(5, worker: "w1", instance: "2")
            #expect(again.map(\.id) == [ids[0]] && again.map(\.attempt) == [2])
            #expect(try await store.releaseLeases(ofEarlier: .worker("w1", instance: "2")).isEmpty)
            #expect(try await store.releaseLeases(ofEarlier: .worker("w1", instance: "3")) == [ids[0]])
            #expect(try await store.claim(5, worker: "w1", instance: "3").isEmpty, "the second time, another's turn")
            #expect(try await store.claim(5, worker: "w2").map(\.attempt) == [3])
        }
    }

    @Test("lets what ended long ago be forgotten, and nothing else", arguments: StoreKind.available)
    func pruned(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            _ = try await store.insert((0..<6).map { number in .new { $0.idempotencyKey = "k\(number)" } })
            let jobs = try await store.claim(5)
            for (job, outcome) in zip(
                jobs, [.succeeded("{}"), .failed(.broken), .dead(.broken), .succeeded("{}")] as [AttemptEnding.Outcome])
            {
                _ = try await store.finish(job, outcome)
            }
            try await under.advance(seconds: 100)
            let fresh = try await store.add(.new(.proxy))
            _ = try await store.cancel(fresh)
            let age = PruneAge(succeededSeconds: 50, otherSeconds: 500)
            #expect(try await store.prune(finishedBefore: age, limit: 1) == 1)
            #expect(try await store.prune(finishedBefore: age, limit: 100) == 1)
            #expect(try await store.prune(finishedBefore: age, limit: 100) == 0)
            #expect(try await store.state(jobs[0].id) == nil)
            #expect(try await store.job(ingress: .native, idempotencyKey: "k0") == nil)
            #expect(try await store.state(jobs[1].id) == .failed)
            let all = PruneAge(succeededSeconds: 50, otherSeconds: 50)
            #expect(try await store.prune(finishedBefore: all, limit: 100) == 2)
            #expect(try await under.number("SELECT count(*) FROM jobs") == 3)
            #expect(try await under.number("SELECT count(*) FROM attempts") == 1, "they go with their jobs")
        }
    }
}
