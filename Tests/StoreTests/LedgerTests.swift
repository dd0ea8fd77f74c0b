import Model
import SQLStore
import Testing
import WorkerCore

/// How the money of jobs moves.
// One at a time: each has connections of its own, and a server has so many.
@Suite("The ledger", .serialized)
struct LedgerTests {
    @Test("holds a job's price when it comes in, and charges what was measured", arguments: StoreKind.available)
    func success(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            let store = under.store
            try await under.grant(100)
            let id = try await store.add(.paid(minutes: 5))
            #expect(try await under.credit() == "90 10")
            let record = try #require(try await store.job(id))
            #expect(record.quote?.amount == 10 && record.charge == nil && record.billing == .internal)
            let job = try await store.claimOne()
            #expect(try await under.credit() == "90 10")
            #expect(try await store.finish(job, .rendered(seconds: 90)) == .accepted(.succeeded))
            #expect(try await under.credit() == "97 0")
            #expect(try await under.moves(id) == ["hold 10", "capture 3", "release_rest 7"])
            #expect(try await store.job(id)?.charge == 3)
            #expect(try await store.finish(job, .rendered(seconds: 90)) == .stale)
            try await under.expectSound()
            #expect(try await under.credit("bob") == "0 0")
        }
    }

    @Test("charges no more than it holds, and no less than the least", arguments: StoreKind.databases)
    func bounds(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(100)
            let cases: [(seconds: Double, moves: [String])] = [
                (300, ["hold 10", "capture 10"]), (100_000, ["hold 10", "capture 10"]),
                (0.001, ["hold 10", "capture 1", "release_rest 9"]),
                (30.0001, ["hold 10", "capture 1.000034", "release_rest 8.999966"]),
            ]
            for (seconds, moves) in cases {
                let id = try await under.store.add(.paid(minutes: 5))
                _ = try await under.store.finish(try await under.store.claimOne(), .rendered(seconds: seconds))
                #expect(try await under.moves(id) == moves, "\(seconds)")
            }
            let unmeasured = try await under.store.add(.paid(minutes: 5))
            _ = try await under.store.finish(try await under.store.claimOne(), .succeeded("{}"))
            #expect(try await under.moves(unmeasured) == ["hold 10", "capture 10"])
            try await under.expectSound()
        }
    }

    private static let endings: [(name: String, outcome: AttemptEnding.Outcome)] = [
        ("failed", .failed(.broken)), ("dead", .dead(.broken)), ("cancelled", .cancelled(.stopped)),
        ("limit", .failed(Failure(code: .memoryLimit, message: "too large"))),
    ]

    @Test("gives back what did not succeed", arguments: StoreKind.available, endings.map(\.name))
    func failure(kind: StoreKind, name: String) async throws {
        let outcome = try #require(Self.endings.first { $0.name == name }).outcome
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(10)
            let id = try await under.store.add(.paid(minutes: 5))
            #expect(try await under.credit() == "0 10")
            _ = try await under.store.finish(try await under.store.claimOne(), outcome)
            #expect(try await under.credit() == "10 0")
            #expect(try await under.moves(id) == ["hold 10", "release 10"])
            #expect(try await under.store.job(id)?.charge == .zero)
            try await under.expectSound()
        }
    }

    @Test("gives back what ends without a worker: cancelled, expired, lost too often", arguments: StoreKind.databases)
    func unattended(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            let store = under.store
            try await under.grant(30)
            let cancelled = try await store.add(.paid(minutes: 5))
            #expect(try await store.cancel(cancelled) == .cancelled)
            let expired = try await store.add(.paid(minutes: 5) { $0.expiresAfterMilliseconds = 1000 })
            try await under.advance(seconds: 5)
            #expect(try await store.sweep().expired == [expired])
            let lost = try await store.add(.paid(minutes: 5) { $0.maxAttempts = 1 })
            _ = try await store.claimOne()
            #expect(try await under.credit() == "20 10")
            try await under.advance(seconds: 60)
            #expect(try await store.sweep().leasesLost == [lost])
            #expect(try await store.state(lost) == .dead)
            for id in [cancelled, expired, lost] {
                #expect(try await under.moves(id) == ["hold 10", "release 10"])
            }
            #expect(try await under.credit() == "30 0")
            try await under.expectSound()
        }
    }

    @Test(
        "keeps the hold while a job is tried again, drained, or taken from its worker", arguments: StoreKind.databases)
    func retries(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            let store = under.store
            try await under.grant(10)
            let id = try await store.add(.paid(minutes: 5))
            let endings: [AttemptEnding.Outcome] = [
                .retry(.away, afterSeconds: 0, avoidingWorker: false, overflow: nil), .interrupted(.drained),
            ]
            for outcome in endings {
                _ = try await store.finish(try await store.claimOne(), outcome)
                #expect(try await under.credit() == "0 10")
            }
            let taken = try await store.claimOne()
            #expect(try await store.requeueInFlight(worker: "w1") == [id])
            #expect(try await store.finish(taken, .rendered(seconds: 60)) == .stale)
            #expect(try await under.credit() == "0 10")
            _ = try await store.finish(try await store.claimOne(), .rendered(seconds: 60))
            #expect(try await under.moves(id) == ["hold 10", "capture 2", "release_rest 8"])
            try await under.expectSound()
        }
    }

    @Test("charges those failures that an operator charges, and no others", arguments: StoreKind.databases)
    func chargedFailures(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced(charging: [.cancelled, .insufficientCredit])) { under in
            let store = under.store
            try await under.grant(20)
            let cancelled = try await store.add(.paid(minutes: 5))
            let failed = try await store.add(.paid(minutes: 5))
            _ = try await store.cancel(cancelled)
            // The policy is the one that the job came in under.
            let other = try under.another(.priced(charging: [.invalidInput]))
            _ = try await other.finish(try await other.claimOne(), .failed(.broken))
            #expect(try await under.moves(cancelled) == ["hold 10", "capture 10"])
            #expect(try await under.moves(failed) == ["hold 10", "release 10"])
            #expect(try await under.credit() == "10 0")
            try await under.expectSound()
            await other.close()
        }
    }

    @Test("refuses what an owner cannot pay, has no price, or has no owner", arguments: StoreKind.databases)
    func refusals(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(25)
            let jobs: [NewJob] = [
                .paid(minutes: 5), .paid(minutes: 10), .paid(minutes: 6), .paid(minutes: 1, owner: "bob"),
                .paid(owner: ""), .paid { $0.kind = .analysis }, .paid { $0.bound = nil },
                .paid { $0.bound = MediaBound(resolution: .upTo720, milliseconds: 1) },
                .paid { ($0.kind, $0.bound) = (.probe, nil) }, .paid { ($0.kind, $0.bound) = (.proxy, nil) },
            ]
            let outcomes = try await under.store.insert(jobs)
            #expect(outcomes[0] == .inserted(jobs[0].id))
            #expect(outcomes[1] == .insufficientCredit(needed: 20, available: 15))
            #expect(outcomes[2] == .inserted(jobs[2].id))
            #expect(outcomes[3] == .insufficientCredit(needed: 2, available: .zero))
            for outcome in outcomes[4...7] {
                guard case .refused(let failure) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(failure.category == .invalidInput)
            }
            #expect(Array(outcomes[8...]) == [.inserted(jobs[8].id), .inserted(jobs[9].id)])
            #expect(try await under.moves(jobs[8].id).isEmpty, "what costs nothing holds nothing")
            #expect(try await under.credit() == "0 25")
            #expect(try await under.number("SELECT count(*) FROM jobs") == 4)
            #expect(try await under.store.insert([jobs[0], jobs[1]]).first == .duplicate(jobs[0].id))
            #expect(try await under.credit() == "0 25", "a duplicate holds nothing")
            try await under.expectSound()
        }
        try await StoreUnderTest.with(kind) { under in
            guard case .refused = try await under.store.insert([.paid()]).first else {
                Issue.record("taken without a rate card")
                return
            }
        }
    }

    @Test("moves nothing for jobs that are paid for elsewhere", arguments: StoreKind.databases)
    func external(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(1)
            for billing in [Billing.external, .off] {
                let id = try await under.store.add(.paid { $0.billing = billing })
                _ = try await under.store.finish(try await under.store.claimOne(), .rendered(seconds: 60))
                #expect(try await under.moves(id).isEmpty)
                #expect(try await under.store.job(id)?.charge == nil)
            }
            #expect(try await under.credit() == "1 0")
            try await under.expectSound()
        }
    }

    @Test("holds the price of what a look found, or ends the job before it starts", arguments: StoreKind.available)
    func admission(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            let store = under.store
            try await under.grant(15)
            for minutes in [5, 6] as [Int64] {
                let id = try await store.add(.paid { ($0.bound, $0.needsAdmission) = (nil, true) })
                let look = try await store.claimOne(admits: true)
                #expect(look.id == id && look.state == .admitting)
                let bound = MediaBound(resolution: .upTo1080, milliseconds: minutes * 60_000)
                let admission = Admission(lease: look.lease, costSeconds: 60, memoryBytes: 1, bound: bound)
                #expect(try await store.admit(admission))
                #expect(try await store.admit(admission) == false)
                let job = try #require(try await store.job(id))
                if minutes == 5 {
                    #expect(job.state == .queued && job.quote?.amount == 10)
                    #expect(try await under.credit() == "5 10")
                    let running = try await store.claimOne(worker: "w2")
                    #expect(running.id == id)
                } else {
                    #expect(job.state == .failed && job.failure?.code == .insufficientCredit)
                    #expect(job.failure?.message.contains("12 credits, and 5 are available") == true)
                    #expect(try await under.moves(id).isEmpty)
                    // When there is credit, it can be tried again; it is looked at again, too.
                    try await under.grant(7)
                    guard case .requeued(let retry) = try await store.requeue(id) else {
                        Issue.record("not requeued")
                        return
                    }
                    #expect(try await store.state(retry) == .admitting)
                }
            }
            #expect(try await under.credit() == "12 10")
            for job in try await store.jobs(JobFilter(states: [.admitting])) {
                #expect(try await store.cancel(job.id) == .cancelled)
            }
            #expect(try await store.requeueInFlight(worker: "w2").count == 1)
            for job in try await store.jobs(JobFilter(states: [.queued])) {
                #expect(try await store.cancel(job.id) == .cancelled)
            }
            #expect(try await under.credit() == "22 0")
            try await under.expectSound()
        }
    }

    @Test("takes a new hold for what is requeued, at the price that was told", arguments: StoreKind.databases)
    func requeue(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            let store = under.store
            try await under.grant(10)
            let id = try await store.add(.paid(minutes: 5))
            _ = try await store.finish(try await store.claimOne(), .failed(.broken))
            // Another card, at another price.
            let dear = try under.another(
                .priced {
                    $0.rates = RateCard(
                        version: 2, prices: [.render: .perMinute([.upTo1080: 9], minutes: .measured, least: 9)])
                })
            guard case .requeued(let retry) = try await dear.requeue(id) else {
                Issue.record("not requeued")
                return
            }
            #expect(try await under.credit() == "0 10")
            #expect(try await store.requeue(id) == .already(retry))
            let job = try await dear.claimOne()
            #expect(job.quote?.rate.version == 1)
            _ = try await dear.finish(job, .rendered(seconds: 60))
            #expect(try await under.moves(id) == ["hold 10", "release 10"])
            #expect(try await under.moves(retry) == ["hold 10", "capture 2", "release_rest 8"])
            let poor = try await store.add(.paid(minutes: 4))
            _ = try await store.cancel(poor)
            _ = try await under.ledger.adjust("ann", by: MicroCredits.zero.subtracting(1) ?? .zero, key: "a", note: nil)
            #expect(try await store.requeue(poor) == .insufficientCredit(needed: 8, available: 7))
            try await under.expectSound()
            await dear.close()
        }
    }

    @Test("lets 50 at once have no more than there is", arguments: StoreKind.databases)
    func concurrent(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(100)
            let stores = try [under.store] + (0..<3).map { _ in try under.another(.priced()) }
            let inserted = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<50 {
                    let store = stores[number % stores.count]
                    group.addTask {
                        let outcome = try await store.insert([.paid(minutes: 5)])[0]
                        if case .inserted = outcome { return 1 }
                        guard case .insufficientCredit = outcome else { return 1000 }
                        return 0
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(inserted == 10)
            #expect(try await under.credit() == "0 100")
            #expect(try await under.number("SELECT count(*) FROM jobs") == 10)
            try await under.expectSound()
            for store in stores.dropFirst() { await store.close() }
        }
    }

    @Test("keeps the books of jobs that have been pruned, and of ids that come again", arguments: StoreKind.databases)
    func pruned(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(20)
            let job = NewJob.paid(minutes: 5)
            for _ in 0..<2 {
                try await under.store.add(job)
                _ = try await under.store.finish(try await under.store.claimOne(), .rendered(seconds: 60))
                try await under.advance(seconds: 1000)
                let age = PruneAge(succeededSeconds: 1, otherSeconds: 1)
                #expect(try await under.store.prune(finishedBefore: age, limit: 9) == 1)
            }
            let expected = ["hold 10", "capture 2", "release_rest 8"]
            #expect(try await under.moves(job.id) == expected + expected)
            #expect(try await under.credit() == "16 0")
            try await under.expectSound()
        }
    }

    @Test("measures every job that ends, once", arguments: StoreKind.databases)
    func usage(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let made = try await store.add(.new())
            _ = try await store.finish(try await store.claimOne(), .rendered(seconds: 12.3456))
            let failed = try await store.add(.new(owner: "bob"))
            _ = try await store.finish(try await store.claimOne(), .failed(.broken))
            let never = try await store.add(.new())
            _ = try await store.cancel(never)
            let all = try await under.ledger.usage(from: 0, to: .max, after: 0, limit: 100)
            let measured = all.filter { $0.job == made && $0.metric != .jobMilliseconds }
            #expect(
                measured.map { "\($0.metric.rawValue) \($0.quantity)" } == [
                    "media_milliseconds 12346", "work_milliseconds 1500", "output_bytes 1000", "output_frames 50",
                    "output_width 1920", "output_height 1080",
                ])
            #expect(measured.allSatisfy { $0.owner == "ann" && $0.kind == .render && $0.epoch == 1 })
            #expect(all.filter { $0.job == failed }.map(\.metric) == [.jobMilliseconds])
            #expect(all.filter { $0.job == never }.isEmpty)
            var paged: [UsageEvent] = []
            while case let page = try await under.ledger.usage(
                from: 0, to: .max, after: paged.last?.seq ?? 0, limit: 3), !page.isEmpty
            {
                paged += page
            }
            #expect(paged == all)
            #expect(try await under.ledger.usage(from: 0, to: all[0].at, after: 0, limit: 9).isEmpty)
        }
    }
}
