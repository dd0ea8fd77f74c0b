import Model
import SQLStore
import Testing
import WorkerCore

@Suite("Arrivals")
struct ArrivalTests {
    @Test("are kept as they came", arguments: StoreKind.databases)
    func kept(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let job = NewJob.new(.proxy, owner: "Zoë \u{1F3AC} 'quoted' \"twice\"") {
                $0.idempotencyKey = "k\\1"
                $0.tier = Tier(2)
                $0.payload = #"{"text":"ü\n$1 ?1"}"#
                $0.reply = #"{"queue":"a"}"#
                $0.progressRoute = #"{"project":"p"}"#
                $0.requestID = "r"
                $0.maxAttempts = 7
                $0.expiresAfterMilliseconds = 60_000
                $0.costSeconds = 12.75
                $0.memoryBytes = 3 << 30
                $0.caps = JobCaps(memoryBytes: 1 << 40, threads: 2, wallSeconds: 3, stallSeconds: 4, outputBytes: 5)
            }
            let before = try await under.store.now()
            try await under.store.add(job)
            let after = try await under.store.now()
            let record = try #require(try await under.store.job(job.id))
            #expect(record == (try await under.store.job(ingress: .native, idempotencyKey: "k\\1")))
            #expect((before...after).contains(record.createdAt))
            #expect(record.expiresAt == record.createdAt + 60_000)
            var expected = record
            (expected.id, expected.kind, expected.owner, expected.tier) = (job.id, .proxy, job.owner, Tier(2))
            (expected.payload, expected.reply, expected.progressRoute) = (job.payload, job.reply, job.progressRoute)
            (expected.requestID, expected.maxAttempts, expected.costSeconds) = ("r", 7, 12.75)
            (expected.memoryBytes, expected.caps, expected.state) = (3 << 30, job.caps, .queued)
            (expected.attempt, expected.epoch, expected.interruptions) = (0, 0, 0)
            (expected.leaseOwner, expected.result, expected.failure) = (nil, nil, nil)
            expected.availableAt = record.createdAt
            #expect(record == expected)
        }
    }

    @Test("with a NUL in their text are kept without it", arguments: StoreKind.databases)
    func nul(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let job = NewJob.new(owner: "a\0b") { $0.idempotencyKey = "k\0" }
            try await under.store.add(job)
            #expect(try await under.store.job(job.id)?.owner == "a\u{FFFD}b")
            #expect(try await under.store.insert([.new { $0.idempotencyKey = "k\0" }]) == [.duplicate(job.id)])
        }
    }

    @Test("that come again are one job, by id and by key, in one batch and later", arguments: StoreKind.databases)
    func idempotent(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let first = NewJob.new { $0.idempotencyKey = "k" }
            let sameKey = NewJob.new(.proxy, owner: "bob") { $0.idempotencyKey = "k" }
            var elsewhere = sameKey
            (elsewhere.id, elsewhere.ingress) = (.new(), .http)
            let batch = [first, sameKey, elsewhere, first]
            let expected: [InsertOutcome] = [
                .inserted(first.id), .duplicate(first.id), .inserted(elsewhere.id), .duplicate(first.id),
            ]
            let outcomes = try await under.store.insert(batch)
            #expect(outcomes == expected)
            #expect(
                try await under.store.insert(batch)
                    == [first, first, elsewhere, first].map { .duplicate($0.id) })
            #expect(try await under.number("SELECT count(*) FROM jobs") == 2)
        }
    }

    @Test("of one key from many at once are one job", arguments: StoreKind.databases)
    func race(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let other = try under.another()
            let outcomes = try await withThrowingTaskGroup(of: [InsertOutcome].self) { group in
                for number in 0..<40 {
                    let store = number.isMultiple(of: 2) ? under.store : other
                    // Different owners, so that nothing but the key makes them wait for each other.
                    let jobs = ["x", "y"].shuffled().map { key in
                        NewJob.new(owner: "o\(number)") { $0.idempotencyKey = key }
                    }
                    group.addTask { try await store.insert(jobs) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let inserted = outcomes.filter { if case .inserted = $0 { true } else { false } }
            #expect(inserted.count == 2)
            #expect(try await under.number("SELECT count(*) FROM jobs") == 2)
            #expect(try await under.number("SELECT CAST(sum(active) AS bigint) FROM owner_shares") == 2)
            await other.close()
        }
    }

    @Test("come by the hundred in one go", arguments: StoreKind.databases)
    func batch(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let jobs = (0..<700).map { number in
                NewJob.new(owner: "o\(number % 300)") { $0.payload = String(repeating: "x", count: number) }
            }
            let outcomes = try await under.store.insert(jobs)
            #expect(outcomes == jobs.map { .inserted($0.id) })
            #expect(try await under.number("SELECT count(*) FROM jobs WHERE state = 'queued'") == 700)
            for job in jobs.shuffled().prefix(5) {
                #expect(try await under.store.job(job.id)?.payload == job.payload)
            }
        }
    }

    @Test("beyond what an owner may have are refused, of that kind and until one ends", arguments: StoreKind.databases)
    func full(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 1, queued: 3)) { under in
            let jobs = (0..<4).map { _ in NewJob.new() }
            #expect(
                try await under.store.insert(jobs) == jobs.prefix(3).map { .inserted($0.id) } + [.ownerFull])
            #expect(try await under.store.insert([.new()]) == [.ownerFull])
            try await under.store.add(.new(.proxy))
            try await under.store.add(.new(owner: "bob"))
            let running = try await under.store.claimOne()
            #expect(try await under.store.insert([.new()]) == [.ownerFull])
            #expect(try await under.store.finish(running, .succeeded("{}")) == .accepted(.succeeded))
            try await under.store.add(.new())
            #expect(try await under.store.insert([.new()]) == [.ownerFull])
        }
    }

    @Test("begin where they belong", arguments: StoreKind.databases)
    func states(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .limited(running: 1)) { under in
            let probed = try await under.store.add(.new { $0.needsAdmission = true })
            let later = try await under.store.add(.new { $0.delayMilliseconds = 5000 })
            let ready = try await under.store.add(.new())
            let next = try await under.store.add(.new())
            let states = try await [probed, later, ready, next].asyncMap { try await under.store.state($0) }
            #expect(states == [.admitting, .scheduled, .queued, .waiting])
        }
    }
}

extension Sequence where Element: Sendable {
    func asyncMap<Value>(_ transform: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
