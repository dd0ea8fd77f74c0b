import Model
import ObjectsS3
import PoolTestSupport
import S3
import SQLStore
import Testing
import WorkerCore

/// What a divided render keeps in a store until it has ended.
@Suite("Chunks in a store", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct KeptObjectTests {
    private static let bytes = randomBytes(9 * mebibyte, seed: 31)
    private static let bounds = OutputBounds(limitBytes: 1 << 30)
    private static let taker = ChunkTaker(worker: "w", instance: "1", seconds: 600)

    /// Puts two chunks on the board.
    private static func offer(_ folder: String, _ lease: Lease, _ bench: Bench) async throws {
        let division = ChunkDivision(digest: "d", plan: "{}", frames: [20, 10], seconds: 1)
        let isOffered = try await bench.ledger.offerChunks(
            ChunkOffer(division: division, folder: folder, threads: 1, secondsPerChunk: 30), for: lease)
        #expect(isOffered)
    }

    /// Writes the next chunk and gives it its name.
    private static func keep(_ lease: Lease, _ bench: Bench) async throws -> (claim: ChunkClaim, uri: String) {
        let claim = try #require(try await bench.ledger.takeChunk(of: lease, digest: "d", by: taker))
        let uri = try await blocking {
            let object = try bench.objects.stage(
                claim.offer.folder, name: "\(claim.number)", bounds: bounds, for: claim.lease)
            try object.append(bytes)
            try bench.objects.keep(object, for: claim.lease)
            return object.uri
        }
        return (claim, uri)
    }

    @Test("stay for the next attempt once the board has them, and only then", arguments: ObjectStore.allCases)
    func nextAttempt(store: ObjectStore) async throws {
        try await Bench.with(store) { bench in
            let output = try store.place("out.mp4")
            let folder = "\(output.uri).chunks/job/d"
            let first = try await bench.claimed()
            try await Self.offer(folder, first, bench)
            let done = try await Self.keep(first, bench)
            let isDone = try await bench.ledger.finishChunk(
                done.claim, ChunkMade(frames: 20, sizeBytes: Int64(Self.bytes.count)), uri: done.uri)
            #expect(isDone)
            #expect(done.uri == "\(folder)/0")
            // Killed before it could say so.
            let lost = try await Self.keep(first, bench)
            try await bench.end(first, Bench.drained)
            let second = try await bench.claim(first.job)
            try await blocking { try bench.objects.fence(second, outputs: [output.uri]) }
            let read = try await blocking {
                try bench.objects.openKept(done.uri, owner: "ann").bytes(Self.bytes.count, at: 0)
            }
            #expect(isSame(read, Self.bytes))
            let absence = try await blocking { () throws -> FailureCode? in
                do {
                    _ = try bench.objects.openKept(lost.uri, owner: "ann")
                    return nil
                } catch {
                    return Failure(error).code
                }
            }
            #expect(absence == .fileNotFound, "which is how it is known to be missing")
            #expect(try await bench.ledger.uploads(of: first.job).isEmpty)
            // The other can be made by the attempt that runs, at the same place.
            try await Self.offer(folder, second, bench)
            let again = try await Self.keep(second, bench)
            #expect(again.uri == lost.uri)
            for name in ["0", "1", "1"] { try await blocking { try bench.objects.removeKept(folder, name: name) } }
            for uri in [done.uri, again.uri] {
                let place = try #require(S3Place(uri: uri))
                #expect(try await blocking { try !bench.client.isThere(place) })
            }
            #expect(bench.reports.all.isEmpty)
        }
    }

    @Test("are read and written where the owner may write", arguments: [ObjectStore.seaweedfs])
    func rules(store: ObjectStore) async throws {
        try await Bench.with(store) { bench in
            await #expect(throws: ObjectRules.refusal("s3://elsewhere/out.mp4.chunks/job/d/0")) {
                try await blocking {
                    _ = try bench.objects.openKept("s3://elsewhere/out.mp4.chunks/job/d/0", owner: "ann")
                }
            }
        }
    }
}
