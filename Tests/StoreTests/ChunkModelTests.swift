import Foundation
import Model
import SQLStore
import TestSupport
import Testing
import WorkerCore

/// Anything at all, one after the other, beside a model small enough to be seen to be right.
@Suite("Random operations on chunks")
struct ChunkModelTests {
    private static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["REELPOOL_SEED"].flatMap(UInt64.init) { return [seed] }
        return (0..<3).map { _ in .random(in: 1...1_000_000) }
    }()

    /// What the board should say.
    private struct Expected {
        struct Chunk: Equatable {
            var state = ChunkRecord.State.free
            var worker: String?
            var turn: Int64 = 0
            var tries = 0
            /// Seconds of the test's own clock: in hundreds, beside which what really passes is nothing.
            var until = 0.0
        }

        var job: JobRecord
        var chunks: [Chunk]
        var isRunning = true
        var isCancelled = false
    }

    private final class Run {
        let under: StoreUnderTest
        var random: SeededGenerator
        var expected: Expected
        /// Claims that were given out, some of them lost by now.
        var claims: [ChunkClaim] = []
        var clock = 0.0

        init(_ under: StoreUnderTest, _ random: SeededGenerator, _ expected: Expected) {
            (self.under, self.random, self.expected) = (under, random, expected)
        }

        private var frames: [Int] { [50, 40, 30, 20, 10] }
        private var offer: ChunkOffer { ChunkBoardTests.offer(frames: frames) }

        func step() async throws {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30: try await take()
            case 30..<50: try await finish()
            case 50..<62: try await giveUp()
            case 62..<80: try await renew()
            case 80..<88: try await pass()
            case 88..<92: try await cancel()
            case 92..<97: try await interrupt()
            default: try await reopen()
            }
            let found = try await under.chunks.chunks(of: expected.job.id, digest: "d1")
            #expect(found.map(\.state) == expected.chunks.map(\.state))
            #expect(found.map(\.tries) == expected.chunks.map(\.tries))
            #expect(found.map(\.worker) == expected.chunks.map(\.worker))
        }

        private func take() async throws {
            let isOwn = Bool.random(using: &random)
            let taker = ChunkBoardTests.taker(isOwn ? "w1" : "w2", seconds: 1000)
            let free = expected.chunks.indices.first { index in
                let chunk = expected.chunks[index]
                guard isOwn else { return chunk.state == .free && chunk.tries == 0 }
                return chunk.state == .free || chunk.state == .taken && chunk.until <= clock
            }
            let mayTake = expected.isRunning && (isOwn || !expected.isCancelled)
            let claim =
                try await isOwn
                ? under.chunks.takeChunk(of: expected.job.lease, digest: "d1", by: taker)
                : under.chunks.takeAnyChunk(by: taker, memoryBytes: 1 << 40)
            // Chunks are in the order of their lengths: the first that can be had is the one.
            #expect(claim?.number == (mayTake ? free : nil))
            guard let claim else { return }
            claims.append(claim)
            expected.chunks[claim.number].state = .taken
            expected.chunks[claim.number].worker = taker.worker
            expected.chunks[claim.number].turn += 1
            expected.chunks[claim.number].tries += 1
            expected.chunks[claim.number].until = clock + 1000
            #expect(claim.turn == expected.chunks[claim.number].turn)
            #expect(claim.tries == expected.chunks[claim.number].tries)
        }

        private func isHeld(_ claim: ChunkClaim) -> Bool {
            let chunk = expected.chunks[claim.number]
            return chunk.state == .taken && chunk.turn == claim.turn
        }

        private func isCurrent(_ claim: ChunkClaim) -> Bool {
            isHeld(claim) && expected.isRunning && claim.job.epoch == expected.job.epoch
        }

        private func finish() async throws {
            guard let claim = claims.randomElement(using: &random) else { return }
            let isDone = try await under.chunks.finishChunk(
                claim, ChunkBoardTests.made(claim.frames), uri: "s3://exports/\(claim.number)")
            #expect(isDone == isCurrent(claim))
            if isDone { expected.chunks[claim.number].state = .done }
        }

        private func giveUp() async throws {
            guard let claim = claims.randomElement(using: &random) else { return }
            let isFailed = Bool.random(using: &random)
            let wasHeld = isHeld(claim)
            try await under.chunks.giveUpChunk(claim, failure: isFailed ? .away : nil)
            guard wasHeld else { return }
            expected.chunks[claim.number].state = .free
            expected.chunks[claim.number].worker = nil
            if !isFailed { expected.chunks[claim.number].tries -= 1 }
        }

        private func renew() async throws {
            guard let claim = claims.randomElement(using: &random) else { return }
            let isGood = try await under.chunks.renewChunk(claim, fraction: 0.5, seconds: 1000)
            #expect(isGood == (isCurrent(claim) && !expected.isCancelled))
            if isGood { expected.chunks[claim.number].until = clock + 1000 }
        }

        /// The lease of the job outlasts it.
        private func pass() async throws {
            let seconds = 100 * Double(Int.random(in: 1...8, using: &random))
            try await under.advance(seconds: seconds)
            clock += seconds
            guard expected.isRunning else { return }
            _ = try await under.store.renew([expected.job.lease], worker: "w1", seconds: 1e6)
        }

        private func cancel() async throws {
            guard expected.isRunning, Int.random(in: 0..<4, using: &random) == 0 else { return }
            _ = try await under.store.cancel(expected.job.id)
            expected.isCancelled = true
        }

        /// The attempt is over, and another begins unless the job was to be cancelled.
        private func interrupt() async throws {
            guard expected.isRunning else { return }
            _ = try await under.store.finish(
                expected.job, .retry(.away, afterSeconds: 0, avoidingWorker: false, overflow: nil))
            guard !expected.isCancelled else {
                expected.isRunning = false
                return
            }
            expected.job = try #require(try await under.store.claim(leaseSeconds: 1e6).first)
            let isOffered = try await under.chunks.offerChunks(offer, for: expected.job.lease)
            #expect(isOffered)
            for index in expected.chunks.indices where expected.chunks[index].state != .done {
                let turn = expected.chunks[index].turn
                expected.chunks[index] = Expected.Chunk(turn: turn)
            }
        }

        private func reopen() async throws {
            let number = Int.random(in: 0..<5, using: &random)
            try await under.chunks.reopenChunks(of: expected.job.lease, digest: "d1", numbers: [number])
            guard expected.isRunning, expected.chunks[number].state == .done else { return }
            expected.chunks[number] = Expected.Chunk(turn: expected.chunks[number].turn)
        }

        /// Nothing stays, whatever was done.
        func end() async throws {
            if expected.isRunning { _ = try await under.store.finish(expected.job, .succeeded("{}")) }
            try await under.advance(seconds: 2000)
            let left = try await under.chunks.leftChunks(limit: 100)
            #expect(left.map(\.number) == [0, 1, 2, 3, 4])
            try await under.chunks.forgetChunks(left)
            #expect(try await under.number("SELECT count(*) FROM chunks") == 0)
            #expect(try await under.number("SELECT count(*) FROM chunk_sets") == 0)
        }
    }

    @Test("leave the board as a small model of it", arguments: StoreKind.databases, seeds)
    func random(kind: StoreKind, seed: UInt64) async throws {
        print("seed \(seed)")
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.store.add(.new { $0.maxAttempts = 1000 })
            let job = try await under.store.claim(leaseSeconds: 1e6)
            let expected = Expected(
                job: try #require(job.first), chunks: Array(repeating: Expected.Chunk(), count: 5))
            let isOffered = try await under.chunks.offerChunks(
                ChunkBoardTests.offer(frames: [50, 40, 30, 20, 10]), for: expected.job.lease)
            #expect(isOffered)
            let run = Run(under, SeededGenerator(seed: seed), expected)
            for _ in 0..<150 { try await run.step() }
            try await run.end()
        }
    }
}
