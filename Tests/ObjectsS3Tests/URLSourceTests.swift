import HTTPTransfer
import Model
import ObjectsS3
import PoolTestSupport
import S3
import Synchronization
import TestSupport
import Testing
import WorkerCore

@Suite("A source behind a URL")
struct URLSourceTests {
    /// What the test server's bodies have.
    private static func pattern(_ offset: Int, _ count: Int) -> [UInt8] {
        (offset..<offset + count).map { UInt8($0 % 251) }
    }

    private static func sources(_ allowed: [String] = ["127.0.0.1"], at moment: StoreTime? = nil) -> URLSources {
        URLSources(
            HTTPClient(.init(.guarded(AddressGuard(allowing: allowed)))), now: { moment ?? Bench.now() })
    }

    @Test("is read by range")
    func ranges() async throws {
        try await blocking {
            let server = try HTTPTestServer.start()
            let size = 20 * mebibyte + 3
            let source = try Self.sources().open(server.url("/bytes?n=\(size)"), JobContext())
            #expect(source.sizeBytes == Int64(size))
            for (offset, count) in [(0, 1000), (15 * mebibyte + 1, 300_000), (size - 10, 100), (70_000, 500)] {
                let found = try source.bytes(count, at: Int64(offset))
                #expect(found == Self.pattern(offset, min(count, size - offset)))
            }
            server.stop()
        }
    }

    @Test("of a server without ranges is fetched whole, if it is small", arguments: ["noranges", "chunked"])
    func whole(kind: String) async throws {
        try await blocking {
            let server = try HTTPTestServer.start()
            let path = kind == "chunked" ? "/chunked?n=" : "/bytes?noranges=1&n="
            let source = try Self.sources().open(server.url("\(path)3000000"), JobContext())
            #expect(source.sizeBytes == 3_000_000)
            #expect(try source.bytes(100_000, at: 2_950_000) == Self.pattern(2_950_000, 50_000))
            #expect(try source.bytes(100_000, at: 1000) == Self.pattern(1000, 100_000))
            let large = failure { _ = try Self.sources().open(server.url("\(path)30000000"), JobContext()) }
            #expect(large?.code == .notReadable)
            #expect(large?.message.contains("does not serve ranges") == true, "\(String(describing: large))")
            server.stop()
        }
    }

    @Test(
        "is refused by what it is",
        arguments: [
            ("/bytes?n=0", FailureCode.emptyFile), ("/status/404", .fileNotFound), ("/status/403", .notReadable),
            ("/nothing", .fileNotFound), ("/bytes?n=100&shift=1", .transferFailed), ("/loop?0", .notReadable),
        ])
    func refused(path: String, code: FailureCode) async throws {
        try await blocking {
            let server = try HTTPTestServer.start()
            #expect(failure { _ = try Self.sources().open(server.url(path), JobContext()) }?.code == code)
            server.stop()
        }
    }

    @Test("is not opened where it leads into a private network, also by a redirect")
    func guarded() async throws {
        try await blocking {
            let server = try HTTPTestServer.start()
            let url = server.url("/bytes?n=10")
            #expect(failure { _ = try Self.sources([]).open(url, JobContext()) }?.code == .sourceNotAllowed)
            let redirect = server.url("/redirect?to=http://127.0.0.2:\(server.port)/bytes?n=10")
            #expect(failure { _ = try Self.sources().open(redirect, JobContext()) }?.code == .sourceNotAllowed)
            let fine = server.url("/redirect?to=/bytes%3Fn=10")
            #expect(try Self.sources().open(fine, JobContext()).bytes(10, at: 0) == Self.pattern(0, 10))
            server.stop()
        }
    }

    @Test(
        "that was signed is read as long as it is good, and is no secret in a message",
        .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"), arguments: ObjectStore.allCases)
    func presigned(store: ObjectStore) async throws {
        try await blocking {
            let (client, place) = (try store.client(), try store.place("source.bin"))
            let bytes = randomBytes(3 * mebibyte, seed: 41)
            _ = try client.put(place, bytes, stop: TransferStop())
            let source = try Self.sources().open(client.presign("GET", place), JobContext())
            #expect(try source.bytes(1000, at: 2_000_000) == Array(bytes[2_000_000..<2_001_000]))
            _ = try client.put(place, bytes.reversed(), stop: TransferStop())
            #expect(failure { _ = try source.bytes(10, at: 1_000_000) }?.code == .sourceChanged)
            // Signed long ago.
            var settings = S3ClientSettings()
            settings.clock.wallSeconds = { S3Clock.system.wallSeconds() - 3600 }
            let old = try store.client(settings: settings).presign("GET", place)
            let expired = failure { _ = try Self.sources().open(old, JobContext()) }
            #expect(expired?.code == .urlExpired)
            #expect(expired.map { "\($0)".contains("X-Amz-Signature") } == false)
        }
    }
}
