import HTTPTransfer
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing
import WorkerCore

@Suite("A store that fails", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct RetryTests {
    private let stop = TransferStop()

    /// A client of SeaweedFS with a proxy between, and time that passes only in pauses.
    private struct Bench {
        let store = ObjectStore.seaweedfs
        let proxy: FaultProxy
        let time = TestTime()
        let client: S3Client

        init(unit: Double = 0.5, _ change: (inout S3ClientSettings) -> Void = { _ in }) throws {
            proxy = try FaultProxy(store)
            var settings = time.settings(unit: unit)
            change(&settings)
            client = try store.client(url: proxy.url, settings: settings)
        }
    }

    private static let transient = [
        "status:500:InternalError", "status:502:Gateway", "status:503:SlowDown", "status:503:ServiceUnavailable",
        "status:504:Gateway", "status:429:TooManyRequests", "status:408:Timeout", "status:400:RequestTimeout",
        "lost:500:InternalError", "before", "after", "cut",
    ]

    @Test("is asked again for a part of an object", arguments: transient + ["range", "short"])
    func reads(fault: String) async throws {
        try await blocking {
            let bench = try Bench()
            let place = try bench.store.place()
            let bytes = randomBytes(100_000, seed: 10)
            let etag = try bench.store.client().put(place, bytes, stop: stop)
            try bench.proxy.next([fault, fault])
            let read = try bench.client.bytes(place, at: 1000, upTo: 50_000, ifMatch: etag)
            #expect(read.bytes == Array(bytes[1000..<51_000]))
            #expect(try bench.proxy.seen.map(\.fault) == [fault, fault, "pass"])
            #expect(bench.time.pauses == [0.1, 0.2])
        }
    }

    @Test("is told again what an object is, and its parts", arguments: transient + ["flip", "etag"])
    func writes(fault: String) async throws {
        try await blocking {
            let bench = try Bench()
            let (place, other) = (try bench.store.place(), try bench.store.place())
            let bytes = randomBytes(100_000, seed: 11)
            try bench.proxy.next([fault, "pass", fault])
            _ = try bench.client.put(place, bytes, stop: stop)
            let upload = try bench.client.beginUpload(other, stop: stop)
            _ = try bench.client.abortUpload(other, upload, stop: stop)
            #expect(try bench.store.client().bytes(place).bytes == bytes)

            let again = try bench.client.beginUpload(other, stop: stop)
            try bench.proxy.next([fault, fault])
            let part = try bench.client.part(other, again, 1, bytes)
            #expect(try bench.proxy.seen.count == 3)
            _ = try bench.client.completeUpload(other, again, parts: [part], stop: stop)
            #expect(try bench.store.client().bytes(other).bytes == bytes)
        }
    }

    @Test("is asked again for what it knows, and told again to forget", arguments: transient + ["page"])
    func questions(fault: String) async throws {
        // An answer without a body has neither a page nor words, and this status means other things without them.
        let hasBody = ["page", "status:400:RequestTimeout"].contains(fault)
        try await blocking {
            let bench = try Bench()
            let place = try bench.store.place()
            _ = try bench.store.client().put(place, [1], stop: stop)
            try bench.proxy.next([fault])
            #expect(try bench.client.objects(in: place.bucket, prefix: place.key, limit: 9, stop: stop).count == 1)
            #expect(try bench.proxy.seen.count == 2)
            if !hasBody {
                try bench.proxy.next([fault])
                #expect(try bench.client.info(place, stop: stop)?.sizeBytes == 1)
                try bench.proxy.next([fault])
                try bench.client.delete(place, stop: stop)
                #expect(try bench.store.client().info(place, stop: stop) == nil)
            }
        }
    }

    @Test(
        "is not asked again for what it refuses",
        arguments: ["403:AccessDenied", "400:InvalidArgument", "404:NoSuchKey"])
    func refusals(fault: String) async throws {
        try await blocking {
            let bench = try Bench()
            let place = try bench.store.place()
            try bench.proxy.next(["status:" + fault])
            #expect(refused { _ = try bench.client.bytes(place) } != nil)
            #expect(try bench.proxy.seen.count == 1 && bench.time.pauses == [])
        }
    }

    @Test("is left alone for longer each time, as chance and the store say, and in the end for good")
    func backoff() async throws {
        try await blocking {
            let bench = try Bench(unit: 1) { $0.tries = 9 }
            let place = try bench.store.place()
            let busy = "status:503:SlowDown"
            try bench.proxy.next(Array(repeating: busy, count: 20))
            let error = refused { _ = try bench.client.bytes(place) }
            #expect(error?.kind == .slowDown && error?.code == .transferFailed)
            #expect(try bench.proxy.seen.count == 9)
            #expect(bench.time.pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10])
            // The store may ask for more time than chance would give it, within the same bound.
            let told = try Bench(unit: 0)
            try told.proxy.next([busy + ":3", busy, busy + ":86400"])
            _ = try told.client.put(place, [1], stop: stop)
            #expect(told.time.pauses == [3, 0, 10])
        }
    }

    @Test("is given up when time is over, with the last reason")
    func bounded() async throws {
        try await blocking {
            let bench = try Bench(unit: 1) { settings in
                settings.tries = 1000
                settings.totalSeconds = 30
            }
            let place = try bench.store.place()
            try bench.proxy.next(Array(repeating: "status:500:InternalError", count: 100))
            #expect(refused { _ = try bench.client.bytes(place, upTo: 100) }?.kind == .server)
            #expect(bench.time.pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10])
        }
    }

    @Test("that says nothing is given up, and asked again", arguments: ["silent", "stall"])
    func stalls(fault: String) async throws {
        try await blocking {
            // Long enough that a store which has much to do is not taken for one that says nothing.
            let bench = try Bench { $0.stallSeconds = 4 }
            let place = try bench.store.place()
            _ = try bench.store.client().put(place, randomBytes(5000, seed: 12), stop: stop)
            try bench.proxy.next([fault])
            #expect(try bench.client.bytes(place).bytes == randomBytes(5000, seed: 12))
            #expect(try bench.proxy.seen.count == 2)
            // Always so: one reason, of its own kind.
            let hasty = try Bench { settings in (settings.stallSeconds, settings.tries) = (1, 2) }
            try hasty.proxy.next([fault, fault])
            let error = refused { _ = try hasty.client.bytes(place) }
            #expect(error?.kind == .transfer(.stalled) && error?.code == .transferFailed)
        }
    }

    @Test("that always loses bytes has not stored them", arguments: ["flip", "etag"], [false, true])
    func corruption(fault: String, signsBodies: Bool) async throws {
        try await blocking {
            let bench = try Bench { settings in (settings.signsBodies, settings.tries) = (signsBodies, 3) }
            let place = try bench.store.place()
            try bench.proxy.next([fault, fault, fault])
            let error = refused { _ = try bench.client.put(place, randomBytes(1000, seed: 13), stop: stop) }
            #expect(error?.kind == .corrupt && error?.code == .transferFailed)
            #expect(try bench.proxy.seen.count == 3)
        }
    }

    @Test("and did what it was asked after all is believed, also where a condition is in the way")
    func conditions() async throws {
        try await blocking {
            let bench = try Bench()
            let (place, other) = (try bench.store.place(), try bench.store.place())
            try bench.proxy.next(["after"])
            _ = try bench.client.put(place, [1], condition: .ifAbsent, stop: stop)
            #expect(try bench.proxy.seen.map(\.status) == [200, 412, 200])
            // Another's object is not taken for ours.
            _ = try bench.store.client().put(other, [2], stop: stop)
            try bench.proxy.next(["before"])
            let error = refused { _ = try bench.client.put(other, [1], condition: .ifAbsent, stop: stop) }
            #expect(error?.kind == .preconditionFailed)
        }
    }

    @Test(
        "does not hold up who is told to stop, whatever is waited for",
        arguments: ["status:503:SlowDown", "silent", "stall"])
    func stops(fault: String) async throws {
        let proxy = try await blocking { try FaultProxy(.seaweedfs) }
        var settings = S3ClientSettings()
        settings.backoff.baseSeconds = 3600
        settings.backoff.capSeconds = 3600
        settings.totalSeconds = 1_000_000
        settings.clock.unit = { 0.99 }
        let client = try ObjectStore.seaweedfs.client(url: proxy.url, settings: settings)
        let place = try await blocking { try ObjectStore.seaweedfs.place() }
        try await blocking {
            _ = try ObjectStore.seaweedfs.client().put(place, randomBytes(5000, seed: 14), stop: TransferStop())
            try proxy.next([fault])
        }
        let stop = TransferStop()
        async let error = blocking { refused { _ = try client.bytes(place, stop: stop) } }
        try await eventually("the request comes") { try await blocking { try proxy.seen.count == 1 } }
        let start = ContinuousClock.now
        stop.raise()
        let kind = try await error?.kind
        #expect(kind == .cancelled)
        // Within a second where nothing else is to be done; an hour otherwise.
        #expect(ContinuousClock.now - start < .seconds(30))
        let count = try await blocking { try proxy.seen.count }
        #expect(count == 1)
    }
}
