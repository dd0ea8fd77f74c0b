import Model
import SQLStore
import Testing
import WorkerCore

/// A render's chunks, from the offer to the last that is forgotten.
@Suite("Chunks on the board")
struct ChunkBoardTests {
    /// Four chunks of 30, 10, 20 and 40 frames.
    static func offer(_ digest: String = "d1", frames: [Int] = [30, 10, 20, 40]) -> ChunkOffer {
        ChunkOffer(
            division: ChunkDivision(digest: digest, plan: #"{"chunks":[]}"#, frames: frames, seconds: 4),
            folder: "s3://exports/p/out.mp4.chunks/\(digest)", threads: 2,
            secondsPerChunk: 30)
    }

    static func taker(_ worker: String, seconds: Double = 15) -> ChunkTaker {
        ChunkTaker(worker: worker, instance: "\(worker)-1", seconds: seconds)
    }

    static func made(_ frames: Int) -> ChunkMade { ChunkMade(frames: frames, sizeBytes: Int64(frames) * 1000) }

    /// `number state worker tries`, to be compared quickly.
    private static func shown(_ under: StoreUnderTest, _ job: JobRecord) async throws -> [String] {
        try await under.chunks.chunks(of: job.id, digest: "d1").map {
            "\($0.number) \($0.state.rawValue) \($0.worker ?? "-") \($0.tries)"
        }
    }

    private static func running(
        _ under: StoreUnderTest, worker: String = "w1", frames: [Int] = [30, 10, 20, 40]
    ) async throws -> JobRecord {
        _ = try await under.store.add(.new { $0.maxAttempts = 9 })
        let job = try await under.store.claimOne(worker: worker)
        let isOffered = try await under.chunks.offerChunks(offer(frames: frames), for: job.lease)
        #expect(isOffered)
        return job
    }

    /// Takes and finishes one, as the worker that has the job does.
    private static func makeOne(
        _ under: StoreUnderTest, _ job: JobRecord, worker: String = "w1"
    ) async throws -> Int {
        let claim = try #require(
            try await under.chunks.takeChunk(of: job.lease, digest: "d1", by: taker(worker)))
        let isDone = try await under.chunks.finishChunk(
            claim, made(claim.frames), uri: "\(claim.offer.folder)/\(claim.number)")
        #expect(isDone)
        return claim.number
    }

    @Test("are taken longest first, and are done once", arguments: StoreKind.databases)
    func order(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let job = try await Self.running(under)
            var order: [Int] = []
            for _ in 0..<4 { order.append(try await Self.makeOne(under, job)) }
            #expect(order == [3, 0, 2, 1])
            let more = try await under.chunks.takeChunk(of: job.lease, digest: "d1", by: Self.taker("w1"))
            #expect(more == nil)
            let records = try await under.chunks.chunks(of: job.id, digest: "d1")
            #expect(records.allSatisfy { $0.state == .done && $0.worker == "w1" && $0.fraction == 1 })
            #expect(records.map(\.uri) == (0..<4).map { "s3://exports/p/out.mp4.chunks/d1/\($0)" })
            #expect(records[3].made == Self.made(40))
        }
    }

    @Test("that are done stay for the next attempt; others are free again", arguments: StoreKind.databases)
    func resuming(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let first = try await Self.running(under)
            _ = try await Self.makeOne(under, first)
            let stale = try #require(
                try await under.chunks.takeChunk(of: first.lease, digest: "d1", by: Self.taker("w1")))
            try await under.chunks.giveUpChunk(
                try #require(try await under.chunks.takeChunk(of: first.lease, digest: "d1", by: Self.taker("w1"))),
                failure: .broken)
            _ = try await under.store.finish(first, .interrupted(.drained))
            let isRenewed = try await under.chunks.renewChunk(stale, fraction: 0.5, seconds: 15)
            #expect(isRenewed == false, "its attempt is over")
            let second = try await under.store.claimOne(worker: "w2")
            let late = try await under.chunks.offerChunks(Self.offer(), for: first.lease)
            #expect(late == false)
            let isOffered = try await under.chunks.offerChunks(Self.offer(), for: second.lease)
            #expect(isOffered)
            #expect(try await Self.shown(under, second) == ["0 free - 0", "1 free - 0", "2 free - 0", "3 done w1 1"])
            let isDone = try await under.chunks.finishChunk(stale, Self.made(30), uri: "s3://exports/stale")
            #expect(isDone == false)
            let again = try await under.chunks.offerChunks(Self.offer(), for: second.lease)
            #expect(again)
            #expect(try await Self.shown(under, second).filter { $0.contains("free") }.count == 3)
        }
    }

    @Test("of another division replace those before, which are left", arguments: StoreKind.databases)
    func redivided(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let job = try await Self.running(under)
            let done = try await Self.makeOne(under, job)
            let held = try #require(
                try await under.chunks.takeChunk(of: job.lease, digest: "d1", by: Self.taker("w1")))
            let isOffered = try await under.chunks.offerChunks(Self.offer("d2", frames: [9, 9]), for: job.lease)
            #expect(isOffered)
            let isRenewed = try await under.chunks.renewChunk(held, fraction: 0.1, seconds: 15)
            #expect(isRenewed == false)
            let left = try await under.chunks.leftChunks(limit: 9)
            #expect(left.map(\.number) == [0, 1, 2, 3] && left.allSatisfy { $0.digest == "d1" })
            #expect(left[done].folder == "s3://exports/p/out.mp4.chunks/d1")
            let help = try #require(
                try await under.chunks.takeAnyChunk(by: Self.taker("w2"), memoryBytes: 1 << 40))
            #expect(help.digest == "d2")
            try await under.chunks.forgetChunks(left)
            #expect(try await under.number("SELECT count(*) FROM chunks") == 2)
            #expect(try await under.number("SELECT count(*) FROM chunk_sets") == 1)
        }
    }

    @Test("of others are taken while their job runs, untried, and fits", arguments: StoreKind.databases)
    func help(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let board = under.chunks
            let none = try await board.takeAnyChunk(by: Self.taker("w2"), memoryBytes: 1 << 40)
            #expect(none == nil)
            _ = try await under.store.add(.new { ($0.memoryBytes, $0.maxAttempts) = (1000, 9) })
            let job = try await under.store.claimOne()
            #expect(try await board.offerChunks(Self.offer(), for: job.lease))
            let small = try await board.takeAnyChunk(by: Self.taker("w2"), memoryBytes: 999)
            #expect(small == nil)
            let claim = try #require(try await board.takeAnyChunk(by: Self.taker("w2"), memoryBytes: 1000))
            #expect(claim.number == 3 && claim.lease == job.lease && claim.job.payload == job.payload)
            #expect(claim.offer == Self.offer() && claim.tries == 1)
            let isRenewed = try await board.renewChunk(claim, fraction: 0.25, seconds: 15)
            #expect(isRenewed)
            #expect(try await board.chunks(of: job.id, digest: "d1")[3].fraction == 0.25)
            try await board.giveUpChunk(claim, failure: .away)
            let next = try #require(try await board.takeAnyChunk(by: Self.taker("w2"), memoryBytes: 1000))
            #expect(next.number == 0, "what failed is the job's own worker's")
            try await board.giveUpChunk(next, failure: nil)
            let same = try #require(try await board.takeAnyChunk(by: Self.taker("w3"), memoryBytes: 1000))
            #expect(same.number == 0 && same.tries == 1 && same.turn > next.turn)
            let own = try #require(try await board.takeChunk(of: job.lease, digest: "d1", by: Self.taker("w1")))
            #expect(own.number == 3 && own.tries == 2 && own.failure == .away)
            #expect(try await under.store.cancel(job.id) == .requested(worker: "w1"))
            let isWanted = try await board.renewChunk(same, fraction: 0.5, seconds: 15)
            #expect(isWanted == false)
            let cancelled = try await board.takeAnyChunk(by: Self.taker("w4"), memoryBytes: 1000)
            #expect(cancelled == nil)
        }
    }

    @Test("whose holder is silent are the job's own again; nobody else's", arguments: StoreKind.databases)
    func silence(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let job = try await Self.running(under, frames: [10, 10])
            let lost = try #require(
                try await under.chunks.takeAnyChunk(by: Self.taker("w2", seconds: 5), memoryBytes: 1 << 40))
            #expect(try await Self.makeOne(under, job) == 1)
            let none = try await under.chunks.takeChunk(of: job.lease, digest: "d1", by: Self.taker("w1"))
            #expect(none == nil, "it is being made")
            try await under.advance(seconds: 6)
            let others = try await under.chunks.takeAnyChunk(by: Self.taker("w3"), memoryBytes: 1 << 40)
            #expect(others == nil)
            let own = try #require(
                try await under.chunks.takeChunk(of: job.lease, digest: "d1", by: Self.taker("w1")))
            #expect(own.number == 0 && own.turn == lost.turn + 1)
            let isDone = try await under.chunks.finishChunk(lost, Self.made(10), uri: "s3://exports/late")
            #expect(isDone == false)
            try await under.chunks.giveUpChunk(lost, failure: .broken)
            #expect(try await Self.shown(under, job) == ["0 taken w1 2", "1 done w1 1"])
        }
    }

    @Test("that are done are no uploads of their attempt any more", arguments: StoreKind.databases)
    func uploads(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let job = try await Self.running(under)
            let claim = try #require(
                try await under.chunks.takeAnyChunk(by: Self.taker("w2"), memoryBytes: 1 << 40))
            let uri = "\(claim.offer.folder)/\(claim.number)"
            for place in [uri, "s3://exports/p/out.mp4"] {
                #expect(try await under.store.beginUpload(place, for: claim.lease))
                #expect(try await under.store.nameUpload(place, "u", for: claim.lease))
            }
            let isDone = try await under.chunks.finishChunk(claim, Self.made(40), uri: uri)
            #expect(isDone)
            #expect(try await under.store.uploads(of: job.id).map(\.uri) == ["s3://exports/p/out.mp4"])
        }
    }

    @Test("are left however their job ends, once nobody holds them", arguments: StoreKind.databases)
    func endings(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let endings: [AttemptEnding.Outcome] = [
                .succeeded("{}"), .failed(.broken), .dead(.broken), .cancelled(.stopped),
            ]
            for ending in endings {
                let job = try await Self.running(under)
                _ = try await Self.makeOne(under, job)
                #expect(try await under.chunks.leftChunks(limit: 9).isEmpty)
                _ = try #require(
                    try await under.chunks.takeAnyChunk(by: Self.taker("w2", seconds: 5), memoryBytes: 1 << 40))
                if case .cancelled = ending { _ = try await under.store.cancel(job.id) }
                _ = try await under.store.finish(job, ending)
                let left = try await under.chunks.leftChunks(limit: 9)
                #expect(left.count == 3, "one is held")
                try await under.chunks.forgetChunks(left)
                try await under.advance(seconds: 6)
                let last = try await under.chunks.leftChunks(limit: 9)
                #expect(last.count == 1)
                try await under.chunks.forgetChunks(last)
                #expect(try await under.number("SELECT count(*) FROM chunks") == 0)
                #expect(try await under.number("SELECT count(*) FROM chunk_sets") == 0)
            }
        }
    }

    @Test("of a job that is pruned are left all the same", arguments: StoreKind.databases)
    func pruned(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let job = try await Self.running(under)
            _ = try await Self.makeOne(under, job)
            _ = try await under.store.finish(job, .failed(.broken))
            try await under.advance(seconds: 100)
            _ = try await under.store.prune(finishedBefore: PruneAge(succeededSeconds: 1, otherSeconds: 1), limit: 9)
            #expect(try await under.store.job(job.id) == nil)
            #expect(try await under.chunks.leftChunks(limit: 3).count == 3)
        }
    }

    @Test("that are gone from the store are encoded anew", arguments: StoreKind.databases)
    func reopened(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let job = try await Self.running(under, frames: [5, 5])
            for _ in 0..<2 { _ = try await Self.makeOne(under, job) }
            try await under.chunks.reopenChunks(of: job.lease, digest: "d1", numbers: [1])
            #expect(try await Self.shown(under, job) == ["0 done w1 1", "1 free - 0"])
            #expect(try await Self.makeOne(under, job) == 1)
        }
    }

    @Test("are given to one taker each, however many ask at once", arguments: StoreKind.databases)
    func together(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let job = try await Self.running(under, frames: Array(repeating: 10, count: 20))
            let numbers = try await withThrowingTaskGroup(of: [Int].self) { group in
                for index in 0..<3 {
                    group.addTask {
                        var taken: [Int] = []
                        for _ in 0..<4 {
                            let taker = Self.taker("w\(index)")
                            let own = try await under.chunks.takeChunk(of: job.lease, digest: "d1", by: taker)
                            let other = try await under.chunks.takeAnyChunk(by: taker, memoryBytes: 1 << 40)
                            for claim in [own, other].compactMap(\.self) { taken.append(claim.number) }
                        }
                        return taken
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Set(numbers).count == numbers.count)
            let states = try await under.chunks.chunks(of: job.id, digest: "d1").map(\.state)
            #expect(states.filter { $0 == .taken }.count == numbers.count)
        }
    }
}
