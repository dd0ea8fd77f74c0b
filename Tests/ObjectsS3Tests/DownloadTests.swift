import Downloads
import Model
import PoolTestSupport
import S3
import SQLStore
import TestSupport
import Testing
import WorkerCore

@Suite("A download into a store", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct DownloadIntoStoreTests {
    @Test("that is cancelled while the store hangs is left at once, and leaves nothing")
    func cancelled() async throws {
        let server = try await blocking { try HTTPTestServer.start() }
        let proxy = try await blocking { try FaultProxy(.seaweedfs) }
        try await Bench.with(.seaweedfs) { bench in
            let slow = try Bench(.seaweedfs, bench.ledger, through: proxy.url)
            let place = try bench.store.place("out.mp4")
            let lease = try await bench.claimed()
            var job = try #require(try await bench.ledger.job(lease.job))
            let payload: JSONValue = [
                "source": .string(server.url("/endless?file=\(Fixture.media("talk.mp4"))")),
                "output": .string(place.uri),
            ]
            (job.kind, job.payload) = (.download, payload.text)
            let caps = EffectiveCaps(
                memoryBytes: 1 << 27, threads: 1, wallSeconds: 600, stallSeconds: 60, outputBytes: 1 << 30,
                sourceSeconds: 5400, sourceBytes: 1 << 30)
            let attempt = Attempt(job: job, caps: caps, startedAt: 0)
            let executor = DownloadExecutor(
                objects: slow.objects, addresses: AddressGuard(allowing: ["127.0.0.1"]), userAgent: "test",
                now: Bench.now)
            // It begins, and as many parts leave as may at a time.
            try await blocking { try proxy.next(["pass", "silent", "silent", "silent"]) }
            async let result = executor.run(attempt) { _ in }
            try await eventually("parts hang") { try await blocking { try proxy.seen.count } == 4 }
            let begin = ContinuousClock.now
            attempt.stop.stop(.cancelled)
            guard case .failed(let failure) = await result else {
                Issue.record("it ended otherwise")
                return
            }
            let seconds = (ContinuousClock.now - begin) / .seconds(1)
            print("a download into a store that hung was left after \(seconds) s")
            #expect(failure == StopReason.cancelled.failure)
            #expect(seconds < 10)
            try await eventually("nothing is left") {
                try await blocking { try bench.client.uploadNames(place) }.isEmpty
            }
        }
    }
}
