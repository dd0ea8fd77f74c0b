import Foundation
import Model
import PoolTestSupport
import TestSupport
import Testing

@Suite("The interface over HTTP")
struct InterfaceTests {
    @Test("tells operators' machinery how things are")
    func health() async throws {
        try await RunningPool.with { pool in
            #expect(try await pool.get("/livez", token: nil).body == "ok")
            #expect(try await pool.get("/readyz", token: nil).status == 200)
            let id = try await pool.submit("noop", [:], ["delay_ms": 3_600_000])
            let metrics = try await pool.get("/metrics", token: nil)
            #expect(metrics.body.contains(#"reelpool_jobs{kind="noop",state="scheduled"} 1"#))
            #expect(metrics.body.contains(#"reelpool_worker_slots{worker="box"} 2"#))
            #expect(try await pool.post("/v1/jobs/\(id)/cancel").json["state"] == "cancelled")
            let document = try await pool.get("/openapi.json", token: nil).json
            #expect(document["openapi"]?.stringValue?.hasPrefix("3.") == true)
            #expect(document["paths"]?["/v1/jobs/{id}/events"] != nil)
        }
    }

    @Test("lets nobody in without its token, and says why what is wrong is wrong")
    func refusals() async throws {
        try await RunningPool.with { pool in
            #expect(try await pool.get("/v1/jobs", token: nil).status == 401)
            #expect(try await pool.get("/v1/jobs", token: "dj38-dk20-sl49-qm18").status == 401)
            #expect(try await pool.get("/v1/jobs/6bb20c94-7d4c-4bd0-b3b1-1fb7b4cf34ba").status == 404)
            #expect(try await pool.get("/v1/jobs/nothing").status == 404)
            #expect(try await pool.get("/v1/jobs?state=odd").status == 400)
            let wrong: [(JSONValue, String)] = [
                (["kind": "render"], "invalid_task"),
                (["kind": "paint", "owner": "o", "payload": [:]], "unknown_task"),
                (["kind": "probe", "owner": "o", "payload": ["sauce": "x"]], "unknown_field"),
                (["kind": "probe", "payload": ["source": "x"]], "invalid_task"),
                (["kind": "noop", "owner": "o", "payload": [:], "speed": 3], "unknown_field"),
            ]
            for (body, code) in wrong {
                let answer = try await pool.post("/v1/jobs", body)
                #expect((400..<500).contains(answer.status), "\(body.text): \(answer.body)")
                #expect(answer.json["code"] == .string(code), "\(body.text): \(answer.body)")
            }
            #expect(try await pool.get("/v1/jobs").json["jobs"]?.arrayValue?.isEmpty == true)
        }
    }

    @Test("makes one job of one key, however often it is sent")
    func idempotency() async throws {
        try await RunningPool.with { pool in
            let body: JSONValue = ["kind": "noop", "owner": "o", "payload": [:], "delay_ms": 60_000]
            let first = try await pool.post("/v1/jobs", body, headers: ["Idempotency-Key: one"])
            let again = try await pool.post("/v1/jobs", body, headers: ["Idempotency-Key: one"])
            let other = try await pool.post("/v1/jobs", body, headers: ["Idempotency-Key: two"])
            #expect(first.status == 201 && again.status == 200 && other.status == 201)
            #expect(first.json["id"] == again.json["id"] && first.json["id"] != other.json["id"])
            #expect(try await pool.get("/v1/jobs?state=scheduled").json["jobs"]?.arrayValue?.count == 2)
            let id = try #require(first.json["id"]?.stringValue)
            let raised = try await pool.call("PATCH", "/v1/jobs/\(id)", body: ["tier": 3])
            #expect(raised.status == 200 && raised.json["tier"] == 3)
        }
    }

    @Test("lets a failed job run again")
    func requeue() async throws {
        try await RunningPool.with { pool in
            let missing = "\(pool.out)/later.mp4"
            let id = try await pool.submit("probe", ["source": .string(missing)])
            #expect(try await pool.end(of: id)["state"] == "failed")
            try FileManager.default.copyItem(atPath: Fixture.media("talk.mp4"), toPath: missing)
            let answer = try await pool.post("/v1/jobs/\(id)/requeue")
            #expect(answer.status == 201 && answer.json["retry_of"] == .string(id))
            let again = try #require(answer.json["id"]?.stringValue)
            #expect(try await pool.end(of: again)["state"] == "succeeded")
            #expect(try await pool.get("/v1/jobs/\(id)").json["state"] == "failed")
            for id in [id, again] { #expect(try await pool.post("/v1/jobs/\(id)/requeue").status == 409) }
        }
    }

    @Test("does not begin where settings are wrong, and names all of them")
    func settings() async throws {
        let program = (Fixture.program as NSString).deletingLastPathComponent + "/reelpoold"
        let words = [
            "-i", "REELPOOL_BROKER=amqp://guest:guest@localhost/", "REELPOOL_API_TOKEN=secret", "REELPOOL_SLOTS=0",
            "RENDER_MEMROY=6g", "REELPOOL_HTTP_PROT=80", program, "worker",
        ]
        let result = try await blocking { try Command.run("env", words) }
        #expect(result.status == 78)
        for name in ["REELPOOL_BROKER", "REELPOOL_API_TOKEN", "REELPOOL_SLOTS", "RENDER_MEMROY", "REELPOOL_HTTP_PROT"] {
            #expect(result.errors.contains(name), "\(name): \(result.errors)")
        }
        #expect(!result.errors.contains("guest:guest") && !result.errors.contains("=secret"))
    }
}
