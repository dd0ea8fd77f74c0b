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
    private static let bytes = randomBytes(9 * mebibyte, seed: 31)

    /// Counts the words of one worker to its ledger, and ends it at one of them.
    private actor Fate {
        private var count = 0
        private var isDead = false
        private let mortal: Int
        private let proxy: FaultProxy

        init(at mortal: Int, _ proxy: FaultProxy) { (self.mortal, self.proxy) = (mortal, proxy) }

        func step() async throws(StoreError) {
            defer { count += 1 }
            if count == mortal, !isDead {
                isDead = true
                // The store hears nothing any more, either.
                let proxy = proxy
                try? await blocking { try proxy.next(Array(repeating: "before", count: 1000)) }
            }
            if isDead { throw StoreError("the worker is dead") }
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
        if hasSuccessor {
            #expect(isSame(try await blocking { try bench.client.wholeObject(place) }, bytes), "\(what)")
        }
        #expect(try await bench.ledger.uploads(of: lease.job) == [], "\(what)")
    }

    @Test(
        "at a word to its ledger leaves nothing", arguments: ObjectStore.allCases, [true, false])
    func atLedger(store: ObjectStore, hasSuccessor: Bool) async throws {
        try await Bench.with(store) { bench in
            var (step, isOver) = (0, false)
            let process = try await blocking { try FaultProxy(store) }
            while !isOver {
                let proxy = try await blocking { try process.way() }
                let fate = Fate(at: step, proxy)
                let ledger = WatchedLedger(ledger: bench.ledger) { (_, _) async throws(StoreError) in
                    try await fate.step()
                }
                var settings = S3ClientSettings()
                settings.tries = 1
                let mortal = try Bench(store, bench.ledger, through: proxy.url, over: ledger, settings: settings)
                let place = try store.place("out.mp4")
                let lease = try await bench.claimed()
                isOver = await Self.work(mortal, place, lease)
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
        arguments: ObjectStore.allCases, ["before", "after"])
    func atStore(store: ObjectStore, fault: String) async throws {
        for hasSuccessor in [true, false] { try await Self.dieAtStore(store, fault, hasSuccessor) }
    }

    private static func dieAtStore(_ store: ObjectStore, _ fault: String, _ hasSuccessor: Bool) async throws {
        try await Bench.with(store) { bench in
            var (step, isOver) = (0, false)
            let process = try await blocking { try FaultProxy(store) }
            while !isOver {
                let proxy = try await blocking { try process.way() }
                let dying = step
                let faults = Array(repeating: "pass", count: step) + [fault] + Array(repeating: "before", count: 1000)
                // The ledger hears nothing any more, either.
                let ledger = WatchedLedger(ledger: bench.ledger) { (_, _) async throws(StoreError) in
                    let count = (try? await blocking { try proxy.seen.count }) ?? 0
                    if count > dying { throw StoreError("the worker is dead") }
                }
                var settings = S3ClientSettings()
                settings.tries = 1
                let mortal = try Bench(store, bench.ledger, through: proxy.url, over: ledger, settings: settings)
                let place = try store.place("out.mp4")
                let lease = try await bench.claimed()
                try await blocking { try proxy.next(faults) }
                isOver = await Self.work(mortal, place, lease)
                try await Self.aftermath(
                    bench, place, lease, hasSuccessor: hasSuccessor, "\(fault) request \(step)")
                step += 1
                #expect(step < 30)
                if step >= 30 { break }
            }
            print("died at each of \(step - 1) requests")
            #expect(step > 4)
        }
    }
}
