import HTTPTransfer
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing

@Suite("Completing an upload", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct CompletionTests {
    private let stop = TransferStop()

    /// An upload with one part, and a client with a proxy between.
    private struct Bench {
        let proxy: FaultProxy
        let client: S3Client
        let place: S3Place
        let upload: String
        let part: S3Part

        init(_ store: ObjectStore, tries: Int = 5) throws {
            proxy = try FaultProxy(store)
            var settings = TestTime().settings()
            settings.tries = tries
            client = try store.client(url: proxy.url, settings: settings)
            place = try store.place()
            upload = try client.beginUpload(place, stop: TransferStop())
            part = try client.part(place, upload, 1, [1, 2, 3])
        }

        func complete() throws -> String {
            try client.completeUpload(place, upload, parts: [part], stop: TransferStop())
        }
    }

    @Test(
        "whose answer is lost is found out from the object",
        arguments: ObjectStore.allCases, ["after", "cut", "lost:500:InternalError", "late200:InternalError"])
    func lost(store: ObjectStore, fault: String) async throws {
        try await blocking {
            let bench = try Bench(store)
            try bench.proxy.next([fault])
            #expect(try bench.complete() == ETag.of([bench.part]))
            #expect(try bench.client.bytes(bench.place).bytes == [1, 2, 3])
            // SeaweedFS answers the same again.
            let methods = try bench.proxy.seen.prefix(3).map(\.method)
            #expect(methods == (store == .juicefs ? ["POST", "POST", "HEAD"] : ["POST", "POST", "GET"]))
        }
    }

    @Test("is found out from the object also when no answer comes at all", arguments: ["after", "page"])
    func neverAnswered(fault: String) async throws {
        try await blocking {
            let bench = try Bench(.juicefs, tries: 2)
            try bench.proxy.next(["after", fault])
            #expect(try bench.complete() == ETag.of([bench.part]))
        }
    }

    @Test("that fails by the answer's body has failed", arguments: ObjectStore.allCases)
    func errorInBody(store: ObjectStore) async throws {
        try await blocking {
            let bench = try Bench(store, tries: 3)
            try bench.proxy.next(Array(repeating: "error200:InternalError", count: 3))
            let error = refused { _ = try bench.complete() }
            #expect(error?.kind == .server && error?.serverCode == "InternalError")
            #expect(try bench.client.info(bench.place, stop: stop) == nil)
            // What is transient is tried again, what is not is not.
            try bench.proxy.next(["error200:InvalidPart"])
            #expect(refused { _ = try bench.complete() }?.kind == .invalidRequest)
            #expect(try bench.proxy.seen.count == 1)
            try bench.proxy.next(["error200:InternalError", "error200:SlowDown"])
            #expect(try bench.complete() == ETag.of([bench.part]))
        }
    }

    @Test("is not taken for done because there is an object", arguments: ObjectStore.allCases)
    func another(store: ObjectStore) async throws {
        try await blocking {
            let bench = try Bench(store)
            _ = try store.client().put(bench.place, [9], stop: stop)
            #expect(try store.client().abortUpload(bench.place, bench.upload, stop: stop))
            try bench.proxy.next(["before"])
            #expect(refused { _ = try bench.complete() }?.kind == .noSuchUpload)
            #expect(try bench.client.bytes(bench.place).bytes == [9])
        }
    }
}
