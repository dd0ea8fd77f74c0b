import Foundation
import Model
import PoolTestSupport
import TestSupport
import Testing

@Suite("A pool that downloads")
struct PoolDownloadTests {
    private static func fetch(
        _ pool: RunningPool, _ source: String, _ name: String = "talk.mp4", _ more: [String: JSONValue] = [:]
    ) async throws -> JSONValue {
        let payload = more.merging(["source": .string(source), "output": .string("\(pool.out)/\(name)")]) { $1 }
        return try await pool.end(of: try await pool.submit("download", .object(payload)))
    }

    @Test("has what is behind a URL in its store, ready for the next job, and tells how far it is")
    func main() async throws {
        let server = try HTTPTestServer.start()
        try await RunningPool.with(["REELPOOL_SOURCE_HOSTS": "localhost"]) { pool in
            let talk = try bytes(ofFile: Fixture.media("talk.mp4"))
            // It breaks off once, too.
            let path = "/media?key=d&file=\(Fixture.media("talk.mp4"))&type=video/mp4&cut=100000"
            let id = try await pool.submit(
                "download",
                [
                    "source": .string(server.url(path, host: "localhost")),
                    "output": .string("\(pool.out)/talk.mp4"),
                ])
            let events = try await pool.events(of: id)
            let steps = events.filter { $0.name == "progress" }.compactMap { $0.data["current_step"]?.stringValue }
            #expect(steps.contains("transferring") && steps.contains("completed"), "\(steps)")
            let job = try await pool.job(id)
            #expect(job["state"] == "succeeded" && job["attempt"] == 1)
            #expect(job["result"]?["size_bytes"]?.integerValue == Int64(talk.count))
            #expect(job["result"]?["content_type"] == "video/mp4")
            #expect(job["result"]?["output"] == .string("\(pool.out)/talk.mp4"))
            #expect(try bytes(ofFile: "\(pool.out)/talk.mp4") == talk)
            let probe = try await pool.submit("probe", ["source": .string("\(pool.out)/talk.mp4")])
            let report = try await pool.end(of: probe)["result"]?["report"]
            #expect(report?["container"]?["duration_seconds"]?.doubleValue == 24)
        }
    }

    @Test("lets nobody into its own network, and calls nobody there")
    func inside() async throws {
        let server = try HTTPTestServer.start()
        try await RunningPool.with { pool in
            let places = [
                "http://127.0.0.1:\(server.port)", "http://localhost:\(server.port)", "http://[::1]:\(server.port)",
                "http://2130706433:\(server.port)", "http://169.254.169.254/latest/meta-data/",
            ]
            for place in places {
                let job = try await Self.fetch(pool, place)
                #expect(job["state"] == "failed" && job["failure"]?["code"] == "source_not_allowed", "\(place)")
                #expect(job["attempt"] == 1)
            }
            let counts = try JSONValue(parsing: String(decoding: try server.get("/counts"), as: UTF8.self))
            #expect(counts["connections"] == 1, "but for the test itself")
            #expect(!FileManager.default.fileExists(atPath: "\(pool.out)/talk.mp4"))
        }
    }

    @Test("says what cannot be a download at once, and what has expired when its turn comes")
    func refused() async throws {
        try await RunningPool.with { pool in
            for source in ["s3://raw/a.mp4", "/etc/passwd", "file:///etc/passwd", "https://"] {
                let answer = try await pool.post(
                    "/v1/jobs",
                    ["kind": "download", "owner": "o", "payload": ["source": .string(source), "output": "/o"]])
                #expect(answer.status == 422 && answer.json["code"] == "invalid_task", "\(source): \(answer.body)")
            }
            let job = try await Self.fetch(
                pool, "https://example.com/a.mp4?X-Amz-Date=20200101T000000Z&X-Amz-Expires=900&X-Amz-Signature=s")
            #expect(job["failure"]?["code"] == "url_expired" && job["attempt"] == 1)
            let sent = try await Self.fetch(
                pool, "https://example.com/a.mp4", "b.mp4", ["expires_at": "2020-01-01T00:00:00Z"])
            #expect(sent["failure"]?["code"] == "url_expired")
        }
    }

    @Test("needs no process for it, and stops a cancelled one at once")
    func cancel() async throws {
        let server = try HTTPTestServer.start()
        try await RunningPool.with(["REELPOOL_SOURCE_HOSTS": "127.0.0.1", "REELPOOL_KINDS": "download"]) { pool in
            let path = "/media?key=d&file=\(Fixture.media("talk.mp4"))&stall=200000&times=99"
            let id = try await pool.submit(
                "download", ["source": .string(server.url(path)), "output": .string("\(pool.out)/talk.mp4")])
            try await eventually("half of it has come") {
                let asked = try JSONValue(parsing: String(decoding: server.get("/asked?key=d"), as: UTF8.self))
                return asked.arrayValue?.isEmpty == false
            }
            #expect(pool.children().isEmpty)
            let moment = ContinuousClock.now
            #expect(try await pool.post("/v1/jobs/\(id)/cancel").status == 202)
            #expect(try await pool.end(of: id)["state"] == "cancelled")
            let seconds = (ContinuousClock.now - moment) / .seconds(1)
            print("a cancelled download was stopped after \((seconds * 1000).rounded()) ms")
            #expect(seconds < 5)
            #expect(!FileManager.default.fileExists(atPath: "\(pool.out)/talk.mp4"))
        }
    }
}
