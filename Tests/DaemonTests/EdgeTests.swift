import Foundation
import Glibc
import Model
import PoolTestSupport
import TestSupport
import Testing

@Suite("A worker by way of the control service")
struct EdgeTests {
    @Test("does jobs of every sort, and their owners see how far they are")
    func work() async throws {
        try await EdgeWorker.with { pool, _ in
            var noops: [String] = []
            for _ in 0..<20 { noops.append(try await pool.submit("noop", [:])) }
            let probe = try await pool.end(
                of: try await pool.submit("probe", ["source": .string(Fixture.media("talk.mp4"))]))
            #expect(probe["result"]?["report"]?["container"]?["duration_seconds"]?.doubleValue == 24)
            for id in noops { #expect(try await pool.end(of: id)["state"] == "succeeded") }

            let render = try await EdgeWorker.longRender(pool, minutes: 1, "o.mp4")
            let events = try await pool.events(of: render)
            let percents = events.filter { $0.name == "progress" }.compactMap {
                $0.data["progress_percent"]?.doubleValue
            }
            #expect(percents.count >= 2 && percents == percents.sorted() && percents.last == 100, "\(percents)")
            #expect(events.last { $0.name == "job" }?.data["state"] == "succeeded")
            #expect(FileManager.default.fileExists(atPath: "\(pool.out)/o.mp4"))

            let missing = try await pool.submit("probe", ["source": .string("\(pool.out)/none.mp4")])
            let failed = try await pool.end(of: missing)
            #expect(failed["state"] == "failed" && failed["failure"]?["code"] == "file_not_found")
            let workers = try await pool.get("/v1/workers").json["workers"]?.arrayValue
            #expect(workers?.contains { $0["name"] == "edge" } == true)
        }
    }

    @Test("comes by TLS, and trusts the authority that it is told to, and no other")
    func tls() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-tls-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (certificate, key) = ("\(folder)/certificate.pem", "\(folder)/key.pem")
        let words = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
        ]
        _ = try await blocking { try Command.output("openssl", words) }
        let script = "\(Fixture.repository)/Tests/HTTPServer/tls_way.py"
        var ends: [HTTPTestServer] = []
        func control(_ way: NetworkWay) throws -> String {
            ends.append(
                try HTTPTestServer(program: ["python3", script, certificate, key, "\(way.port)"], scheme: "https"))
            return "https://localhost:\(ends[ends.count - 1].port)"
        }
        try await EdgeWorker.with(["REELPOOL_CONTROL_CA": certificate], control: control) { pool, _ in
            let job = try await pool.end(of: try await pool.submit("noop", [:]))
            #expect(job["state"] == "succeeded")
        }
        try await EdgeWorker.with(control: control) { pool, worker in
            let log = "\(pool.folder)/edge.jsonl"
            try await eventually("it says that it gets no answer") {
                try String(contentsOfFile: log, encoding: .utf8).contains("does not answer yet")
            }
            let id = try await pool.submit("noop", [:])
            try await eventually("it has tried to claim") {
                try String(contentsOfFile: log, encoding: .utf8).contains("claiming failed")
            }
            #expect(try await pool.state(id) == "queued" && worker.daemon.pid != nil)
        }
        for end in ends { end.stop() }
    }

    @Test("stops what is cancelled, and hands its jobs back when it is drained")
    func cancelAndDrain() async throws {
        try await EdgeWorker.with(["REELPOOL_DRAIN_SECONDS": "0"]) { pool, worker in
            let id = try await EdgeWorker.longRender(pool, minutes: 20, "a.mp4")
            try await eventually("it renders") { try await pool.state(id) == "running" && !worker.children().isEmpty }
            #expect(try await pool.post("/v1/jobs/\(id)/cancel").status == 202)
            #expect(try await pool.end(of: id)["state"] == "cancelled")
            try await eventually("its process is gone") { worker.children().isEmpty }

            let next = try await EdgeWorker.longRender(pool, minutes: 1, "b.mp4")
            try await eventually("the next renders") {
                try await pool.state(next) == "running" && !worker.children().isEmpty
            }
            worker.daemon.signal(SIGTERM)
            #expect(await worker.daemon.ended(within: 30))
            let job = try await pool.job(next)
            #expect(job["state"] == "queued" && job["attempt"] == 0)
            try worker.daemon.start()
            #expect(try await pool.end(of: next)["state"] == "succeeded")
        }
    }

    @Test("goes on with its jobs when the service is killed and comes back")
    func restart() async throws {
        try await EdgeWorker.with { pool, worker in
            let id = try await EdgeWorker.longRender(pool, minutes: 4, "o.mp4")
            let child = try await worker.lastingChild()
            #expect(try await pool.state(id) == "running")
            pool.daemon.signal(SIGKILL)
            #expect(await pool.daemon.ended(within: 30))
            let before = try pool.port()
            try pool.daemon.start()
            try await eventually("it answers again") {
                guard try pool.port() != before else { return false }
                return (try? await pool.get("/livez").status) == 200
            }
            worker.way.mend(to: try pool.port())
            #expect(worker.children() == [child], "nothing was begun anew")
            // Some other job at the same time shows that it claims again.
            let probe = try await pool.submit("probe", ["source": .string(Fixture.media("talk.mp4"))])
            #expect(try await pool.end(of: probe)["state"] == "succeeded")
            let job = try await pool.end(of: id)
            #expect(job["state"] == "succeeded" && job["attempt"] == 1)
            // One to look, one to work.
            #expect(try await pool.job(id)["attempts"]?.arrayValue?.count == 2)
        }
    }

    @Test("that is cut off stops what it cannot hold, and others may have it")
    func cutOff() async throws {
        let lease = ["REELPOOL_LEASE_SECONDS": "6"]
        try await EdgeWorker.with(service: lease, lease) { pool, worker in
            let id = try await EdgeWorker.longRender(pool, minutes: 20, "o.mp4")
            try await eventually("it renders") { try await pool.state(id) == "running" && !worker.children().isEmpty }
            worker.way.cut()
            try await eventually("it stops by itself") { worker.children().isEmpty }
            try await eventually("the pool has noticed") { try await pool.state(id) != "running" }
            let attempts = try #require(try await pool.job(id)["attempts"]?.arrayValue)
            #expect(attempts.last?["failure"]?["code"] == "worker_lost")
            #expect(worker.daemon.pid != nil, "it waits for its pool")
            worker.way.mend()
            try await eventually("it has the job again") {
                try await pool.state(id) == "running" && !worker.children().isEmpty
            }
            #expect(try await pool.job(id)["attempt"] == 2)
            #expect(try await pool.post("/v1/jobs/\(id)/cancel").status == 202)
            #expect(try await pool.end(of: id)["state"] == "cancelled")
            #expect(!FileManager.default.fileExists(atPath: "\(pool.out)/o.mp4"))
        }
    }

    @Test("waits for a service that is not there yet, and does not begin with a token that is refused")
    func start() async throws {
        try await EdgeWorker.with { pool, worker in
            await worker.daemon.stop()
            worker.way.cut()
            try worker.daemon.start()
            let id = try await pool.submit("noop", [:])
            worker.way.mend()
            #expect(try await pool.end(of: id)["state"] == "succeeded")
        }
        try await EdgeWorker.with(["REELPOOL_EDGE_TOKEN": "tg61-nv08-wr35-kz93"]) { pool, worker in
            #expect(await worker.daemon.ended(within: 30))
            let log = try String(contentsOfFile: "\(pool.folder)/edge.jsonl", encoding: .utf8)
            #expect(log.contains("no control service that lets this worker in") && !log.contains("kz93"))
        }
    }

    @Test("has an interface that neither the scheduler's token nor none opens, and one that is shut without a token")
    func tokens() async throws {
        try await RunningPool.with(["REELPOOL_EDGE_TOKEN": EdgeWorker.token], command: ["serve"]) { pool in
            var statuses: [Int] = []
            for token in [nil, RunningPool.token, EdgeWorker.token] {
                statuses.append(try await pool.call("POST", "/v1/edge/workers", body: [:], token: token).status)
            }
            #expect(statuses == [401, 401, 200])
            let listed = try await pool.get("/v1/jobs", token: EdgeWorker.token)
            #expect(listed.status == 401, "it is no scheduler")
        }
        try await RunningPool.with(command: ["serve"]) { pool in
            let answer = try await pool.call("POST", "/v1/edge/workers", body: [:], token: "")
            #expect(answer.status == 404)
        }
    }
}
