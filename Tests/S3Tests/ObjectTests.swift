import HTTPTransfer
import Model
import PoolTestSupport
import S3
import Testing

@Suite("An object", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct ObjectTests {
    private let stop = TransferStop()

    @Test("is what was put, with its size, ETag and type", arguments: ObjectStore.allCases, [false, true])
    func roundTrip(store: ObjectStore, signsBodies: Bool) async throws {
        try await blocking {
            var settings = S3ClientSettings()
            settings.signsBodies = signsBodies
            let (client, place) = (try store.client(settings: settings), try store.place("clip.mp4"))
            let bytes = randomBytes(3_000_000, seed: 1)
            let etag = try client.put(place, bytes, contentType: "video/mp4", stop: stop)
            #expect(etag == bytes.withUnsafeBytes { ETag.of($0) })
            let info = try #require(try client.info(place, stop: stop))
            #expect(info.sizeBytes == 3_000_000 && info.etag == etag && info.contentType == "video/mp4")
            #expect(info.modified != nil)
            let read = try client.bytes(place)
            #expect(read.bytes == bytes && read.info == info)
            try client.delete(place, stop: stop)
            #expect(try client.info(place, stop: stop) == nil)
            try client.delete(place, stop: stop)
        }
    }

    /// docs/object-stores.md has what a store makes of other keys.
    private static let keys = [
        "plain", "a b", "a+b", "a%20b", "a%2Fb", "ü/ß", "日本/😀", "~t~", "a?b#c&d=e", "q'\"<>", "tab\tx", "line\nx",
        "con\u{1}trol", "*(){}[]|^`", "a:b;c,d@e!$", "\u{202E}x", "e\u{301} and é", " lead", "trail ", "....", "x..y",
        "uploads", "?uploadId=1", String(repeating: "x", count: 255), String(repeating: "y/", count: 90) + "z",
    ]

    @Test("may have a key that is hard to write, and is listed by it", arguments: ObjectStore.allCases)
    func oddKeys(store: ObjectStore) async throws {
        try await blocking {
            let (client, folder) = (try store.client(), try store.place(""))
            var keys: Set<String> = []
            for (index, name) in Self.keys.enumerated() {
                let place = S3Place(bucket: folder.bucket, key: folder.key + "\(index)/" + name)
                _ = try client.put(place, Array(name.utf8), stop: stop)
                #expect(try client.bytes(place).bytes == Array(name.utf8), "\(name)")
                keys.insert(place.key)
            }
            let listed = try client.objects(in: folder.bucket, prefix: folder.key, limit: 1000, stop: stop)
            #expect(Set(listed.map(\.place.key)) == keys)
            for object in listed {
                try client.delete(object.place, stop: stop)
                #expect(try client.info(object.place, stop: stop) == nil, "\(object.place)")
            }
        }
    }

    @Test("with dots for a part of its key is refused, and not somewhere else", arguments: ObjectStore.allCases)
    func dots(store: ObjectStore) async throws {
        try await blocking {
            let (client, folder) = (try store.client(), try store.place(""))
            for name in ["a/./b", "a/../b", "..", "../../reelpool-other/x"] {
                let place = S3Place(bucket: folder.bucket, key: folder.key + name)
                let error = refused { _ = try client.put(place, [1], stop: stop) }
                #expect(error?.kind == .invalidRequest && error?.code == .transferFailed, "\(name)")
            }
            #expect(try client.objects(in: folder.bucket, prefix: folder.key, limit: 9, stop: stop) == [])
        }
    }

    @Test("is the same under a key with needless slashes, which both stores drop", arguments: ObjectStore.allCases)
    func slashes(store: ObjectStore) async throws {
        try await blocking {
            let (client, folder) = (try store.client(), try store.place(""))
            func place(_ name: String) -> S3Place { S3Place(bucket: folder.bucket, key: folder.key + name) }
            _ = try client.put(place("a//b"), [1, 2, 3], stop: stop)
            #expect(try client.bytes(place("a//b")).bytes == [1, 2, 3])
            #expect(try client.bytes(place("a/b")).bytes == [1, 2, 3])
            let listed = try client.objects(in: folder.bucket, prefix: folder.key, limit: 9, stop: stop)
            #expect(listed.map(\.place) == [place("a/b")])
        }
    }

    @Test("is read in ranges, up to its end and not behind it", arguments: ObjectStore.allCases)
    func ranges(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place())
            let bytes = randomBytes(1_000_003, seed: 2)
            let etag = try client.put(place, bytes, stop: stop)
            for (offset, count) in [
                (0, 1), (0, 1_000_003), (0, 2_000_000), (1, 70_000), (999_999, 4), (999_999, 5), (1_000_002, 9),
            ] {
                let read = try client.bytes(place, at: Int64(offset), upTo: count, ifMatch: etag)
                #expect(read.bytes == Array(bytes[offset...].prefix(count)), "\(offset) + \(count)")
                #expect(read.info.sizeBytes == 1_000_003 && read.info.etag == etag)
            }
            for offset in [1_000_003, 1_000_004, 1 << 40] {
                let read = try client.bytes(place, at: Int64(offset), upTo: 10, ifMatch: etag)
                #expect(read.bytes == [] && read.info.sizeBytes == 1_000_003 && read.info.etag == etag)
            }
        }
    }

    @Test("may be empty", arguments: ObjectStore.allCases)
    func empty(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place())
            let etag = try client.put(place, [], stop: stop)
            #expect(try client.info(place, stop: stop)?.sizeBytes == 0)
            let read = try client.bytes(place, upTo: 10, ifMatch: etag)
            #expect(read.bytes == [] && read.info.sizeBytes == 0)
        }
    }

    @Test("that takes another's place is not read as a part of it", arguments: ObjectStore.allCases)
    func replaced(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place())
            let first = try client.put(place, randomBytes(1000, seed: 3), stop: stop)
            #expect(try client.bytes(place, upTo: 10, ifMatch: first).bytes.count == 10)
            let second = try client.put(place, randomBytes(1000, seed: 4), stop: stop)
            let error = refused { _ = try client.bytes(place, at: 10, upTo: 10, ifMatch: first) }
            #expect(error?.kind == .preconditionFailed && error?.code == .sourceChanged)
            // Behind the end of what is there now, too.
            let behind = refused { _ = try client.bytes(place, at: 1000, upTo: 10, ifMatch: first) }
            #expect(behind?.kind == .preconditionFailed)
            #expect(try client.bytes(place, upTo: 10, ifMatch: second).bytes.count == 10)
        }
    }

    @Test("is put on a condition by SeaweedFS, and without regard to it by JuiceFS", arguments: ObjectStore.allCases)
    func conditions(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place())
            let first = try client.put(place, [1], condition: .ifAbsent, stop: stop)
            let again = refused { _ = try client.put(place, [2], condition: .ifAbsent, stop: stop) }
            let other = refused { _ = try client.put(place, [3], condition: .ifMatch("0"), stop: stop) }
            switch store {
            case .seaweedfs:
                #expect(again?.kind == .preconditionFailed && other?.kind == .preconditionFailed)
                #expect(try client.bytes(place).bytes == [1])
                _ = try client.put(place, [4], condition: .ifMatch(first), stop: stop)
                #expect(try client.bytes(place).bytes == [4])
            case .juicefs:
                #expect(again == nil && other == nil)
                #expect(try client.bytes(place).bytes == [3])
            }
        }
    }

    @Test("is found in lists of many pages, up to a limit", arguments: ObjectStore.allCases)
    func lists(store: ObjectStore) async throws {
        try await blocking {
            var settings = S3ClientSettings()
            settings.listPage = 4
            let (client, folder) = (try store.client(settings: settings), try store.place(""))
            let names = (0..<13).map { "n\($0 + 10) +%.x" }
            for name in names {
                _ = try client.put(
                    S3Place(bucket: folder.bucket, key: folder.key + name), Array(name.utf8), stop: stop)
            }
            func list(_ prefix: String, _ limit: Int) throws -> [S3ListedObject] {
                try client.objects(in: folder.bucket, prefix: folder.key + prefix, limit: limit, stop: stop)
            }
            #expect(try list("", 100).map(\.place.key) == names.map { folder.key + $0 })
            #expect(try list("", 13).count == 13)
            #expect(try list("", 6).map(\.place.key) == names.prefix(6).map { folder.key + $0 })
            #expect(try list("n2", 100).count == 3)
            #expect(try list("m", 100) == [])
            let one = try #require(try list("n10", 1).first)
            #expect(one.sizeBytes == 8 && one.modified != nil)
            #expect(one.etag == Array(names[0].utf8).withUnsafeBytes { ETag.of($0) })
        }
    }

    @Test("is found where the bucket stands in the host's name", arguments: ObjectStore.allCases)
    func virtualHost(store: ObjectStore) async throws {
        try await blocking {
            let place = try store.place("a b")
            let url = try store.url.replacing("127.0.0.1", with: "localhost")
            let client = try store.client(url: url, style: .virtualHost)
            _ = try client.put(place, [1, 2], stop: stop)
            #expect(try store.client().bytes(place).bytes == [1, 2])
            #expect(try client.objects(in: place.bucket, prefix: place.key, limit: 9, stop: stop).count == 1)
        }
    }
}
