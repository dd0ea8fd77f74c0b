import Foundation
import Model
import PoolTestSupport
import ProgressRedis
import TestSupport
import Testing

/// Back ends in Python, with the unchanged packages of PyPI, and real daemons on Postgres, RabbitMQ and Redis.
@Suite(
    "A back end in Python",
    .enabled(if: Servers.hasClients && Servers.hasPostgres, "servers or Python clients are missing"))
struct BackEndTests {
    /// A schema and queues of the test's own on the shared servers.
    private static func settings(_ name: String) async throws -> [String: String] {
        let schema = name.replacing(".", with: "_")
        let words = [Servers.shared.postgresURL, "-qc", "CREATE SCHEMA \(schema)"]
        _ = try await blocking { try Command.output("psql", words) }
        return [
            "REELPOOL_DATABASE": Servers.shared.postgresURL + "?options=-csearch_path%3D\(schema)",
            "REELPOOL_BROKER": Servers.shared.rabbitURL, "REELPOOL_REDIS": Servers.shared.redisURL,
            "REELPOOL_TASKIQ_EXCHANGE": name, "REELPOOL_TASKIQ_DEAD_LETTER": "\(name).dead_letter",
            "REELPOOL_QUEUES_NATIVE": "\(name).native", "REELPOOL_QUEUE_QUARANTINE": "\(name).quarantine",
        ]
    }

    private static func edit(_ milliseconds: Int64) -> JSONValue {
        let range: JSONValue = ["source": "a", "start_ms": 0, "end_ms": .integer(milliseconds)]
        return ["sources": [["id": "a", "uri": .string(Fixture.media("talk.mp4"))]], "timeline": [range]]
    }

    /// The same four tasks for both: names as an existing back end has them.
    private static let names = "app.render=render,app.proxy=proxy,app.probe=probe,app.analysis=analysis"

    private static func requests(_ queue: String, _ pool: RunningPool) -> [JSONValue] {
        let talk = JSONValue.string(Fixture.media("talk.mp4"))
        let kwargs: [(String, JSONValue)] = [
            ("app.probe", ["source": talk, "owner": "eve"]),
            ("app.proxy", ["source": talk, "output": .string("\(pool.out)/proxy"), "owner": "eve"]),
            ("app.analysis", ["source": talk, "owner": "eve"]),
            ("app.render", ["edit": edit(8000), "output": .string("\(pool.out)/render.mp4"), "owner": "eve"]),
            ("app.probe", ["source": .string(pool.out + "/missing.mp4"), "owner": "eve"]),
        ]
        return kwargs.enumerated().map { index, task in
            [
                "task": .string(task.0), "id": .string("\(queue)-\(index)"), "kwargs": task.1, "wait": 120,
                "labels": ["priority": 3], "options": ["priority": 3], "progress": true,
            ]
        }
    }

    @Test("with TaskIQ gets results, errors and progress of real work", arguments: ["json", "pickle"])
    func taskiq(serializer: String) async throws {
        let queue = uniqueName("daemon.taskiq")
        var settings = try await Self.settings(queue)
        settings["REELPOOL_QUEUES_TASKIQ"] = queue
        settings["REELPOOL_TASK_NAMES"] = Self.names
        settings["REELPOOL_RESULT_FORM"] = serializer
        try await RunningPool.with(settings) { pool in
            try await eventually("it is ready") { try await pool.get("/readyz").status == 200 }
            let answers = try await PythonClient.taskiq.send(
                Self.requests(queue, pool), queue: queue, options: ["--serializer", serializer])
            func value(_ index: Int) -> JSONValue? { answers["\(queue)-\(index)"]?["value"] }
            #expect(value(0)?["report"]?["container"]?["duration_seconds"]?.doubleValue == 24)
            #expect(value(1)?["outputs"]?["proxy.mp4"] == .string("\(pool.out)/proxy/proxy.mp4"))
            #expect(value(2)?["report"]?["edit"]?["edits"]?.arrayValue?.isEmpty == false)
            #expect(value(3)?["report"]?["video"]?["frames"] == 240)
            let steps = answers["\(queue)-3"]?["steps"]?.arrayValue ?? []
            #expect(steps.contains { $0["meta"]?["current_step"] == "encoding" })
            #expect(answers["\(queue)-4"]?["is_err"] == true)
            #expect(answers["\(queue)-4"]?["error"]?["type"] == "InvalidInput")
            let jobs = try #require(try await pool.get("/v1/jobs").json["jobs"]?.arrayValue)
            #expect(jobs.count == 5 && jobs.allSatisfy { $0["tier"] == 3 && $0["owner"] == "eve" })
        }
    }

    @Test("with Celery gets results, errors and progress of real work")
    func celery() async throws {
        let queue = uniqueName("daemon.celery")
        var settings = try await Self.settings(queue)
        settings["REELPOOL_QUEUES_CELERY"] = queue
        settings["REELPOOL_TASK_NAMES"] = Self.names
        try await RunningPool.with(settings) { pool in
            try await eventually("it is ready") { try await pool.get("/readyz").status == 200 }
            let answers = try await PythonClient.celery.send(Self.requests(queue, pool), queue: queue)
            #expect(answers["\(queue)-3"]?["value"]?["report"]?["video"]?["frames"] == 240)
            #expect(answers["\(queue)-2"]?["state"] == "SUCCESS")
            #expect(answers["\(queue)-4"]?["state"] == "FAILURE")
            #expect(answers["\(queue)-4"]?["error"]?["type"] == "InvalidInput")
        }
    }

    @Test("reads within five seconds of Redis's return what ended while it was away")
    func outage() async throws {
        try await Servers.with("redis") { servers in
            let queue = uniqueName("daemon.outage")
            var settings = try await Self.settings(queue)
            settings["REELPOOL_REDIS"] = servers.redisURL
            settings["REELPOOL_QUEUES_TASKIQ"] = queue
            settings["REELPOOL_RESULT_FORM"] = "json"
            try await RunningPool.with(settings) { pool in
                try await eventually("it is ready") { try await pool.get("/readyz").status == 200 }
                try await servers.halt("redis")
                // Sent without waiting: the client's own result backend is away as well.
                let talk = JSONValue.string(Fixture.media("talk.mp4"))
                _ = try await PythonClient.taskiq.send(
                    [["task": "probe", "id": .string(queue), "kwargs": ["source": talk], "labels": ["priority": 1]]],
                    queue: queue, options: ["--serializer", "json"])
                try await eventually("the job ends") {
                    try await pool.get("/v1/jobs?state=succeeded").json["jobs"]?.arrayValue?.count == 1
                }
                try await servers.resume("redis")
                let seconds = try await Self.secondsUntil(queue, isIn: servers)
                print("a result was there \((seconds * 10).rounded() / 10) s after Redis came back")
                // Five on a machine that does nothing else.
                #expect(seconds < 10)
            }
        }
    }

    private static func secondsUntil(_ key: String, isIn servers: Servers) async throws -> Double {
        let back = ContinuousClock.now
        let redis = try servers.redis()
        let command = RedisCommand.plain(["EXISTS", key].map { Array($0.utf8) })
        try await eventually("the result can be read") { try await redis.run([command]).first == .integer(1) }
        await redis.close()
        return (ContinuousClock.now - back) / .seconds(1)
    }
}
