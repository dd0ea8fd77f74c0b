import Model
import SQLStore
import Testing
import WorkerCore

/// Arrivals that their owners cannot pay for, or that have no price.
// One at a time: each has connections of its own, and a server has so many.
@Suite("An arrival that is refused", .serialized)
struct LedgerRefusalTests {
    private static let told: @Sendable (inout StorePolicy) -> Void = { policy in
        policy.noticesOfEnded = { [NewNotice(channel: "test", body: "\($0.id) \($0.failure?.code.rawValue ?? "")")] }
    }

    @Test("leaves nothing behind where its sender waits for the answer", arguments: StoreKind.databases)
    func forgotten(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced(running: 1000, Self.told)) { under in
            try await under.grant(9)
            let job = NewJob.paid(minutes: 5) { $0.idempotencyKey = "ann\nk" }
            #expect(try await under.store.insert([job]) == [.insufficientCredit(needed: 10, available: 9)])
            #expect(try await under.store.jobs(JobFilter()).isEmpty)
            #expect(try await under.store.takeNotices(limit: 9, seconds: 9).isEmpty)
            // The same, once there is credit.
            try await under.grant(1)
            #expect(try await under.store.insert([job]) == [.inserted(job.id)])
            #expect(try await under.credit() == "0 10")
        }
    }

    @Test("is a job that failed where its sender has gone: once, told, and free", arguments: StoreKind.databases)
    func kept(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced(running: 1000, Self.told)) { under in
            let store = under.store
            try await under.grant(11)
            let jobs = (0..<3).map { index in
                NewJob.paid(minutes: 5) { ($0.keepsRefusal, $0.idempotencyKey) = (true, "q\n\(index)") }
            }
            let poor = InsertOutcome.insufficientCredit(needed: 10, available: 1)
            #expect(
                try await store.insert(jobs + [jobs[2]]) == [
                    .inserted(jobs[0].id), poor, poor, .duplicate(jobs[2].id),
                ])
            #expect(try await store.insert(jobs) == jobs.map { .duplicate($0.id) })
            for job in jobs.dropFirst() {
                let record = try #require(try await store.job(job.id))
                #expect(record.state == .failed && record.failure?.code == .insufficientCredit)
                #expect(record.quote == nil && record.charge == nil && record.epoch == 0)
                #expect(try await store.attempts(of: job.id).isEmpty)
                #expect(try await under.moves(job.id).isEmpty)
            }
            let notices = try await store.takeNotices(limit: 9, seconds: 9)
            #expect(Set(notices.map(\.body)) == Set(jobs.dropFirst().map { "\($0.id) insufficient_credit" }))
            #expect(try await under.credit() == "1 10")
            // What is refused takes no place among what its owner may have, and nobody gets it to do.
            #expect(try await store.claim(9, admits: true).map(\.id) == [jobs[0].id])
            try await under.grant(9)
            guard case .requeued(let retry) = try await store.requeue(jobs[1].id) else {
                Issue.record("not requeued")
                return
            }
            #expect(try await store.state(retry) == .admitting)
            try await under.expectSound()
        }
    }

    @Test("for want of a price or of room is kept as well", arguments: StoreKind.databases)
    func others(kind: StoreKind) async throws {
        let policy = StorePolicy.priced { $0.ownerLimits = [.render: OwnerLimits(running: 1, queued: 1)] }
        try await StoreUnderTest.with(kind, policy) { under in
            try await under.grant(100)
            _ = try await under.store.add(.paid())
            let full = NewJob.paid { $0.keepsRefusal = true }
            #expect(try await under.store.insert([full]) == [.ownerFull])
            #expect(try await under.store.job(full.id)?.failure?.code == .queueFull)
            let unpriced = NewJob.new(.analysis, owner: "ann") { ($0.billing, $0.keepsRefusal) = (.internal, true) }
            guard case .refused? = try await under.store.insert([unpriced]).first else {
                Issue.record("taken")
                return
            }
            #expect(try await under.store.job(unpriced.id)?.state == .failed)
            #expect(try await under.credit() == "90 10")
            try await under.expectSound()
        }
    }

    @Test("that says what it comes to is not taken in to be looked at first", arguments: StoreKind.databases)
    func declared(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(12)
            let job = NewJob.paid(minutes: 6) { $0.needsAdmission = true }
            #expect(try await under.store.add(job) == job.id)
            #expect(try await under.credit() == "0 12")
            let next = NewJob.paid(minutes: 1) { $0.needsAdmission = true }
            #expect(try await under.store.insert([next]) == [.insufficientCredit(needed: 2, available: 0)])
            // The look says how much memory it needs; its price is agreed.
            let look = try await under.store.claimOne(admits: true)
            let bound = MediaBound(resolution: .upTo1080, milliseconds: 60_000)
            let admission = Admission(lease: look.lease, costSeconds: 9, memoryBytes: 7, bound: bound)
            #expect(try await under.store.admit(admission))
            #expect(try await under.credit() == "0 12")
            let running = try await under.store.claimOne()
            _ = try await under.store.finish(running, .rendered(seconds: 90))
            #expect(try await under.moves(job.id) == ["hold 12", "capture 3", "release_rest 9"])
            try await under.expectSound()
        }
    }
}
