import Model
import SQLStore
import Testing
import WorkerCore

@Suite("The outbox")
struct OutboxTests {
    private static func end(_ count: Int, _ under: StoreUnderTest) async throws -> [JobID] {
        _ = try await under.store.insert((0..<count).map { _ in .new() })
        let jobs = try await under.store.claim(count)
        _ = try await under.store.finish(
            jobs.map { AttemptEnding(lease: $0.lease, outcome: .succeeded("{}")) }, worker: "w1")
        return jobs.map(\.id)
    }

    @Test("hands out what is due, oldest first, to one at a time", arguments: StoreKind.databases)
    func leases(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let store = under.store
            let ids = try await Self.end(5, under)
            let first = try await store.takeNotices(limit: 2, seconds: 10)
            let rest = try await store.takeNotices(limit: 10, seconds: 10)
            #expect(first.map(\.job) + rest.map(\.job) == ids)
            #expect((first + rest).allSatisfy { $0.tries == 0 && $0.channel == "test" })
            #expect(try await store.takeNotices(limit: 10, seconds: 10).isEmpty)
            try await store.finishNotices(rest.map(\.id))
            try await store.delayNotices([first[0].id], seconds: 100)
            try await under.advance(seconds: 11)
            let again = try await store.takeNotices(limit: 10, seconds: 10)
            #expect(again.map(\.id) == [first[1].id] && again.map(\.tries) == [1])
            try await store.finishNotices(again.map(\.id))
            try await under.advance(seconds: 90)
            let delayed = try await store.takeNotices(limit: 10, seconds: 10)
            #expect(delayed.map(\.id) == [first[0].id])
            try await store.finishNotices(delayed.map(\.id))
            try await under.advance(seconds: 1000)
            #expect(try await store.takeNotices(limit: 10, seconds: 10).isEmpty)
        }
    }

    @Test("hands out one way's notices only, when asked so", arguments: StoreKind.databases)
    func channels(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let ids = try await Self.end(3, under)
            #expect(try await under.store.takeNotices(limit: 10, seconds: 10, channel: "another").isEmpty)
            let own = try await under.store.takeNotices(limit: 2, seconds: 10, channel: "test")
            #expect(own.map(\.job) == Array(ids.prefix(2)))
            #expect(try await under.store.takeNotices(limit: 10, seconds: 10, channel: nil).map(\.job) == [ids[2]])
        }
    }

    @Test("is emptied by many at once, each notice by one", arguments: StoreKind.databases)
    func concurrent(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await Self.end(200, under)
            let taken = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        var mine: [Int64] = []
                        for _ in 0..<20 { mine += try await under.store.takeNotices(limit: 7, seconds: 60).map(\.id) }
                        return mine
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(taken.count == 200 && Set(taken).count == 200)
        }
    }

    @Test(
        "and new work wake whoever waits, in this process and beside it", .timeLimit(.minutes(2)),
        arguments: StoreKind.available)
    func wakeUps(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let other = try under.another()
            for listening in [under.store, other] {
                let stream = await listening.wakeUps()
                var iterator = stream.makeAsyncIterator()
                // A hint for having begun to listen may come first, so it is asked for work each time.
                try await under.store.add(.new())
                var claimed = try await listening.claim()
                while claimed.isEmpty {
                    #expect(await iterator.next() != nil)
                    claimed = try await listening.claim()
                }
                #expect(try await under.store.takeNotices(limit: 1, seconds: 60).isEmpty)
                _ = try await under.store.finish(claimed[0], .succeeded("{}"))
                var notices = try await listening.takeNotices(limit: 1, seconds: 60)
                while notices.isEmpty {
                    #expect(await iterator.next() != nil)
                    notices = try await listening.takeNotices(limit: 1, seconds: 60)
                }
            }
            let stream = await other.wakeUps()
            await other.close()
            for await _ in stream {}
            await #expect(throws: StoreError.self) { _ = try await other.claim() }
        }
    }
}
