import Foundation
import Glibc
import HTTPTransfer
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing

/// A pool with a store, and workers that know neither the store nor its keys.
@Suite("A worker without keys to the store", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct EdgeObjectStoreTests {
    private static let work = ["REELPOOL_KINDS": "download,probe,proxy,render", "PROXY_MEMORY": "1g"]

    private static func cut(_ source: String, minutes: Int) -> JSONValue {
        let range: JSONValue = ["source": "a", "start_ms": 0, "end_ms": 20_000]
        return [
            "sources": [["id": "a", "uri": .string(source)]],
            "timeline": .array(Array(repeating: range, count: 3 * minutes)),
            // Its pictures have to be encoded.
            "output": ["video": ["keyframe_interval_s": 3]],
        ]
    }

    @Test(
        "takes a recording from its URL to its render, by URLs that end again and again",
        arguments: ObjectStore.allCases)
    func work(store: ObjectStore) async throws {
        let server = try HTTPTestServer.start()
        let service = try await blocking { try ObjectStoreTests.settings(store) }
        let (client, folder, _) = try await blocking { try ObjectStoreTests.source(store) }
        let settings = Self.work.merging(["REELPOOL_ALLOW_LOCAL": "", "REELPOOL_SOURCE_HOSTS": "127.0.0.1"]) { $1 }
        try await EdgeWorker.with(
            service: service.merging(["REELPOOL_EDGE_URL_SECONDS": "3"]) { $1 }, settings
        ) { pool, worker in
            let pid = try #require(worker.daemon.pid)
            let environment = String(decoding: try bytes(ofFile: "/proc/\(pid)/environ"), as: UTF8.self)
            let credentials = try ObjectStore.credentials
            for word in ["S3", "AWS", credentials.accessKey + "\0", credentials.secretKey] {
                #expect(!environment.contains(word), "\(word)")
            }
            let source = "\(folder)/fetched.mp4"
            let url = server.url("/media?key=e&file=\(Fixture.media("talk.mp4"))&type=video/mp4")
            let fetched = try await pool.end(
                of: try await pool.submit("download", ["source": .string(url), "output": .string(source)]))
            #expect(fetched["state"] == "succeeded", "\(fetched.text)")

            let probe = try await pool.submit("probe", ["source": .string(source)])
            let proxy = try await pool.submit(
                "proxy", ["source": .string(source), "output": .string("\(folder)/proxy")])
            let output = "\(folder)/cut.mp4"
            let edit: JSONValue = [
                "sources": [["id": "a", "uri": .string(source)]],
                "timeline": [["source": "a", "start_ms": 2000, "end_ms": 8000]],
            ]
            let render = try await pool.submit("render", ["edit": edit, "output": .string(output)])
            let report = try await pool.end(of: probe)["result"]?["report"]
            #expect(report?["container"]?["duration_seconds"]?.doubleValue == 24)
            let made = try await pool.end(of: proxy)
            #expect(made["state"] == "succeeded", "\(made.text)")
            for name in ["proxy.mp4", "sprite.jpg", "waveform.json", "audio.mp3"] {
                #expect(try await blocking { try !ObjectStoreTests.object(client, "\(folder)/proxy/\(name)").isEmpty })
            }
            let job = try await pool.end(of: render)
            #expect(job["state"] == "succeeded" && job["attempt"] == 1, "\(job.text)")
            let film = try await blocking { try ObjectStoreTests.object(client, output) }
            let path = "\(pool.folder)/cut.mp4"
            try Data(film).write(to: URL(fileURLWithPath: path))
            #expect(try await blocking { try ReferenceVideo(path).frames.count } == 180)

            // What its owner may not have, and what is not there, is told as anywhere.
            let absent = try await pool.end(of: try await pool.submit("probe", ["source": .string("\(source).none")]))
            #expect(absent["failure"]?["code"] == "file_not_found", "\(absent.text)")
            let foreign = try await pool.end(
                of: try await pool.submit("probe", ["source": .string(source)], ["owner": "stranger"]))
            #expect(foreign["failure"]?["code"] == "source_not_allowed", "\(foreign.text)")

            let (bucket, prefix) = ObjectStoreTests.key(folder)
            let uploads = try await blocking { try client.uploads(in: bucket, prefix: prefix, stop: TransferStop()) }
            #expect(uploads.isEmpty)
            for log in [try worker.logged(), try pool.logged().map(\.text).joined()] {
                #expect(!log.contains(credentials.secretKey) && !log.contains("ignature="))
            }
        }
    }

    @Test(
        "leaves nothing when it is killed in the middle of an output, which another makes; nor when a job is cancelled")
    func killed() async throws {
        let store = ObjectStore.seaweedfs
        let lease = ["REELPOOL_LEASE_SECONDS": "3"]
        let service = try await blocking { try ObjectStoreTests.settings(store) }.merging(lease) { $1 }
        let (client, folder, source) = try await blocking { try ObjectStoreTests.source(store) }
        let settings = Self.work.merging(["REELPOOL_ALLOW_LOCAL": ""]) { $1 }.merging(lease) { $1 }
        let (bucket, prefix) = ObjectStoreTests.key(folder)
        @Sendable func uploads() async throws -> Int {
            try await blocking { try client.uploads(in: bucket, prefix: prefix, stop: TransferStop()).count }
        }
        try await EdgeWorker.with(service: service, settings) { pool, worker in
            let output = "\(folder)/long.mp4"
            let id = try await pool.submit("render", ["edit": Self.cut(source, minutes: 1), "output": .string(output)])
            try await eventually("it uploads") { try await uploads() == 1 }
            worker.daemon.signal(SIGKILL)
            #expect(await worker.daemon.ended(within: 30))
            let other = worker.another(pool, settings.merging(["REELPOOL_NAME": "edge-2"]) { $1 })
            try other.daemon.start()
            do {
                let job = try await pool.end(of: id)
                #expect(job["state"] == "succeeded" && job["attempt"] == 2, "\(job.text)")
                let workers = try #require(job["attempts"]?.arrayValue).map { $0["worker"]?.stringValue }
                #expect(workers.contains("edge") && workers.last == "edge-2", "\(workers)")
                #expect(try await blocking { try !ObjectStoreTests.object(client, output).isEmpty })
                #expect(try await uploads() == 0)

                let next = try await pool.submit(
                    "render", ["edit": Self.cut(source, minutes: 20), "output": .string("\(folder)/next.mp4")])
                try await eventually("it uploads") { try await uploads() == 1 }
                #expect(try await pool.post("/v1/jobs/\(next)/cancel").status == 202)
                #expect(try await pool.end(of: next)["state"] == "cancelled")
                try await eventually("nothing is left") { try await uploads() == 0 }
            } catch {
                await other.daemon.stop()
                throw DaemonTestError(description: "\(error)\n\((try? other.logged()) ?? "")")
            }
            await other.daemon.stop()
        }
    }
}
