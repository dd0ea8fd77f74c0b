import HTTPTransfer
import Model
import ObjectsS3
import PoolTestSupport
import S3
import TestSupport
import Testing
import WorkerCore

@Suite("A source in a store", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct RangedSourceTests {
    private func put(_ bytes: [UInt8], in store: ObjectStore) throws -> S3Place {
        let place = try store.place("source.bin")
        _ = try store.client().put(place, bytes, stop: TransferStop())
        return place
    }

    @Test("has the bytes that it has, however it is read", arguments: ObjectStore.allCases)
    func randomReads(store: ObjectStore) async throws {
        let seed = newSeed()
        try await blocking {
            let bytes = randomBytes(37 * mebibyte + 12_345, seed: seed)
            let place = try put(bytes, in: store)
            let ranges = CountedRanges(S3Ranges(try store.client(), place))
            let source = try RangedSource(ranges)
            #expect(source.sizeBytes == Int64(bytes.count))
            var walk = ReadWalk(random: SeededGenerator(seed: seed), size: Int64(bytes.count))
            for _ in 0..<600 {
                let (offset, count) = walk.next()
                let expected = bytes[Int(offset)..<min(bytes.count, Int(offset) + count)]
                let found = try source.bytes(count, at: offset)
                let isRight = isSame(found, expected)
                #expect(isRight, "\(count) bytes at \(offset), seed \(seed)")
                if !isRight { break }
            }
            #expect(try source.bytes(10, at: Int64(bytes.count)).isEmpty)
            #expect(try source.bytes(10, at: 1 << 50).isEmpty)
            #expect(ranges.requests.filter { !$0.hasVersion }.count == 1, "only the first may find any version")
            source.close()
        }
    }

    @Test("is read from end to end once, in few requests", arguments: ObjectStore.allCases, [false, true])
    func sequential(store: ObjectStore, isExpected: Bool) async throws {
        try await blocking {
            let bytes = randomBytes(100 * mebibyte + 7, seed: 1)
            let ranges = CountedRanges(S3Ranges(try store.client(), try put(bytes, in: store)))
            let source = try RangedSource(ranges)
            if isExpected { source.expectWhole() }
            var offset: Int64 = 0
            while true {
                let piece = try source.bytes(256 << 10, at: offset)
                if piece.isEmpty { break }
                #expect(isSame(piece, bytes[Int(offset)..<Int(offset) + piece.count]))
                offset += Int64(piece.count)
            }
            #expect(offset == Int64(bytes.count))
            #expect(ranges.bytes == bytes.count, "nothing twice")
            // Each window is a sixteenth of what has been read: 89, and some more where the reader was quicker.
            #expect(ranges.requests.count < (isExpected ? 16 : 110), "\(ranges.requests.map(\.count))")
        }
    }

    @Test("in which two places are read in turn is read once")
    func alternating() async throws {
        try await blocking {
            let bytes = randomBytes(48 * mebibyte, seed: 2)
            let ranges = CountedRanges(S3Ranges(try ObjectStore.seaweedfs.client(), try put(bytes, in: .seaweedfs)))
            let source = try RangedSource(ranges)
            let half = Int64(bytes.count / 2)
            for step in 0..<Int64(120) {
                for start in [0, half] {
                    let offset = start + step * 150_000
                    let piece = try source.bytes(150_000, at: offset)
                    #expect(isSame(piece, bytes[Int(offset)..<Int(offset) + 150_000]))
                }
            }
            let wanted = 2 * 120 * 150_000
            #expect(ranges.bytes < wanted * 6 / 5, "\(ranges.bytes) for \(wanted)")
        }
    }

    @Test("that is replaced while it is read is an error, and no mixture", arguments: ObjectStore.allCases)
    func replaced(store: ObjectStore) async throws {
        try await blocking {
            let (old, new) = (randomBytes(3 * mebibyte, seed: 3), randomBytes(3 * mebibyte, seed: 4))
            let place = try put(old, in: store)
            let source = try RangedSource(S3Ranges(try store.client(), place))
            #expect(try source.bytes(1000, at: mebibyte64) == Array(old[mebibyte..<mebibyte + 1000]))
            _ = try store.client().put(place, new, stop: TransferStop())
            #expect(failure { _ = try source.bytes(1000, at: 2 * mebibyte64) }?.code == .sourceChanged)
            // What has been read is of the old one, and stays so.
            #expect(try source.bytes(1000, at: mebibyte64) == Array(old[mebibyte..<mebibyte + 1000]))
            try store.client().delete(place, stop: TransferStop())
            #expect(failure { _ = try source.bytes(1000, at: 2 * mebibyte64 + 500_000) }?.code == .sourceChanged)
        }
    }

    private var mebibyte64: Int64 { Int64(mebibyte) }

    @Test("is not there, or empty", arguments: ObjectStore.allCases)
    func absent(store: ObjectStore) async throws {
        try await blocking {
            let place = try store.place()
            let missing = failure { _ = try RangedSource(S3Ranges(try store.client(), place)) }
            #expect(missing?.code == .fileNotFound)
            _ = try store.client().put(place, [], stop: TransferStop())
            let empty = failure { _ = try RangedSource(S3Ranges(try store.client(), place)) }
            #expect(empty?.code == .emptyFile)
        }
    }

    @Test("that hangs is left at once when the attempt is over", arguments: ["silent", "stall"])
    func interrupted(fault: String) async throws {
        try await blocking {
            let bytes = randomBytes(4 * mebibyte, seed: 5)
            let place = try put(bytes, in: .seaweedfs)
            let proxy = try FaultProxy(.seaweedfs)
            let interruption = Interruption()
            let client = try ObjectStore.seaweedfs.client(url: proxy.url)
            let source = try RangedSource(S3Ranges(client, place), interruption: interruption)
            try proxy.next([fault])
            let alarm = Alarm(interruption) { try proxy.seen.contains { $0.method == "GET" } }
            #expect(failure { _ = try source.bytes(10, at: mebibyte64) }?.code == .cancelled)
            source.close()
            try alarm.check("a read that hung")
            #expect(failure { _ = try source.bytes(10, at: 2 * mebibyte64) }?.code == .cancelled)
        }
    }

    @Test("comes whole through a connection that breaks")
    func faults() async throws {
        let seed = newSeed()
        try await blocking {
            let bytes = randomBytes(24 * mebibyte, seed: seed)
            let place = try put(bytes, in: .seaweedfs)
            let proxy = try FaultProxy(.seaweedfs)
            var settings = S3ClientSettings()
            (settings.backoff, settings.tries) = (Backoff(baseSeconds: 0.001, capSeconds: 0.01), 20)
            let client = try ObjectStore.seaweedfs.client(url: proxy.url, settings: settings)
            let source = try RangedSource(S3Ranges(client, place))
            var random = SeededGenerator(seed: seed)
            // Eight tries of one piece may not all go wrong.
            let faults = [
                "pass", "pass", "pass", "pass", "pass", "pass", "cut", "before", "after", "range", "short",
                "status:503:SlowDown",
            ]
            try proxy.next((0..<60).map { _ in faults.randomElement(using: &random) ?? "pass" })
            var offset: Int64 = 0
            while offset < Int64(bytes.count) {
                let piece = try source.bytes(256 << 10, at: offset)
                #expect(isSame(piece, bytes[Int(offset)..<Int(offset) + piece.count]), "seed \(seed)")
                offset += Int64(piece.count)
                if piece.isEmpty { break }
            }
            #expect(offset == Int64(bytes.count))
            source.close()
        }
    }
}
