import Model
import SQLStore
import Testing
import WorkerCore

@Suite("Attempts")
struct AttemptTests {
    @Test("that succeed end the job with its result, once", arguments: StoreKind.available)
    func success(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let id = try await under.store.add(.new())
            let job = try await under.store.claimOne()
            let ending = AttemptEnding(lease: job.lease, outcome: .succeeded(#"{"a":"\u0000é"}"#))
            #expect(try await under.store.finish([ending, ending], worker: "w1") == [.accepted(.succeeded), .stale])
            #expect(try await under.store.finish([ending], worker: "w1") == [.stale])
            let ended = try #require(try await under.store.job(id))
            #expect(ended.result == #"{"a":"\u0000é"}"# && ended.failure == nil)
            #expect(ended.finishedAt != nil && ended.leaseOwner == nil && ended.leaseUntil == nil)
            #expect(try await under.store.attempts(of: id).map { $0.endedAt != nil } == [true])
            let notices = try await under.store.takeNotices(limit: 9, seconds: 30)
            #expect(notices.map(\.job) == [id] && notices.map(\.body) == ["succeeded"])
        }
    }

    @Test("end as they say, with the reason", arguments: StoreKind.available)
    func endings(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            for (outcome, state) in [
                (AttemptEnding.Outcome.failed(.broken), JobState.failed), (.dead(.broken), .dead),
                (.cancelled(.broken), .cancelled),
            ] {
                let id = try await under.store.add(.new())
                let job = try await under.store.claimOne()
                #expect(try await under.store.finish(job, outcome) == .accepted(state))
                let ended = try #require(try await under.store.job(id))
                #expect(ended.state == state && ended.failure == .broken && ended.finishedAt != nil)
                #expect(try await under.store.attempts(of: id).map(\.failure) == [.broken])
            }
        }
    }

    @Test("of an older epoch, or by another worker, change nothing", arguments: StoreKind.available)
    func fence(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(.new { $0.maxAttempts = 9 })
            let first = try await store.claimOne()
            #expect(try await store.finish(first, .succeeded("{}"), worker: "w2") == .stale)
            try await under.advance(seconds: 31)
            _ = try await store.sweep()
            try await under.advance(seconds: 3600)
            _ = try await store.sweep()
            let second = try await store.claimOne(worker: "w2")
            let outcomes: [AttemptEnding.Outcome] = [
                .succeeded("{}"), .failed(.broken), .dead(.broken), .cancelled(.stopped), .interrupted(.drained),
                .retry(.away, afterSeconds: 0, avoidingWorker: true, overflow: nil),
            ]
            for outcome in outcomes {
                #expect(try await store.finish(first, outcome) == .stale)
                #expect(try await store.finish(first, outcome, worker: "w2") == .stale)
            }
            #expect(try await store.renew([first.lease], worker: "w1", seconds: 30).lost == [first.lease])
            #expect(try await store.job(id) == second)
        }
    }

    @Test("to be tried again wait, keep their place, and count", arguments: StoreKind.available)
    func retry(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(.new { ($0.maxAttempts, $0.costSeconds) = (2, 5) })
            _ = try await store.insert((0..<3).map { _ in .new() })
            let first = try await store.claimOne()
            #expect(first.id == id)
            #expect(
                try await store.finish(first, .retry(.away, afterSeconds: 20, avoidingWorker: false, overflow: nil))
                    == .accepted(.scheduled))
            #expect(try await store.job(id)?.failure == .away)
            #expect(try await store.sweep().becameReady == 0)
            try await under.advance(seconds: 21)
            #expect(try await store.sweep().becameReady == 1)
            let second = try await store.claimOne()
            #expect((second.id, second.attempt, second.epoch) == (id, 2, 2), "it is the oldest still")
            #expect(
                try await store.finish(second, .retry(.away, afterSeconds: 20, avoidingWorker: false, overflow: nil))
                    == .accepted(.dead), "none is left")
            #expect(try await store.attempts(of: id).map(\.failure) == [.away, .away])
        }
    }

    @Test("that need more memory get one more, whatever they had", arguments: StoreKind.available)
    func overflow(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let id = try await store.add(.new { ($0.maxAttempts, $0.memoryBytes) = (1, 1 << 30) })
            let first = try await store.claimOne()
            let failure = Failure(code: .memoryLimit, message: "too large")
            let retry = AttemptEnding.Outcome.retry(
                failure, afterSeconds: 0, avoidingWorker: false, overflow: OverflowRetry(memoryBytes: 8 << 30))
            #expect(try await store.finish(first, retry) == .accepted(.waiting))
            #expect(try await store.claim(1, memoryBytes: 2 << 30).isEmpty)
            let second = try await store.claimOne()
            #expect(second.isOverflow && second.memoryBytes == 8 << 30 && second.attempt == 2)
            #expect(try await store.finish(second, .dead(failure)) == .accepted(.dead))
            guard case .requeued(let retry) = try await store.requeue(id) else {
                Issue.record("not requeued")
                return
            }
            let again = try #require(try await store.job(retry))
            #expect(!again.isOverflow && again.memoryBytes == 1 << 30)
        }
    }

    @Test("that a drain ended do not count, until there were too many", arguments: StoreKind.available)
    func interrupted(kind: StoreKind) async throws {
        var policy = StorePolicy.limited(running: 1)
        policy.maxInterruptions = 2
        try await StoreUnderTest.with(kind, policy) { under in
            let store = under.store
            let id = try await store.add(.new { $0.maxAttempts = 2 })
            let next = try await store.add(.new())
            for time in 1...2 {
                let job = try await store.claimOne()
                #expect((job.id, job.attempt, job.epoch) == (id, 1, Int64(time)))
                #expect(try await store.finish(job, .interrupted(.drained)) == .accepted(.queued))
                #expect(try await store.job(id)?.interruptions == time)
                #expect(try await store.state(next) == .waiting, "its place was kept")
            }
            let job = try await store.claimOne()
            _ = try await store.finish(job, .interrupted(.drained))
            let counted = try #require(try await store.job(id))
            #expect((counted.attempt, counted.interruptions) == (1, 2))
            #expect(try await store.claimOne().attempt == 2)
        }
    }

    @Test("in batches are judged one by one", arguments: StoreKind.available)
    func batch(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.store.insert((0..<200).map { .new(owner: "o\($0 % 30)") })
            let jobs = try await under.store.claim(200)
            #expect(jobs.count == 200)
            let endings = jobs.enumerated().map { number, job -> AttemptEnding in
                let lease = number % 5 == 4 ? Lease(job: job.id, epoch: job.epoch + 1) : job.lease
                let outcomes: [AttemptEnding.Outcome] = [
                    .succeeded("{}"), .failed(.broken),
                    .retry(.away, afterSeconds: 9, avoidingWorker: false, overflow: nil), .interrupted(.drained),
                    .succeeded("{}"),
                ]
                return AttemptEnding(lease: lease, outcome: outcomes[number % 5])
            }
            let expected: [FinishOutcome] = [
                .accepted(.succeeded), .accepted(.failed), .accepted(.scheduled), .accepted(.queued), .stale,
            ]
            let outcomes = try await under.store.finish(endings.shuffled(), worker: "w2")
            #expect(outcomes.allSatisfy { $0 == .stale })
            #expect(
                try await under.store.finish(endings, worker: "w1") == (0..<200).map { expected[$0 % 5] })
            #expect(try await under.number("SELECT count(*) FROM notices") == 80)
        }
    }

    @Test("are told in one answer what they lost and what is to stop", arguments: StoreKind.available)
    func renewal(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            _ = try await store.insert((0..<4).map { _ in .new { $0.maxAttempts = 9 } })
            let jobs = try await store.claim(4)
            try await under.advance(seconds: 25)
            #expect(try await store.cancel(jobs[1].id) == .requested(worker: "w1"))
            _ = try await store.finish(jobs[2], .interrupted(.drained))
            let stranger = Lease(job: .new(), epoch: 1)
            let answer = try await store.renew(jobs.map(\.lease) + [stranger], worker: "w1", seconds: 3000)
            #expect(answer == RenewOutcome(lost: [jobs[2].lease, stranger], cancelled: [jobs[1].lease]))
            try await under.advance(seconds: 2000)
            #expect(try await store.sweep().leasesLost.isEmpty, "they were prolonged")
            #expect(try await store.renew(jobs.map(\.lease), worker: "w2", seconds: 30).lost.count == 4)
            // The same worker has the job again: the attempt it lost stays lost.
            let again = try await store.claimOne(worker: "w1")
            #expect(again.id == jobs[2].id)
            let both = try await store.renew([jobs[2].lease, again.lease], worker: "w1", seconds: 30)
            #expect(both == RenewOutcome(lost: [jobs[2].lease]))
        }
    }
}
