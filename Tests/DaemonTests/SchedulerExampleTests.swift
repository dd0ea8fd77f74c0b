import Foundation
import Model
import PoolTestSupport
import TestSupport
import Testing

/// What `docs/scheduling.md` shows, done to a daemon as it stands there.
@Suite("Examples for scheduler authors")
struct SchedulerExampleTests {
    private static func block(_ language: String, containing text: String) throws -> String {
        try #require(try Document("docs/scheduling.md").blocks(language).first { $0.contains(text) })
    }

    @Test("work over HTTP")
    func http() async throws {
        let script = try Self.block("sh", containing: "/v1/jobs")
        try await RunningPool.with { pool in
            let words = [
                "REELPOOL_URL=\(try pool.url())", "REELPOOL_API_TOKEN=\(RunningPool.token)",
                "SOURCE=\(Fixture.media("talk.mp4"))", "bash", "-euo", "pipefail", "-c", script,
            ]
            let output = try await blocking { String(decoding: try Command.output("env", words), as: UTF8.self) }
            #expect(output.contains("event: job") && output.contains("\"duration_seconds\": 24"))
            let jobs = try await pool.get("/v1/jobs").json["jobs"]?.arrayValue ?? []
            #expect(jobs.count == 1 && jobs[0]["state"] == "succeeded" && jobs[0]["tier"] == 2)
            #expect(output.contains(try #require(jobs[0]["id"]?.stringValue)))
        }
    }

    @Test(
        "work over RabbitMQ in Reelpool's own form",
        .enabled(if: Servers.hasClients && Servers.hasPostgres, "servers or Python clients are missing"))
    func native() async throws {
        let lines = try Self.block("python", containing: "routing_key=\"reelpool.tasks\"")
        let queue = uniqueName("daemon.native")
        let program = """
            import aio_pika, asyncio, json
            AMQP = "\(Servers.shared.rabbitURL)"
            task = {"version": 1, "id": "0e984725-c51c-4bf4-9960-e1c80e27aba0", "kind": "probe", "owner": "alice", "payload":
                {"source": "\(Fixture.media("talk.mp4"))"}}
            async def main():
            \(lines.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
            asyncio.run(main())
            """.replacing("reelpool.tasks", with: queue)
        let settings = [
            "REELPOOL_BROKER": Servers.shared.rabbitURL, "REELPOOL_QUEUES_NATIVE": queue,
            "REELPOOL_QUEUE_QUARANTINE": "\(queue).quarantine",
        ]
        try await RunningPool.with(settings) { pool in
            try await eventually("it is ready") { try await pool.get("/readyz").status == 200 }
            let python = Servers.python ?? "python3"
            for _ in 0..<2 { _ = try await blocking { try Command.output(python, ["-c", program]) } }
            try await eventually("it has come") {
                try await pool.get("/v1/jobs/0e984725-c51c-4bf4-9960-e1c80e27aba0").status == 200
            }
            let job = try await pool.end(of: "0e984725-c51c-4bf4-9960-e1c80e27aba0")
            #expect(job["state"] == "succeeded" && job["owner"] == "alice")
            #expect(try await pool.get("/v1/jobs").json["jobs"]?.arrayValue?.count == 1)
        }
    }
}
