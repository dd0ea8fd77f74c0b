import EdgeWire
import HTTPTransfer
import Model
import ObjectsS3
import PoolTestSupport
import S3
import SQLStore
import StoreEdge
import TestSupport
import Testing
import WorkerCore

@Suite("A source at the edge", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct EdgeSourceTests {
    private static let bytes = randomBytes(3 * mebibyte + 4321, seed: 41)

    @Test(
        "has its bytes, by one URL as long as that is good, and by the next one after", arguments: ObjectStore.allCases)
    func reads(store: ObjectStore) async throws {
        try await EdgeBench.with(store) { edge in
            let place = try await edge.put(Self.bytes)
            let lease = try await edge.claimed(place)
            try await blocking {
                let source = try edge.objects(lease).open(place.uri, owner: "ann")
                #expect(source.sizeBytes == Int64(Self.bytes.count))
                #expect(try source.bytes(mebibyte, at: 0).elementsEqual(Self.bytes[..<mebibyte]))
                #expect(edge.desk.counts.reads == 1)
                // Three quarters of a quarter of an hour.
                edge.clock.advance(676)
                let rest = try source.bytes(Self.bytes.count, at: Int64(mebibyte))
                #expect(rest.elementsEqual(Self.bytes[mebibyte...]))
                #expect(edge.desk.counts.reads > 1)
            }
        }
    }

    @Test(
        "goes on by another URL when the store refuses one, and says so when it refuses all",
        arguments: ObjectStore.allCases)
    func refusedURLs(store: ObjectStore) async throws {
        try await EdgeBench.with(store) { edge in
            let place = try await edge.put(Self.bytes)
            let lease = try await edge.claimed(place)
            try await blocking {
                edge.desk.spoil(2)
                let source = try edge.objects(lease).open(place.uri, owner: "ann")
                #expect(try source.bytes(Self.bytes.count, at: 0) == Self.bytes)
                #expect(edge.desk.counts.reads == 3)
                edge.desk.spoil(99)
                let failed = failure { _ = try edge.objects(lease).open(place.uri, owner: "ann") }
                #expect(failed?.category == .dependencyUnavailable, "\(String(describing: failed))")
                #expect(failed?.message.contains("ignature=") == false && failed?.detail?.contains("ignature=") != true)
                #expect(edge.desk.counts.reads == 7)
            }
        }
    }

    @Test("that is replaced or deleted meanwhile is told from what it was", arguments: ObjectStore.allCases)
    func replaced(store: ObjectStore) async throws {
        try await EdgeBench.with(store) { edge in
            for (isDeleted, isLate) in [(false, false), (true, false), (false, true), (true, true)] {
                let place = try await edge.put(Self.bytes)
                let lease = try await edge.claimed(place)
                try await blocking {
                    let source = try edge.objects(lease).open(place.uri, owner: "ann")
                    if isDeleted {
                        try edge.bench.client.delete(place, stop: TransferStop())
                    } else {
                        let other = randomBytes(Self.bytes.count, seed: 42)
                        _ = try edge.bench.client.put(place, other, stop: TransferStop())
                    }
                    if isLate { edge.clock.advance(1000) }
                    let failed = failure { _ = try source.bytes(100, at: Int64(2 * mebibyte)) }
                    #expect(failed?.code == .sourceChanged, "deleted: \(isDeleted), late: \(isLate)")
                }
            }
        }
    }

    @Test("is one that the job names and that is there")
    func others() async throws {
        try await EdgeBench.with(.seaweedfs) { edge in
            let place = try await edge.put([1, 2, 3])
            let (lease, missing) = (try await edge.claimed(place), try edge.store.place("none.mp4"))
            let lost = try await edge.claimed(missing)
            let empty = try await edge.put([])
            let nothing = try await edge.claimed(empty)
            try await blocking {
                let source = try edge.objects(lease).open(place.uri, owner: "ann")
                #expect(try source.bytes(9, at: 0) == [1, 2, 3])
                let unnamed = failure { _ = try edge.objects(lease).open(missing.uri, owner: "ann") }
                #expect(unnamed?.code == .sourceNotAllowed)
                let absent = failure { _ = try edge.objects(lost).open(missing.uri, owner: "ann") }
                #expect(absent?.code == .fileNotFound)
                let void = failure { _ = try edge.objects(nothing).open(empty.uri, owner: "ann") }
                #expect(void?.code == .emptyFile)
            }
            let outside = try #require(S3Endpoint(url: "https://media.example.org", region: "auto", style: .path))
            let url = try await blocking {
                try S3Desk(edge.bench.objects, endpoint: outside, heeding: Interruption())
                    .read(place.uri, owner: "ann", seconds: 60).url
            }
            #expect(url.hasPrefix("https://media.example.org/\(place.bucket)/"), "as edge workers reach it")
            try await edge.bench.end(lease, Bench.failed)
            let stale = try await blocking { failure { _ = try edge.objects(lease).open(place.uri, owner: "ann") } }
            #expect(stale?.code == .leaseLost)
        }
    }

    @Test("whose store hangs, or whose service is gone, is left at once when the attempt is over")
    func interrupted() async throws {
        let proxy = try await blocking { try FaultProxy(.seaweedfs) }
        try await EdgeBench.with(.seaweedfs, through: proxy.url) { edge in
            let place = try await edge.put(Self.bytes)
            let lease = try await edge.claimed(place)
            for isService in [false, true] {
                if isService { await edge.service.stop() }
                try await blocking {
                    let interruption = Interruption()
                    // The service looks at the object first.
                    try proxy.next(["pass"] + Array(repeating: "silent", count: 20))
                    OwnThread.start(named: "test.raise") {
                        let end = ContinuousClock.now + .seconds(30)
                        if !isService {
                            while (try? proxy.seen.count) != 2, ContinuousClock.now < end {}
                        }
                        interruption.raise()
                    }
                    let begin = ContinuousClock.now
                    let failed = failure { _ = try edge.objects(lease, interruption).open(place.uri, owner: "ann") }
                    let seconds = (ContinuousClock.now - begin) / .seconds(1)
                    print("a source that hung was left after \(seconds) s")
                    #expect(failed?.code == .cancelled && seconds < 25)
                }
            }
        }
    }
}

@Suite("An output at the edge", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct EdgeOutputTests {
    private static let bounds = OutputBounds(headBytes: 1000, limitBytes: 1 << 30)
    private static let bytes = randomBytes(16 * mebibyte + 77, seed: 43)
    private static let less = Array(bytes[..<(9 * mebibyte)])
    private static let head = randomBytes(1000, seed: 44)

    private static func write(
        _ edge: EdgeBench, _ place: S3Place, _ lease: Lease, _ bytes: [UInt8] = bytes
    ) throws -> any StagedObject {
        let output = try edge.objects(lease).stage(place.uri, name: nil, bounds: bounds, for: lease)
        try output.append(bytes)
        return output
    }

    /// Of parts that the store has taken.
    private static func numbers(_ proxy: FaultProxy) throws -> Set<Int> {
        let puts = try proxy.seen.filter { $0.method == "PUT" && $0.status == 200 }
        return Set(puts.compactMap { $0.target.firstMatch(of: /partNumber=(\d+)/).flatMap { Int($0.1) } })
    }

    @Test("leaves in parts, the first one last, and is there when it is complete", arguments: ObjectStore.allCases)
    func parts(store: ObjectStore) async throws {
        let proxy = try await blocking { try FaultProxy(store) }
        try await EdgeBench.with(store, through: proxy.url) { edge in
            let place = try store.place("out.mp4")
            let lease = try await edge.claimed(nil, place)
            try await blocking {
                try proxy.next([])
                // A URL whose time is over, once.
                edge.desk.spoil(1)
                let objects = edge.objects(lease)
                try objects.checkOutput(place.uri, owner: "ann")
                try objects.fence(lease, outputs: [place.uri])
                let output = try Self.write(edge, place, lease)
                #expect(try edge.bench.client.uploadNames(place).count == 1)
                #expect(try !edge.bench.client.isThere(place))
                #expect(try !Self.numbers(proxy).contains(1))
                try output.put(Self.head, at: 0)
                try objects.commit([output], for: lease)
                #expect(try edge.bench.client.wholeObject(place) == Self.head + Self.bytes[1000...])
                #expect(try Self.numbers(proxy) == [1, 2, 3])
            }
            let sealed = try await edge.bench.ledger.uploads(of: lease.job)
            #expect(sealed.count == 1 && sealed.first?.etag?.hasSuffix("-3") == true)
            try await edge.bench.end(lease, .succeeded("{}"))
            try await edge.bench.sweep()
            #expect(try await edge.bench.ledger.uploads(of: lease.job) == [])
            #expect(try await blocking { try edge.bench.client.isThere(place) })
            #expect(try await blocking { try edge.bench.client.uploadNames(place) } == [])
        }
    }

    @Test(
        "that nobody wants any more is aborted at once, and one of a failed job goes", arguments: ObjectStore.allCases)
    func letGo(store: ObjectStore) async throws {
        try await EdgeBench.with(store) { edge in
            let place = try store.place("out.mp4")
            let lease = try await edge.claimed(nil, place)
            try await blocking { _ = try Self.write(edge, place, lease, Self.less) }
            try await eventually("it is aborted") {
                try await blocking { try edge.bench.client.uploadNames(place) }.isEmpty
            }
            try await eventually("it is struck off") { try await edge.bench.ledger.uploads(of: lease.job).isEmpty }
            try await blocking {
                try edge.objects(lease).commit([try Self.write(edge, place, lease, Self.less)], for: lease)
                #expect(try edge.bench.client.isThere(place))
            }
            try await edge.bench.end(lease, Bench.failed)
            try await edge.bench.sweep()
            #expect(try await blocking { try !edge.bench.client.isThere(place) })
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
        "of a worker that has lost its job neither comes about nor replaces another's", arguments: ObjectStore.allCases)
    func stale(store: ObjectStore) async throws {
        try await EdgeBench.with(store) { edge in
            let place = try store.place("out.mp4")
            let first = try await edge.claimed(nil, place)
            let output = try await blocking { Kept(try Self.write(edge, place, first)) }
            try await edge.bench.end(first, Bench.drained)
            let second = try await edge.bench.claim(first.job)
            try await blocking {
                try edge.objects(second).fence(second, outputs: [place.uri])
                #expect(try edge.bench.client.uploadNames(place) == [])
            }
            // What it has not sent yet it has no URL for, and what it has sent it cannot complete.
            let refused = try await blocking { failure { try edge.objects(first).commit([output.value], for: first) } }
            #expect(refused?.code == .leaseLost || refused?.code == .transferFailed, "\(String(describing: refused))")
            let codes = try await blocking {
                [
                    failure { try edge.objects(first).fence(first, outputs: [place.uri]) }?.code,
                    failure { _ = try Self.write(edge, place, first) }?.code,
                ]
            }
            #expect(codes == [.leaseLost, .leaseLost])
            try await blocking {
                try edge.objects(second).commit([try Self.write(edge, place, second)], for: second)
            }
            try await edge.bench.end(second, .succeeded("{}"))
            try await edge.bench.sweep()
            #expect(try await blocking { try edge.bench.client.wholeObject(place) } == Self.bytes)
            #expect(try await blocking { try edge.bench.client.uploadNames(place) } == [])
        }
    }

    @Test("comes about once, though the service's answers are lost", arguments: ObjectStore.allCases)
    func lostAnswers(store: ObjectStore) async throws {
        try await EdgeBench.with(store) { edge in
            let place = try store.place("out.mp4")
            let lease = try await edge.claimed(nil, place)
            func begin() async throws -> String {
                let begun: EdgeWire.BegunUpload = try await edge.client.ask(
                    "objects/begin", EdgeWire.NameObject(worker: "w", lease: lease, uri: place.uri))
                return begun.uploadID
            }
            let unheard = try await begin()
            let id = try await begin()
            #expect(unheard != id)
            #expect(try await blocking { try edge.bench.client.uploadNames(place) } == [id])
            let message = EdgeWire.PresignParts(
                worker: "w", lease: lease, uri: place.uri, uploadID: id, numbers: [1])
            let signed: EdgeWire.PresignedParts = try await edge.client.ask("objects/parts", message)
            let part = try await blocking {
                try [UInt8](repeating: 7, count: 1000).withUnsafeBytes {
                    try S3Presigned(http: HTTPClient(.init(.open)))
                        .uploadPart(signed.urls[0], of: place, number: 1, bytes: $0, stop: TransferStop())
                }
            }
            var etags: Set<String> = []
            for _ in 0..<3 {
                let done: EdgeWire.CompletedUpload = try await edge.client.ask(
                    "objects/complete",
                    EdgeWire.CompleteUpload(
                        worker: "w", lease: lease, uri: place.uri, uploadID: id,
                        parts: [UploadedPart(number: part.number, etag: part.etag)]))
                etags.insert(done.etag)
            }
            #expect(etags.count == 1)
            // An abort that comes after all leaves the object to the sweep.
            let _: EdgeWire.Nothing = try await edge.client.ask(
                "objects/abort", EdgeWire.AbortUpload(lease: lease, uri: place.uri, uploadID: id))
            #expect(try await blocking { try edge.bench.client.isThere(place) })
            try await edge.bench.end(lease, Bench.failed)
            try await edge.bench.sweep()
            #expect(try await blocking { try !edge.bench.client.isThere(place) })
            #expect(try await edge.bench.ledger.uploads(of: lease.job) == [])
        }
    }

    @Test("takes its worker's token nowhere else, whatever the service's address answers")
    func redirect() async throws {
        let script = """
            import http.server, json, os, threading, time
            seen, parent = [], os.getppid()
            def watch():
                while os.getppid() == parent: time.sleep(0.5)
                os._exit(0)
            threading.Thread(target=watch, daemon=True).start()
            class Handler(http.server.BaseHTTPRequestHandler):
                def log_message(self, *words): pass
                def do_POST(self):
                    self.rfile.read(int(self.headers.get("Content-Length") or 0))
                    seen.append([self.path, self.headers.get("Authorization")])
                    self.send_response(307)
                    self.send_header("Location", "http://localhost:%d/elsewhere" % self.server.server_port)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                def do_GET(self):
                    body = json.dumps([path for path, _ in seen]).encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            print(server.server_port, flush=True)
            server.serve_forever()
            """
        let server = try await blocking { try HTTPTestServer(program: ["python3", "-c", script]) }
        let address = try WebAddress("http://127.0.0.1:\(server.port)")
        let client = EdgeClient(.init(service: address, token: ControlService.token, version: "t"))
        await #expect(throws: Failure.self) { _ = try await client.check() }
        let failed = try await blocking {
            failure {
                let _: EdgeWire.Nothing = try client.insist("objects/fence", EdgeWire.Nothing(), stop: TransferStop())
            }
        }
        #expect(failed?.code == .storeUnavailable)
        let seen = try await blocking { String(decoding: try server.get("/"), as: UTF8.self) }
        #expect(seen == #"["/v1/edge/workers", "/v1/edge/objects/fence"]"#)
    }
}
