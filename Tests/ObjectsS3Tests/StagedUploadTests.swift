import Foundation
import HTTPTransfer
import Model
import ObjectsS3
import PoolTestSupport
import S3
import SQLStore
import TestSupport
import Testing
import WorkerCore

@Suite("The parts of an output")
struct PartPlanTests {
    struct Size: Sendable {
        var head: Int64
        var limit: Int64
        var megabytes: Int
        var inFlight: Int

        init(_ head: Int64, _ limit: Int64, _ megabytes: Int, _ inFlight: Int) {
            (self.head, self.limit, self.megabytes, self.inFlight) = (head, limit, megabytes, inFlight)
        }
    }

    private static let gibibyte: Int64 = 1 << 30
    private static let sizes = [
        Size(0, gibibyte, 8, 5), Size(0, 50 * gibibyte, 8, 5), Size(9 << 20, 50 * gibibyte, 8, 5),
        Size((10 << 20) + 1, gibibyte, 8, 5), Size(0, 100 * gibibyte, 11, 3), Size(0, 150 * gibibyte, 16, 2),
        Size(0, 1024 * gibibyte, 105, 2), Size(0, 5120 * gibibyte, 525, 2), Size(65 << 20, 50 * gibibyte, 8, 5),
        Size(40 << 20, 150 * gibibyte, 16, 1),
        Size(0, 0, 8, 5),
    ]

    @Test("are equal, and few enough for the largest that it may become", arguments: sizes)
    func plan(size: Size) {
        let (head, limit) = (size.head, size.limit)
        let plan = PartPlan(OutputBounds(headBytes: head, limitBytes: limit))
        #expect(plan.partBytes == size.megabytes << 20)
        #expect(plan.inFlight == size.inFlight)
        #expect(Int64(plan.partBytes) * 10_000 >= limit && Int64(plan.partBytes) * Int64(plan.held) >= head)
        #expect(Int64(plan.partBytes) * Int64(plan.held - 1) < max(1, head), "no more than it takes")
        // What is touched of those that are held, the one that is filled, and those that leave.
        let buffers = min(2, plan.held) + 1 + plan.inFlight
        if limit <= 150 * Self.gibibyte { #expect(buffers * plan.partBytes <= 64 << 20) } else { #expect(buffers <= 4) }
    }

    @Test("are never too few or too large to count", arguments: [Int64.max, -1, Int64.min])
    func extremes(limit: Int64) {
        #expect(PartPlan(OutputBounds(headBytes: 0, limitBytes: limit)).partBytes >= 8 << 20)
    }
}

@Suite("An output in a store", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct StagedUploadTests {
    private static let part = 8 * mebibyte
    private static let bounds = OutputBounds(headBytes: 1000, limitBytes: 1 << 30)

    @Test(
        "is what was written, with its beginning written last, wherever parts end",
        arguments: ObjectStore.allCases,
        [1, 999, 5000, part - 1, part, part + 1, 2 * part, 2 * part + 1, 5 * part + 12_345])
    func sizes(store: ObjectStore, size: Int) async throws {
        let seed = newSeed()
        try await Bench.with(store) { bench in
            let lease = try await bench.claimed()
            try await blocking {
                let place = try store.place("out.mp4")
                let objects = bench.objects
                try objects.fence(lease, outputs: [place.uri])
                let output = try objects.stage(place.uri, name: nil, bounds: Self.bounds, for: lease)
                var bytes = randomBytes(size, seed: seed)
                let head = min(1000, size)
                // The head's room is left out at first, as a container does.
                if size > head { try output.append(Array(bytes[head...]), at: Int64(head)) }
                #expect(try !bench.client.isThere(place))
                let last = randomBytes(head, seed: seed + 1)
                try output.put(last, at: 0)
                bytes.replaceSubrange(..<head, with: last)
                #expect(output.sizeBytes == Int64(size))
                #expect(try !bench.client.isThere(place), "nothing is there before it is committed")
                try objects.commit([output], for: lease)
                #expect(isSame(try bench.client.wholeObject(place), bytes), "seed \(seed)")
                #expect(try bench.client.uploadNames(place) == [])
                let info = try bench.client.info(place, stop: TransferStop())
                #expect(info?.contentType == "video/mp4")
            }
            try await bench.end(lease, .succeeded("{}"))
            #expect(try await bench.ledger.uploads(of: lease.job) == [])
            #expect(bench.reports.all == [])
        }
    }

    @Test("can be read back at its beginning and at its end")
    func readBack() async throws {
        try await Bench.with(.seaweedfs) { bench in
            let lease = try await bench.claimed()
            try await blocking {
                let place = try bench.store.place("out.mp4")
                let output = try bench.objects.stage(place.uri, name: nil, bounds: Self.bounds, for: lease)
                let bytes = randomBytes(3 * Self.part + 100, seed: 7)
                try output.append(bytes)
                #expect(try output.bytes(5000, at: 10) == Array(bytes[10..<5010]))
                #expect(try output.bytes(5000, at: Int64(Self.part) - 10) == Array(bytes[(Self.part - 10)..<Self.part]))
                let tail = bytes.count - mebibyte
                #expect(try output.bytes(mebibyte, at: Int64(tail)) == Array(bytes[tail...]))
                #expect(try output.bytes(500, at: Int64(bytes.count) - 60) == Array(bytes.suffix(60)))
                #expect(try output.bytes(10, at: Int64(bytes.count)).isEmpty)
                #expect(failure { _ = try output.bytes(10, at: Int64(Self.part) + 10) }?.code == .readFailed)
            }
        }
    }

    @Test("is written once and in order behind its first part", arguments: [-1, 1, -8 * mebibyte])
    func order(jump: Int) async throws {
        try await Bench.with(.seaweedfs) { bench in
            let lease = try await bench.claimed()
            try await blocking {
                let place = try bench.store.place("out.mp4")
                let output = try bench.objects.stage(place.uri, name: nil, bounds: Self.bounds, for: lease)
                try output.append(randomBytes(2 * Self.part + 100, seed: 8))
                let position = Int64(2 * Self.part + 100 + jump)
                #expect(failure { try output.put([1, 2], at: position) }?.code == .outputNotWritable)
                #expect(failure { try output.put([1], at: .max) }?.code == .outputTooLarge)
                try output.put([1, 2], at: Int64(2 * Self.part + 100))
            }
        }
    }

    @Test("that nobody wants any more is aborted, and off the record", arguments: ObjectStore.allCases)
    func dropped(store: ObjectStore) async throws {
        try await Bench.with(store) { bench in
            let lease = try await bench.claimed()
            let place = try await blocking {
                let place = try store.place("out.mp4")
                let output = try bench.objects.stage(place.uri, name: nil, bounds: Self.bounds, for: lease)
                try output.append(randomBytes(2 * Self.part + 100, seed: 9))
                #expect(try bench.client.uploadNames(place).count == 1)
                return place
            }
            try await eventually("the upload is aborted") {
                try await bench.ledger.uploads(of: lease.job).isEmpty
            }
            #expect(try await blocking { try bench.client.uploadNames(place) } == [])
            #expect(try await blocking { try !bench.client.isThere(place) })
        }
    }

    @Test("takes the place of one that was begun before under the same name", arguments: ObjectStore.allCases)
    func again(store: ObjectStore) async throws {
        try await Bench.with(store) { bench in
            let lease = try await bench.claimed()
            try await blocking {
                let folder = try store.place("proxy")
                func stage() throws -> any StagedObject {
                    try bench.objects.stage(folder.uri, name: "proxy.mp4", bounds: Self.bounds, for: lease)
                }
                var first: (any StagedObject)? = try stage()
                try first?.append(randomBytes(2 * Self.part, seed: 10))
                let second = try stage()
                let more = randomBytes(4 * Self.part, seed: 10)
                #expect(failure { try first?.append(more, at: 2 * Int64(Self.part)) } != nil)
                first = nil
                try second.append([1, 2, 3])
                #expect(second.uri == "\(folder.uri)/proxy.mp4")
                try bench.objects.commit([second], for: lease)
                let place = try #require(S3Place(uri: second.uri))
                #expect(try bench.client.wholeObject(place) == [1, 2, 3])
                #expect(try bench.client.uploadNames(place) == [])
            }
        }
    }

    @Test("of several in a folder is there with the others")
    func several() async throws {
        try await Bench.with(.seaweedfs) { bench in
            let lease = try await bench.claimed()
            try await blocking {
                let folder = try bench.store.place("clip")
                let names = ["proxy.mp4", "audio.mp3", "sprite.jpg", "waveform.json"]
                let outputs = try names.map {
                    try bench.objects.stage(folder.uri, name: $0, bounds: Self.bounds, for: lease)
                }
                let bytes = (0..<names.count).map { randomBytes((3 - $0) * Self.part + 100 + $0, seed: UInt64($0)) }
                // In turn, as one pass writes them: their parts share the memory.
                for start in stride(from: 0, to: 4 * Self.part, by: 300_000) {
                    for (output, bytes) in zip(outputs, bytes) where start < bytes.count {
                        try output.put(Array(bytes[start..<min(start + 300_000, bytes.count)]), at: Int64(start))
                    }
                }
                try bench.objects.commit(outputs, for: lease)
                for (output, bytes) in zip(outputs, bytes) {
                    let place = try #require(S3Place(uri: output.uri))
                    #expect(isSame(try bench.client.wholeObject(place), bytes))
                }
            }
        }
    }

    @Test("whose store hangs is left at once when the attempt is over", arguments: ["a part", "its end"])
    func interrupted(place what: String) async throws {
        try await Bench.with(.seaweedfs) { bench in
            let lease = try await bench.claimed()
            try await blocking {
                let proxy = try FaultProxy(.seaweedfs)
                let slow = try Bench(.seaweedfs, bench.ledger, through: proxy.url)
                let interruption = Interruption()
                let place = try bench.store.place("out.mp4")
                let objects = slow.objects.heeding(interruption, for: lease)
                let output = try objects.stage(place.uri, name: nil, bounds: Self.bounds, for: lease)
                let isPart = what == "a part"
                try proxy.next(isPart ? Array(repeating: "silent", count: 8) : [])
                try proxy.set([.completion("silent")])
                let alarm = Alarm(interruption) {
                    // Three parts leave, one is full: then there is no more room.
                    let kind = isPart ? "PUT" : "POST"
                    return try proxy.seen.filter { $0.method == kind }.count == (isPart ? 3 : 1)
                }
                let bytes = randomBytes((isPart ? 6 : 2) * Self.part, seed: 11)
                let failed = failure {
                    try output.append(bytes)
                    try objects.commit([output], for: lease)
                }
                try alarm.check("an output whose store hung at \(what)")
                #expect(failed?.code == .cancelled)
            }
        }
    }

    @Test("takes 64 MiB at most of all that a job writes, also where much is kept for the end")
    func memory() async throws {
        try await Bench.with(.seaweedfs) { bench in
            let lease = try await bench.claimed()
            try await blocking {
                let context = JobContext()
                let objects = bench.objects.heeding(context)
                // A head of 40 MiB, of which a container fills a part when it knows what it has; and others beside it.
                let folder = try bench.store.place("clip")
                let outputs = try ["film.mp4", "audio.mp3", "sprite.jpg", "waveform.json"].map {
                    let bounds = OutputBounds(headBytes: $0 == "film.mp4" ? 40 << 20 : 0, limitBytes: 100 << 30)
                    return try objects.stage(folder.uri, name: $0, bounds: bounds, for: lease)
                }
                let bytes = randomBytes(50 * mebibyte, seed: 13)
                let (start, step) = (40 * mebibyte, 500_000)
                try outputs[0].put([1, 2, 3], at: 0)
                for offset in stride(from: 0, to: bytes.count, by: step) {
                    let piece = Array(bytes[offset..<min(offset + step, bytes.count)])
                    try outputs[0].put(piece, at: Int64(start + offset))
                    for (output, end) in zip(outputs.dropFirst(), [1_000_000, 500_000, 2000]) where offset < end {
                        try output.put(Array(piece[..<min(step, end)]), at: Int64(offset))
                    }
                }
                let index = Array(bytes[..<(18 * mebibyte)])
                try outputs[0].append(index, at: 3)
                try objects.commit(outputs, for: lease)
                var expected = [UInt8](unsafeUninitializedCapacity: start) { buffer, count in
                    if let start = buffer.baseAddress { memset(start, 0, buffer.count) }
                    count = start
                }
                expected.append(contentsOf: bytes)
                expected.replaceSubrange(0..<3, with: [1, 2, 3])
                expected.replaceSubrange(3..<3 + index.count, with: index)
                let film = try bench.client.wholeObject(try #require(S3Place(uri: outputs[0].uri)))
                #expect(isSame(film, expected))
                print(
                    "an output with a head of 40 MiB, and three more, took \(context.mostUploadBytes >> 20) MiB at most"
                )
                #expect(context.mostUploadBytes <= 64 << 20)
                #expect(context.uploadBytes <= 22 << 20, "two parts are kept for the next output")
            }
        }
    }

    @Test("is what was written through a connection that breaks, or is not there", arguments: ObjectStore.allCases)
    func faults(store: ObjectStore) async throws {
        let seed = newSeed()
        try await Bench.with(store) { bench in
            try await blocking { _ = try store.bucket() }
            var random = SeededGenerator(seed: seed)
            let proxy = try await blocking { try FaultProxy(store) }
            for round in 0..<6 {
                let lease = try await bench.claimed()
                let faults = [
                    "pass", "pass", "pass", "pass", "before", "after", "cut", "flip", "etag", "status:503:SlowDown",
                    "lost:500:InternalError", "status:500:InternalError",
                ]
                let planned = (0..<40).map { _ in faults.randomElement(using: &random) ?? "pass" }
                let place = try store.place("out.mp4")
                let isThere = try await blocking { () throws -> Bool in
                    var settings = S3ClientSettings()
                    settings.backoff = Backoff(baseSeconds: 0.001, capSeconds: 0.01)
                    settings.tries = 6
                    let injured = try Bench(store, bench.ledger, through: proxy.url, settings: settings)
                    try proxy.next(planned)
                    let bytes = randomBytes(3 * Self.part + round, seed: seed)
                    do {
                        let output = try injured.objects.stage(place.uri, name: nil, bounds: Self.bounds, for: lease)
                        try output.append(bytes)
                        try injured.objects.commit([output], for: lease)
                        let found = try bench.client.wholeObject(place)
                        #expect(isSame(found, bytes), "seed \(seed)")
                        return true
                    } catch {
                        #expect(Failure(error).category == .dependencyUnavailable, "\(error), seed \(seed)")
                        return false
                    }
                }
                try await blocking { try proxy.next([]) }
                try await bench.end(lease, isThere ? .succeeded("{}") : Bench.failed)
                try await eventually("nothing is left, seed \(seed), round \(round)") {
                    try await bench.sweep()
                    return try await blocking { try bench.client.uploadNames(place).isEmpty }
                }
                let what = isThere ? "a success is there" : "nothing is there of a failure"
                try await eventually("\(what), seed \(seed), round \(round)") {
                    try await bench.sweep()
                    return try await blocking { try bench.client.isThere(place) } == isThere
                }
            }
        }
    }
}
