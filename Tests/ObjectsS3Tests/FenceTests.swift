import HTTPTransfer
import Model
import ObjectsS3
import PoolTestSupport
import S3
import SQLStore
import Synchronization
import TestSupport
import Testing
import WorkerCore

/// The real ledger, with something to happen between its answer and who asked.
struct WatchedLedger: UploadLedger {
    enum Step: String, Sendable, CaseIterable { case begin, name, seal, uploads, left, forget }

    let ledger: SQLJobStore
    /// Called before each transaction and after it; may throw instead.
    let watch: @Sendable (_ step: Step, _ isDone: Bool) async throws(StoreError) -> Void

    func beginUpload(_ uri: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await watch(.begin, false)
        let answer = try await ledger.beginUpload(uri, for: lease)
        try await watch(.begin, true)
        return answer
    }

    func nameUpload(_ uri: String, _ uploadID: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await watch(.name, false)
        let answer = try await ledger.nameUpload(uri, uploadID, for: lease)
        try await watch(.name, true)
        return answer
    }

    func sealUpload(_ uri: String, etag: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await watch(.seal, false)
        let answer = try await ledger.sealUpload(uri, etag: etag, for: lease)
        try await watch(.seal, true)
        return answer
    }

    func uploads(of job: JobID) async throws(StoreError) -> [UploadRecord] {
        try await watch(.uploads, false)
        let answer = try await ledger.uploads(of: job)
        try await watch(.uploads, true)
        return answer
    }

    func leftUploads(limit: Int) async throws(StoreError) -> [UploadRecord] {
        try await watch(.left, false)
        let answer = try await ledger.leftUploads(limit: limit)
        try await watch(.left, true)
        return answer
    }

    func forgetUploads(_ lease: Lease, uris: [String]) async throws(StoreError) {
        try await watch(.forget, false)
        try await ledger.forgetUploads(lease, uris: uris)
        try await watch(.forget, true)
    }
}

@Suite("An attempt that has lost its job", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct FenceTests {
    private static let bounds = OutputBounds(headBytes: 1000, limitBytes: 1 << 30)
    private static let bytes = randomBytes(9 * mebibyte, seed: 21)
    private static let others = randomBytes(9 * mebibyte, seed: 22)

    /// The next attempt of the job, as far as its outputs.
    private static func follow(_ lease: Lease, _ bench: Bench, _ place: S3Place) async throws -> Lease {
        try await bench.end(lease, Bench.drained)
        let next = try await bench.claim(lease.job)
        try await blocking { try bench.objects.fence(next, outputs: [place.uri]) }
        return next
    }

    private static func succeed(
        _ lease: Lease, _ bench: Bench, _ place: S3Place, _ bytes: [UInt8]
    ) async throws {
        try await blocking {
            let output = try bench.objects.stage(place.uri, name: nil, bounds: bounds, for: lease)
            try output.append(bytes)
            try bench.objects.commit([output], for: lease)
        }
        try await bench.end(lease, .succeeded("{}"))
    }

    @Test("cannot begin, and cannot finish what it has begun", arguments: ObjectStore.allCases)
    func stale(store: ObjectStore) async throws {
        try await Bench.with(store) { bench in
            let place = try store.place("out.mp4")
            let first = try await bench.claimed()
            let output = try await blocking { () throws -> Kept in
                let output = try bench.objects.stage(place.uri, name: nil, bounds: Self.bounds, for: first)
                try output.append(Self.bytes)
                return Kept(output)
            }
            let second = try await Self.follow(first, bench, place)
            #expect(try await blocking { try bench.client.uploadNames(place) } == [])
            await #expect(throws: Failure.self) {
                try await blocking { try bench.objects.commit([output.value], for: first) }
            }
            await #expect(throws: StopReason.leaseLost.failure) {
                try await blocking {
                    _ = try bench.objects.stage(place.uri, name: nil, bounds: Self.bounds, for: first)
                }
            }
            // When the next one writes, this one does not even clear up before it.
            let writing = try await blocking { () throws -> Kept in
                Kept(try bench.objects.stage(place.uri, name: nil, bounds: Self.bounds, for: second))
            }
            await #expect(throws: StopReason.leaseLost.failure) {
                try await blocking { try bench.objects.fence(first, outputs: [place.uri]) }
            }
            #expect(try await blocking { try bench.client.uploadNames(place).count } == 1)
            withExtendedLifetime(writing) {}
            #expect(try await blocking { try !bench.client.isThere(place) })
            try await Self.succeed(second, bench, place, Self.others)
            #expect(isSame(try await blocking { try bench.client.wholeObject(place) }, Self.others))
            #expect(try await blocking { try bench.client.uploadNames(place) } == [])
        }
    }

    /// An output that is handed from thread to thread.
    ///
    /// SAFETY: used by one at a time, each after the other.
    private final class Kept: @unchecked Sendable {
        let value: any StagedObject
        init(_ value: any StagedObject) { self.value = value }
    }

    @Test(
        "between its last word and the store's cannot replace what came after it, nor come back",
        arguments: ObjectStore.allCases, [true, false])
    func paused(store: ObjectStore, repeats: Bool) async throws {
        try await Bench.with(store) { bench in
            let place = try store.place("out.mp4")
            let first = try await bench.claimed()
            let isDone = Mutex(false)
            // When its ETag is on record it stands still, and another attempt does everything meanwhile.
            let ledger = WatchedLedger(ledger: bench.ledger) { (step, isAfter) async throws(StoreError) in
                guard step == .seal, isAfter,
                    !isDone.withLock({ value in
                        defer { value = true }; return value
                    })
                else {
                    return
                }
                do {
                    let second = try await Self.follow(first, bench, place)
                    try await Self.succeed(second, bench, place, repeats ? Self.bytes : Self.others)
                } catch {
                    throw StoreError("\(error)")
                }
            }
            let stalled = try Bench(store, bench.ledger, over: ledger)
            _ = try? await blocking {
                let output = try stalled.objects.stage(place.uri, name: nil, bounds: Self.bounds, for: first)
                try output.append(Self.bytes)
                try stalled.objects.commit([output], for: first)
            }
            #expect(isDone.withLock { $0 })
            try await bench.sweep()
            let expected = repeats ? Self.bytes : Self.others
            #expect(isSame(try await blocking { try bench.client.wholeObject(place) }, expected))
            #expect(try await blocking { try bench.client.uploadNames(place) } == [])
            #expect(try await bench.ledger.job(first.job)?.state == .succeeded)
        }
    }

    @Test("after its output was there leaves nothing, and what is another's stays", arguments: ObjectStore.allCases)
    func completed(store: ObjectStore) async throws {
        try await Bench.with(store) { bench in
            let (place, other) = (try store.place("out.mp4"), try store.place("other.mp4"))
            let lease = try await bench.claimed()
            try await blocking {
                let outputs = try [place, other].map {
                    try bench.objects.stage($0.uri, name: nil, bounds: Self.bounds, for: lease)
                }
                for output in outputs { try output.append(Self.bytes) }
                try bench.objects.commit(outputs, for: lease)
                // Somebody else puts something of his own there.
                _ = try bench.client.put(other, [1, 2, 3], stop: TransferStop())
            }
            try await bench.end(lease, Bench.failed)
            try await bench.sweep()
            #expect(try await blocking { try !bench.client.isThere(place) })
            #expect(try await blocking { try bench.client.wholeObject(other) } == [1, 2, 3])
            #expect(try await bench.ledger.uploads(of: lease.job) == [])
        }
    }

    @Test("has what it left cleared up also when its job is on record no more")
    func forgotten() async throws {
        try await Bench.with(.seaweedfs) { bench in
            let place = try bench.store.place("out.mp4")
            let lease = try await bench.claimed()
            try await blocking {
                let output = try bench.objects.stage(place.uri, name: nil, bounds: Self.bounds, for: lease)
                try output.append(Self.bytes)
                try bench.objects.commit([output], for: lease)
            }
            try await bench.end(lease, Bench.failed)
            let age = PruneAge(succeededSeconds: 0, otherSeconds: 0)
            try await eventually("the job is pruned") {
                _ = try await bench.ledger.prune(finishedBefore: age, limit: 10)
                return try await bench.ledger.job(lease.job) == nil
            }
            try await bench.sweep()
            #expect(try await blocking { try !bench.client.isThere(place) })
            #expect(try await bench.ledger.leftUploads(limit: 9) == [])
        }
    }
}
