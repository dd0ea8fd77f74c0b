import Foundation
import Glibc
import Model
import PoolTestSupport
import ProgressRedis
import SQLStore
import TestSupport
import Testing
import WorkerCore

@Suite("Billing")
struct BillingTests {
    @Test("refuses by HTTP what its owner cannot pay for, and takes the same when he can")
    func poor() async throws {
        try await PricedPool.with { priced in
            let pool = priced.pool
            let body: JSONValue = ["kind": "noop", "owner": "tester", "payload": [:]]
            let refused = try await pool.post("/v1/jobs", body, headers: ["Idempotency-Key: k"])
            #expect(refused.status == 402 && refused.json["code"] == "insufficient_credit")
            #expect(try await pool.get("/v1/jobs").json["jobs"]?.arrayValue?.isEmpty == true)
            try await priced.grant(1)
            let taken = try await pool.post("/v1/jobs", body, headers: ["Idempotency-Key: k"])
            #expect(taken.status == 201 && taken.json["price"] == "1" && taken.json["billing"] == "internal")
            let id = try #require(taken.json["id"]?.stringValue)
            #expect(try await pool.end(of: id)["charge"] == "1")
            #expect(try await priced.credit() == "0 0")
            #expect(try await priced.moves(id) == ["hold 1", "capture 1"])
        }
    }

    @Test("holds the price of all that a render may come to, and charges what came of it")
    func measured() async throws {
        try await PricedPool.with { priced in
            let pool = priced.pool
            try await priced.grant(10)
            let edit: JSONValue = [
                "sources": [["uri": .string(Fixture.media("talk.mp4"))]],
                "edits": [["start_ms": 0, "end_ms": 12_000, "action": "cut"]], "settings": ["resolution": "720p"],
            ]
            let id = try await pool.submit("render", ["edit": edit, "output": .string("\(pool.out)/half.mp4")])
            let job = try await pool.end(of: id)
            // 24 seconds would be 0.8, and half of them are cut.
            #expect(job["state"] == "succeeded" && job["price"] == "0.4")
            let charge = try #require(job["charge"]?.stringValue.flatMap(Double.init))
            #expect(charge <= 0.4 && charge > 0.39, "\(charge)")
            #expect(try await priced.operations(id) == ["hold", "capture"])
            let usage = try await priced.store.usage(from: 0, to: .max, after: 0, limit: 100)
            #expect(usage.contains { $0.metric == .mediaMilliseconds && abs($0.quantity - 12_000) < 300 })
            #expect(usage.contains { $0.metric == .outputBytes && $0.quantity > 10_000 })
        }
    }

    @Test("tells prices before anything is sent")
    func quotes() async throws {
        try await PricedPool.with { priced in
            let payload: JSONValue = ["edit": PricedPool.edit(minutes: 3), "output": "/out.mp4"]
            let quote = try await priced.pool.post("/v1/quotes", ["kind": "render", "payload": payload])
            #expect(quote.status == 200 && quote.json["price"] == "6" && quote.json["rate_version"] == 9)
            #expect(quote.json["bound"] == ["milliseconds": 180_000, "resolution": "720p"])
            let given = try await priced.pool.post(
                "/v1/quotes", ["kind": "render", "bound": ["milliseconds": 30_000, "resolution": "2160p"]])
            #expect(given.json["price"] == "4")
            for (body, status) in [
                (["kind": "render"], 422), (["kind": "proxy"], 422), (["kind": "x"], 422),
                (["kind": "render", "bound": ["milliseconds": -1, "resolution": "720p"]], 422),
                (["kind": "render", "owner": "x"], 422),
            ] as [(JSONValue, Int)] {
                #expect(try await priced.pool.post("/v1/quotes", body).status == status, "\(body.text)")
            }
            // The command looks at what lies here, where the edit does not say how long it is.
            let file = "\(priced.pool.folder)/edit.json"
            let talk = Fixture.media("talk.mp4")
            try #"{"sources": [{"uri": "\#(talk)"}], "edits": []}"#.write(
                toFile: file, atomically: true, encoding: .utf8)
            let words = [
                "REELPOOL_URL=\(try priced.pool.url())", "REELPOOL_API_TOKEN=\(RunningPool.token)", Fixture.program,
                "quote", file, "--json",
            ]
            let told = try await blocking { try Command.run("env", words) }
            #expect(told.status == 0, "\(told.errors)")
            #expect(try JSONValue(parsing: told.text)["bound"]?["milliseconds"] == 24_000)
        }
    }

    @Test("charges once, when a daemon is killed between the claim and the end")
    func killed() async throws {
        try await PricedPool.with { priced in
            let pool = priced.pool
            try await priced.grant(10)
            let id = try await pool.submit(
                "render", ["edit": PricedPool.edit(minutes: 2), "output": .string("\(pool.out)/long.mp4")],
                ["cost_seconds": 60])
            #expect(try await priced.credit() == "6 4")
            try await eventually("it runs") { try await pool.state(id) == "running" }
            pool.daemon.signal(SIGKILL)
            _ = await pool.daemon.ended(within: 10)
            #expect(try await priced.credit() == "6 4")
            try pool.daemon.start()
            try await eventually("the daemon answers") { (try? await pool.get("/livez").status) == 200 }
            let job = try await pool.end(of: id)
            #expect(job["state"] == "succeeded" && job["attempts"]?.arrayValue?.count == 2)
            #expect(try await priced.operations(id) == ["hold", "capture"])
            #expect(try await priced.credit().hasSuffix(" 0"))
        }
    }

    @Test("lets jobs be taken from a worker that is gone, with what is held for them")
    func takenBack() async throws {
        try await PricedPool.with { priced in
            let pool = priced.pool
            try await priced.grant(100)
            let id = try await pool.submit(
                "render", ["edit": PricedPool.edit(minutes: 20), "output": .string("\(pool.out)/long.mp4")],
                ["cost_seconds": 60])
            try await eventually("it runs") { try await pool.state(id) == "running" }
            let epoch = try await priced.store.job(try #require(JobID(id)))?.epoch
            let words = [
                "REELPOOL_URL=\(try pool.url())", "REELPOOL_API_TOKEN=\(RunningPool.token)", Fixture.program, "requeue",
                "--in-flight",
            ]
            let other = try await blocking { try Command.run("env", words + ["--worker", "other"]) }
            #expect(other.text == "nothing is under way\n")
            let taken = try await blocking { try Command.run("env", words) }
            #expect(taken.text == "\(id)  taken back\n", "\(taken.errors)")
            try await eventually("it runs again") {
                let job = try await priced.store.job(try #require(JobID(id)))
                return job?.state == .running && job?.epoch != epoch
            }
            #expect(try await priced.credit() == "60 40")
            #expect(try await pool.post("/v1/jobs/\(id)/cancel").status == 202)
            #expect(try await pool.end(of: id)["state"] == "cancelled")
            #expect(try await priced.moves(id) == ["hold 40", "release 40"])
        }
    }
}

/// Credit that comes back, as back ends and users hear of it.
@Suite("Credit that comes back", .enabled(if: Servers.hasRedis, "no Redis"))
struct CreditBackTests {
    private let server: HTTPTestServer
    init() throws { server = try HTTPTestServer.start() }

    private func settings(_ more: [String: String] = [:]) -> [String: String] {
        [
            "REELPOOL_REDIS": Servers.shared.redisURL, "REELPOOL_REFUND_WEBHOOK": server.url("/hook/credit"),
            "REELPOOL_WEBHOOK_SECRET": "a-secret-for-tests-90b2", "REELPOOL_WEBHOOK_HOSTS": "127.0.0.1",
            "REELPOOL_OWNER_RUNNING": "9",
        ].merging(more) { $1 }
    }

    /// What came by webhook, by job.
    private func heard() throws -> [String: JSONValue] {
        let items = try JSONValue(parsing: try server.get("/received"))["received"]?.arrayValue ?? []
        var bodies: [String: JSONValue] = [:]
        for item in items {
            let body = try JSONValue(parsing: item["body"]?.stringValue ?? "")
            let key = item["headers"]?["idempotency-key"]?.stringValue ?? ""
            #expect(item["headers"]?["reelpool-signature"] != nil && body["id"]?.stringValue == key)
            bodies[key] = body
        }
        return bodies
    }

    /// Events of a project about credit, with the time by this machine's clock at which each came.
    private static func listen(
        _ project: String
    ) throws -> (RedisSubscriber, Collected<(Double, JSONValue)>, Task<Void, Never>) {
        let subscriber = RedisSubscriber(RedisSettings(address: try RedisAddress(url: Servers.shared.redisURL)))
        let events = subscriber.events(on: "project:\(project):events")
        let heard = Collected<(Double, JSONValue)>()
        let work = Task {
            for await event in events {
                switch event {
                case .subscribed: await heard.add((0, .null))
                case .message(let bytes):
                    guard let json = try? JSONValue(parsing: bytes), let type = json["type"]?.stringValue,
                        type.hasPrefix("credit_")
                    else { continue }
                    await heard.add((Date().timeIntervalSince1970, json))
                }
            }
        }
        return (subscriber, heard, work)
    }

    @Test("follows a render that needs more memory than it may have; the daemon and its other job go on")
    func outOfMemory() async throws {
        // Not even the worker's whole budget, which it is given on its second try, is enough.
        let caps = ["RENDER", "PROXY", "ANALYSIS", "PROBE"].map { ("\($0)_MEMORY", "150m") }
        let settings = settings(["REELPOOL_MEMORY": "824m"]).merging(caps) { $1 }
        try await PricedPool.with(settings) { priced in
            let pool = priced.pool
            try await priced.grant(100)
            let source = "\(pool.out)/heavy-source.mp4"
            let words = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=3840x2160:r=25:d=3", "-c:v", "libx264"]
            _ = try await blocking { try Command.output("ffmpeg", words + ["-preset", "ultrafast", "-y", source]) }
            let project = UUID().uuidString.lowercased()
            let (subscriber, events, work) = try Self.listen(project)
            try await eventually("the subscription stands") { await events.count == 1 }
            let other = try await pool.submit(
                "render", ["edit": PricedPool.edit(minutes: 2), "output": .string("\(pool.out)/other.mp4")])
            let range: JSONValue = ["source": "a", "start_ms": 0, "end_ms": 2900]
            let heavy = try await pool.submit(
                "render",
                [
                    "edit": ["sources": [["id": "a", "uri": .string(source)]], "timeline": [range]],
                    "output": .string("\(pool.out)/large.mp4"), "mode": "full",
                ], ["progress": ["project_id": .string(project), "export_id": "77"]])
            let job = try await pool.end(of: heavy)
            #expect(job["failure"]?["category"] == "limitExceeded" && job["charge"] == "0")
            let held = try #require(job["price"]?.stringValue)
            #expect(try await priced.moves(heavy) == ["hold \(held)", "release \(held)"])
            try await eventually("both are told") { try await events.count == 2 && self.heard()[heavy] != nil }
            let event = try #require(await events.values.last).1
            #expect(event["type"] == "credit_released" && event["export_id"] == "77")
            #expect(event["job_id"] == .string(heavy) && event["credits"] == .string(held))
            let notice = try #require(try heard()[heavy])
            #expect(notice["type"] == "credit.released" && notice["data"]?["owner"] == "tester")
            #expect(notice["data"]?["failure"]?["category"] == "limitExceeded")
            #expect(try await pool.end(of: other)["state"] == "succeeded")
            #expect(try await priced.operations(other) == ["hold", "capture"])
            work.cancel()
            subscriber.close()
        }
    }

    @Test("is told within two seconds, where a back end is to refund it")
    func refunds() async throws {
        try await PricedPool.with(settings(["REELPOOL_BILLING_HTTP": "external"])) { priced in
            let project = UUID().uuidString.lowercased()
            let (subscriber, events, work) = try Self.listen(project)
            try await eventually("the subscription stands") { await events.count == 1 }
            var ended: [String: Double] = [:]
            for number in 0..<5 {
                let id = try await priced.pool.submit(
                    "probe", ["source": .string("\(priced.pool.out)/none-\(number).mp4")],
                    ["progress": ["project_id": .string(project)], "idempotency_key": .string("task-\(number)")])
                _ = try await priced.pool.end(of: id)
                let identifier = try #require(JobID(id))
                let job = try #require(try await priced.store.job(identifier))
                ended[id] = Double(try #require(job.finishedAt)) / 1000
                #expect(try await priced.moves(id).isEmpty)
            }
            try await eventually("all are told") { try await events.count == 6 && self.heard().count == 5 }
            let delays = await events.values.dropFirst().map { time, event in
                time - (ended[event["job_id"]?.stringValue ?? ""] ?? 0)
            }
            // The middle one: a machine may stand still for a moment.
            #expect(delays.sorted()[2] <= 2, "\(delays)")
            for (id, notice) in try heard() {
                #expect(ended[id] != nil && notice["type"] == "credit.refunded")
                #expect(notice["data"]?["task_id"]?.stringValue?.hasPrefix("task-") == true)
                #expect(
                    notice["data"]?["failure"]?["code"] == "file_not_found"
                        && notice["data"]?["credits"]?.isNull == true)
            }
            work.cancel()
            subscriber.close()
        }
    }
}

/// TaskIQ's and Celery's own clients, whose users pay here.
@Suite("A back end in Python whose users pay here", .enabled(if: Servers.hasClients, "servers or clients are missing"))
struct PayingBackEndTests {
    @Test(
        "hears in its result that there is not enough credit, and nothing was begun", arguments: ["taskiq", "celery"])
    func poor(dialect: String) async throws {
        let queue = uniqueName("billing.\(dialect)")
        let settings = [
            "REELPOOL_BROKER": Servers.shared.rabbitURL, "REELPOOL_REDIS": Servers.shared.redisURL,
            "REELPOOL_TASKIQ_EXCHANGE": queue, "REELPOOL_TASKIQ_DEAD_LETTER": "\(queue).dead_letter",
            "REELPOOL_QUEUES_NATIVE": "\(queue).native", "REELPOOL_QUEUE_QUARANTINE": "\(queue).quarantine",
            "REELPOOL_QUEUES_\(dialect.uppercased())": queue, "REELPOOL_BILLING_\(dialect.uppercased())": "internal",
            "REELPOOL_RESULT_FORM": "json", "REELPOOL_OWNER_FIELDS": "account",
        ]
        try await PricedPool.with(settings) { priced in
            try await eventually("it is ready") { try await priced.pool.get("/readyz").status == 200 }
            try await priced.grant(1, to: "rich")
            let requests: [JSONValue] = ["rich", "poor"].map { owner in
                [
                    "task": "noop", "id": .string("\(queue)-\(owner)"), "kwargs": ["account": .string(owner)],
                    "wait": 120, "labels": ["priority": 1], "options": ["priority": 1],
                ]
            }
            let client = dialect == "taskiq" ? PythonClient.taskiq : .celery
            let options = dialect == "taskiq" ? ["--serializer", "json"] : []
            let answers = try await client.send(requests, queue: queue, options: options)
            #expect(answers["\(queue)-poor"]?["error"]?["type"] == "InsufficientCredit")
            #expect(answers["\(queue)-rich"]?["error"]?["type"] == nil)
            let jobs = try #require(try await priced.pool.get("/v1/jobs?owner=poor").json["jobs"]?.arrayValue)
            #expect(jobs.count == 1 && jobs[0]["state"] == "failed" && jobs[0]["started_at"]?.isNull == true)
            #expect(jobs[0]["failure"]?["code"] == "insufficient_credit")
            for owner in ["rich", "poor"] { #expect(try await priced.credit(owner) == "0 0") }
        }
    }
}
