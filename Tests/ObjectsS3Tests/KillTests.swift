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

/// A worker's death, at any moment of an output's way, as its ledger and its store see it: no further word.
@Suite("A worker that dies", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct KillTests {
    private static let bounds = OutputBounds(headBytes: 1000, limitBytes: 1 << 30)
    private static let bytes = randomBytes(17 * mebibyte, seed: 31)

    /// Counts the words of one worker to its ledger, and ends it at one of them.
    private final class Fate: Sendable {
        private let state = Mutex((count: 0, isDead: false))
        let mortal: Int?
        let dies: @Sendable () throws -> Void

        init(at mortal: Int?, dies: @escaping @Sendable () throws -> Void) { (self.mortal, self.dies) = (mortal, dies) }

        var count: Int { state.withLock { $0.count } }

        func step() throws(StoreError) {
            let dying = state.withLock { state in
                defer { state.count += 1 }
                if state.isDead { return false }
                state.isDead = state.count == mortal
                return state.isDead
            }
            if dying { try? dies() }
            if state.withLock({ $0.isDead }) { throw StoreError("the worker is dead") }
        }
    }

    /// Everything that an attempt does with an output.
    ///
    /// - Returns: whether it came to its end.
    private static func work(_ bench: Bench, _ place: S3Place, _ lease: Lease) async -> Bool {
        do {
            try await blocking {
                try bench.objects.fence(lease, outputs: [place.uri])
                let output = try bench.objects.stage(place.uri, name: nil, bounds: bounds, for: lease)
                try output.append(bytes)
                try bench.objects.commit([output], for: lease)
            }
            return true
        } catch {
            return false
        }
    }

    /// What comes after: another attempt that succeeds, or none.
    private static func aftermath(
        _ bench: Bench, _ place: S3Place, _ lease: Lease, hasSuccessor: Bool, _ what: String
    ) async throws {
        // An hour later, for what an unanswered request may still have begun.
        let later = try Bench(bench.store, bench.ledger, now: { Bench.now() + 3_600_000 })
        if hasSuccessor {
            try await bench.end(lease, Bench.drained)
            let next = try await bench.claim(lease.job)
            #expect(await work(bench, place, next), "\(what)")
            try await bench.end(next, .succeeded("{}"))
        } else {
            try await bench.end(lease, Bench.failed)
        }
        try await bench.sweep(later.objects)
        #expect(try await blocking { try bench.client.uploadNames(place) } == [], "\(what)")
        #expect(try await blocking { try bench.client.isThere(place) } == hasSuccessor, "\(what)")
        if hasSuccessor { #expect(try await blocking { try bench.client.wholeObject(place) } == bytes, "\(what)") }
        #expect(try await bench.ledger.uploads(of: lease.job) == [], "\(what)")
    }

    @Test(
        "at a word to its ledger leaves nothing", arguments: ObjectStore.allCases, [true, false])
    func atLedger(store: ObjectStore, hasSuccessor: Bool) async throws {
        try await Bench.with(store) { bench in
            let proxy = try await blocking { try FaultProxy(store) }
            var (step, isOver) = (0, false)
            while !isOver {
                let fate = Fate(at: step) { try proxy.next(Array(repeating: "before", count: 1000)) }
                let ledger = WatchedLedger(ledger: bench.ledger) { (_, _) async throws(StoreError) in try fate.step() }
                var settings = S3ClientSettings()
                settings.tries = 1
                let mortal = try Bench(store, bench.ledger, through: proxy.url, over: ledger, settings: settings)
                try await blocking { try proxy.next([]) }
                let place = try store.place("out.mp4")
                let lease = try await bench.claimed()
                isOver = await Self.work(mortal, place, lease)
                // What is let go of goes on dying for a moment.
                try await Self.aftermath(
                    bench, place, lease, hasSuccessor: hasSuccessor, "step \(step)")
                step += 1
                #expect(step < 40)
                if step >= 40 { break }
            }
            print("died at each of \(step - 1) words to the ledger")
            #expect(step > 8)
        }
    }

    @Test(
        "at a word to its store leaves nothing, whether or not the store has heard it",
        arguments: ObjectStore.allCases, [("before", true), ("after", true), ("before", false), ("after", false)])
    func atStore(store: ObjectStore, fault: (kind: String, hasSuccessor: Bool)) async throws {
        try await Bench.with(store) { bench in
            let proxy = try await blocking { try FaultProxy(store) }
            var (step, isOver) = (0, false)
            while !isOver {
                let faults =
                    Array(repeating: "pass", count: step) + [fault.kind] + Array(repeating: "before", count: 1000)
                // The ledger hears nothing any more, either.
                let ledger = WatchedLedger(ledger: bench.ledger) { (_, _) async throws(StoreError) in
                    let count = (try? await blocking { try proxy.seen.count }) ?? 0
                    if count > step { throw StoreError("the worker is dead") }
                }
                var settings = S3ClientSettings()
                settings.tries = 1
                let mortal = try Bench(store, bench.ledger, through: proxy.url, over: ledger, settings: settings)
                let place = try store.place("out.mp4")
                let lease = try await bench.claimed()
                try await blocking { try proxy.next(faults) }
                isOver = await Self.work(mortal, place, lease)
                try await Self.aftermath(
                    bench, place, lease, hasSuccessor: fault.hasSuccessor, "\(fault.kind) request \(step)")
                step += 1
                #expect(step < 30)
                if step >= 30 { break }
            }
            print("died at each of \(step - 1) requests")
            #expect(step > 4)
        }
    }
}
