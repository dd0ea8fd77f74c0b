import Foundation
import HTTPTransfer
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing

/// A pool that has nothing but a store: no folder is allowed.
@Suite("A pool with an object store", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct ObjectStoreTests {
    static func settings(_ store: ObjectStore) throws -> [String: String] {
        let credentials = try ObjectStore.credentials
        let bucket = try store.bucket()
        return [
            "REELPOOL_ALLOW_LOCAL": "", "REELPOOL_S3_ENDPOINT": try store.url,
            "REELPOOL_S3_ACCESS_KEY": credentials.accessKey, "REELPOOL_S3_SECRET_KEY": credentials.secretKey,
            "REELPOOL_S3_BUCKET_RAW": bucket, "REELPOOL_S3_BUCKET_EXPORTS": bucket,
            "REELPOOL_S3_READ_ALLOW": "{raw}/daemons/{owner}", "REELPOOL_S3_WRITE_ALLOW": "{exports}/daemons/{owner}",
        ]
    }

    /// Puts a recording where the owner may read it.
    static func source(_ store: ObjectStore) throws -> (client: S3Client, folder: String, source: String) {
        let client = try store.client()
        let folder = "daemons/tester/\(UUID().uuidString.lowercased())"
        let place = S3Place(bucket: try store.bucket(), key: "\(folder)/talk.mp4")
        let bytes = Array(try bytes(ofFile: Fixture.media("talk.mp4")))
        _ = try client.put(place, bytes, contentType: "video/mp4", stop: TransferStop())
        return (client, "s3://\(place.bucket)/\(folder)", place.uri)
    }

    static func object(_ client: S3Client, _ uri: String) throws -> [UInt8] {
        let place = try #require(S3Place(uri: uri))
        let info = try #require(try client.info(place, stop: TransferStop()))
        var bytes = [UInt8](repeating: 0, count: Int(info.sizeBytes))
        _ = try bytes.withUnsafeMutableBytes {
            try client.read(place, at: 0, into: $0, ifMatch: nil, stop: TransferStop())
        }
        return bytes
    }

    static func key(_ folder: String) -> (bucket: String, prefix: String) {
        let parts = folder.dropFirst("s3://".count).split(separator: "/", maxSplits: 1)
        return (String(parts[0]), String(parts[1]))
    }

    @Test(
        "takes a recording from its probe to its render with nothing on its own disk", arguments: ObjectStore.allCases)
    func mainJob(store: ObjectStore) async throws {
        let settings = try await blocking { try Self.settings(store) }
        let (client, folder, source) = try await blocking { try Self.source(store) }
        try await RunningPool.with(settings) { pool in
            let probe = try await pool.end(of: try await pool.submit("probe", ["source": .string(source)]))
            #expect(probe["result"]?["report"]?["container"]?["duration_seconds"]?.doubleValue == 24)
            let proxy = try await pool.submit(
                "proxy", ["source": .string(source), "output": .string("\(folder)/proxy")])
            let edit: JSONValue = [
                "sources": [["id": "a", "uri": .string(source)]],
                "timeline": [["source": "a", "start_ms": 2000, "end_ms": 8000]],
            ]
            let output = "\(folder)/cut.mp4"
            let render = try await pool.submit("render", ["edit": edit, "output": .string(output), "mode": "full"])
            let copied = "\(folder)/copied.mp4"
            let copying = try await pool.submit(
                "render", ["edit": edit, "output": .string(copied), "mode": "smart"])
            let analysis = try await pool.submit(
                "analysis", ["source": .string(source), "edit_output": .string("\(folder)/pauses.json")])
            let made = try await pool.end(of: proxy)
            #expect(made["state"] == "succeeded", "\(made.text)")
            for name in ["proxy.mp4", "sprite.jpg", "waveform.json", "audio.mp3"] {
                let uri = "\(folder)/proxy/\(name)"
                #expect(made["result"]?["outputs"]?[name] == .string(uri))
                #expect(try await blocking { try !Self.object(client, uri).isEmpty })
            }
            let cut = try await pool.end(of: render)
            #expect(cut["state"] == "succeeded" && cut["attempt"] == 1, "\(cut.text)")
            #expect(cut["result"]?["outputs"]?["cut.mp4"] == .string(output))
            let quick = try await pool.end(of: copying)
            #expect(quick["state"] == "succeeded" && quick["attempt"] == 1, "\(quick.text)")
            #expect(quick["result"]?["report"]?["smart"]?["copied_pictures"]?.integerValue ?? 0 > 0, "\(quick.text)")
            #expect(try await pool.end(of: analysis)["state"] == "succeeded")
            let pauses = try await blocking { try Self.object(client, "\(folder)/pauses.json") }
            #expect(
                try JSONValue(parsing: String(decoding: pauses, as: UTF8.self))["sources"]?.arrayValue?.first?["uri"]
                    == .string(source))
            // What came is what was to come.
            for object in [output, copied] {
                let film = try await blocking { try Self.object(client, object) }
                let path = "\(pool.folder)/cut.mp4"
                try Data(film).write(to: URL(fileURLWithPath: path))
                #expect(try await blocking { try ReferenceVideo(path).frames.count } == 180)
                try FileManager.default.removeItem(atPath: path)
            }
            // Nothing is left, neither there nor here.
            let (bucket, prefix) = Self.key(folder)
            try await eventually("no upload is left") {
                try await blocking { try client.uploads(in: bucket, prefix: prefix, stop: TransferStop()) }.isEmpty
            }
            let files = try FileManager.default.subpathsOfDirectory(atPath: pool.folder)
                .filter { !$0.hasPrefix("jobs.db") && $0 != "log.jsonl" && $0 != "out" }
            #expect(files == [])
            let secret = try ObjectStore.credentials.secretKey
            #expect(try pool.logged().allSatisfy { !$0.text.contains(secret) })
        }
    }

    @Test("lets nobody name what is another's, and tells nothing of it")
    func owners() async throws {
        let store = ObjectStore.seaweedfs
        let settings = try await blocking { try Self.settings(store) }
        let (_, folder, source) = try await blocking { try Self.source(store) }
        try await RunningPool.with(settings) { pool in
            let there = try await pool.end(
                of: try await pool.submit("probe", ["source": .string(source)], ["owner": "stranger"]))
            let absent = try await pool.end(
                of: try await pool.submit("probe", ["source": .string("\(source).none")], ["owner": "stranger"]))
            for job in [there, absent] { #expect(job["failure"]?["code"] == "source_not_allowed", "\(job.text)") }
            let own = try await pool.end(of: try await pool.submit("probe", ["source": .string("\(source).none")]))
            #expect(own["failure"]?["code"] == "file_not_found")
            let edit: JSONValue = [
                "sources": [["id": "a", "uri": .string(source)]], "timeline": [["source": "a", "end_ms": 1000]],
            ]
            for output in ["\(folder)/../../other/x.mp4", "\(pool.out)/x.mp4", "https://example.com/x.mp4"] {
                let job = try await pool.end(
                    of: try await pool.submit("render", ["edit": edit, "output": .string(output)]))
                #expect(job["failure"]?["code"] == "source_not_allowed", "\(output)")
            }
            let file = try await pool.end(
                of: try await pool.submit("probe", ["source": .string(Fixture.media("talk.mp4"))]))
            #expect(file["failure"]?["code"] == "source_not_allowed")
        }
    }

    @Test("leaves nothing of a render that is cancelled, or whose worker was killed", arguments: [false, true])
    func leftovers(isKilled: Bool) async throws {
        let store = ObjectStore.seaweedfs
        let settings = try await blocking { try Self.settings(store) }
        let (client, folder, source) = try await blocking { try Self.source(store) }
        let more = settings.merging(["REELPOOL_LEASE_SECONDS": "3"]) { $1 }
        let (bucket, prefix) = Self.key(folder)
        @Sendable func uploads() async throws -> Int {
            try await blocking { try client.uploads(in: bucket, prefix: prefix, stop: TransferStop()).count }
        }
        try await RunningPool.with(more) { pool in
            let range: JSONValue = ["source": "a", "start_ms": 0, "end_ms": 20_000]
            let edit: JSONValue = [
                "sources": [["id": "a", "uri": .string(source)]],
                "timeline": .array(Array(repeating: range, count: 60)),
            ]
            let id = try await pool.submit(
                "render", ["edit": edit, "output": .string("\(folder)/long.mp4"), "mode": "full"])
            try await eventually("it uploads") { try await uploads() == 1 }
            if isKilled {
                pool.daemon.signal(SIGKILL)
                #expect(await pool.daemon.ended(within: 30))
                try pool.daemon.start()
                try await eventually("it answers again") { (try? await pool.get("/livez").status) == 200 }
                try await eventually("it runs again") { try await pool.job(id)["attempt"] == 2 }
                try await eventually("it uploads again, once") { try await uploads() == 1 }
            }
            let moment = ContinuousClock.now
            #expect(try await pool.post("/v1/jobs/\(id)/cancel").status == 202)
            #expect(try await pool.end(of: id)["state"] == "cancelled")
            let seconds = (ContinuousClock.now - moment) / .seconds(1)
            print("a render into a store was cancelled after \((seconds * 1000).rounded()) ms")
            #expect(seconds < 5)
            try await eventually("nothing is left") { try await uploads() == 0 }
        }
    }

    @Test("reads what is behind a signed URL, and says when its time is over")
    func signedURLs() async throws {
        let store = ObjectStore.seaweedfs
        let settings = try await blocking { try Self.settings(store) }
        let (client, _, source) = try await blocking { try Self.source(store) }
        let more = settings.merging(["REELPOOL_SOURCE_HOSTS": "127.0.0.1"]) { $1 }
        try await RunningPool.with(more) { pool in
            let place = try #require(S3Place(uri: source))
            let probe = try await pool.end(
                of: try await pool.submit("probe", ["source": .string(client.presign("GET", place))]))
            #expect(probe["result"]?["report"]?["container"]?["duration_seconds"]?.doubleValue == 24)
            // Signed an hour ago, for a quarter of one.
            var old = S3ClientSettings()
            old.clock.wallSeconds = { S3Clock.system.wallSeconds() - 3600 }
            let expired = try store.client(settings: old).presign("GET", place)
            let late = try await pool.end(of: try await pool.submit("probe", ["source": .string(expired)]))
            #expect(late["failure"]?["code"] == "url_expired", "\(late.text)")
            #expect(late["failure"]?["message"]?.stringValue?.contains("Signature") == false)
        }
        try await RunningPool.with(settings) { pool in
            let url = client.presign("GET", try #require(S3Place(uri: source)))
            let refused = try await pool.end(of: try await pool.submit("probe", ["source": .string(url)]))
            #expect(refused["failure"]?["code"] == "source_not_allowed", "\(refused.text)")
        }
    }
}
