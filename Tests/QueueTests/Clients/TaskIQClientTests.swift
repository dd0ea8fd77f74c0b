import Envelopes
import Model
import PoolTestSupport
import QueueRabbitMQ
import Testing
import WorkerCore

@Suite("A back end with TaskIQ", .enabled(if: Servers.hasClients, "servers or Python clients are missing"))
struct TaskIQClientTests {
    private static func worker(
        _ queue: String, serializer: ReplySettings.Serializer, prefix: String? = nil
    ) throws -> TestWorker {
        var replies = ReplySettings()
        replies.taskiqSerializer = serializer
        replies.taskiqPrefix = prefix
        let own = ConsumedQueue(
            queue,
            declarations: Topology.taskiq(
                queue: queue, exchange: queue, deadLetter: "\(queue).dead_letter", delayQueue: "\(queue).delay"))
        return try TestWorker(
            queue: own, source: .init(dialect: .taskiq, replies: replies), quarantine: "\(queue).quarantine")
    }

    @Test("gets results, errors and progress by its serializer", arguments: ReplySettings.Serializer.allCases)
    func roundTrip(serializer: ReplySettings.Serializer) async throws {
        let queue = uniqueName("taskiq.\(serializer.rawValue)")
        let worker = try Self.worker(queue, serializer: serializer, prefix: serializer == .json ? "app" : nil)
        let (good, bad, watched, unknown, again) = (
            "\(queue)-1", "\(queue)-2", "\(queue)-3", "\(queue)-4", "\(queue)-5"
        )
        let value: JSONValue = ["frames": 12, "big": 5_000_000_000, "list": [1.5, "é😀", .null, true], "empty": [:]]
        let requests: [JSONValue] = [
            [
                "task": "render", "id": .string(good), "kwargs": ["return": value, "user_id": 7], "wait": 60,
                "labels": ["priority": 3, "timeout": 900],
            ],
            ["task": "proxy", "id": .string(bad), "args": [["fail": "truncated"]], "wait": 60],
            ["task": "analysis", "id": .string(watched), "kwargs": ["steps": 4], "wait": 60, "progress": true],
            ["task": "email", "id": .string(unknown), "wait": 60],
            ["task": "noop", "id": .string(again)], ["task": "noop", "id": .string(again), "wait": 60],
        ]
        try await worker.run {
            let options =
                ["--serializer", serializer.rawValue, "--delay-queue", "\(queue).delay"]
                + (serializer == .json ? ["--prefix", "app"] : [])
            let answers = try await PythonClient.taskiq.send(requests, queue: queue, options: options)

            #expect(answers[good]?["is_err"] == false)
            #expect(answers[good]?["value"] == value)
            #expect(answers[good]?["labels"] == ["priority": 3, "timeout": 900])
            let jobs = await worker.table.jobs
            let job = try #require(jobs[JobIdentity.job(.taskiq, queue: queue, foreignID: good)])
            #expect(job.tier == Tier(3) && job.owner == "7" && job.caps.wallSeconds == 900 && job.kind == .render)

            #expect(answers[bad]?["is_err"] == true)
            #expect(answers[bad]?["error"] == ["type": "InvalidInput", "args": ["as the test asked", "truncated"]])
            #expect(answers[bad]?["raised"] == "InvalidInput")
            #expect(answers[bad]?.text.contains("not for clients") == false)

            let steps = try #require(answers[watched]?["steps"]?.arrayValue)
            #expect(steps.count >= 2 && steps.first?["state"] == "STARTED" && steps.last?["state"] == "SUCCESS")
            let percents = steps.compactMap { $0["meta"]?["progress_percent"]?.doubleValue }
            #expect(percents == percents.sorted() && percents.last == 100)

            #expect(answers[unknown]?["error"]?["type"] == "InvalidInput")
            #expect(answers[unknown]?["error"]?["args"]?.arrayValue?.last == "unknown_task")

            // Two messages with one id are one job.
            #expect(answers[again]?["is_err"] == false)
            #expect(jobs.count == 4)
            try await eventually("all six have come") { await worker.table.arrivals == 5 }
        }
        let broker = try Broker("taskiq")
        #expect(
            try await broker.drain("\(queue).quarantine").map { $0.properties.headers["x-reelpool-reason"] } == [
                .text("unknown_task")
            ])
        await broker.publisher.close()
    }

    @Test("has its delays kept once, by its own delay queue")
    func delayed() async throws {
        let queue = uniqueName("taskiq.delay")
        let worker = try Self.worker(queue, serializer: .json)
        try await worker.run {
            let started = ContinuousClock.now
            let answers = try await PythonClient.taskiq.send(
                [["task": "noop", "id": .string(queue), "labels": ["delay": 1.5], "wait": 60]], queue: queue,
                options: ["--serializer", "json", "--delay-queue", "\(queue).delay"])
            #expect(answers[queue]?["is_err"] == false)
            #expect(ContinuousClock.now - started > .seconds(1.5))
            #expect(await worker.table.jobs.values.first?.delayMilliseconds == 0)
        }
    }

    @Test("finds its queues as it would have made them, and leaves them as a worker wants them")
    func topology() async throws {
        // Whoever is first: what differs in one argument makes the broker refuse the second.
        for clientFirst in [true, false] {
            let queue = uniqueName("taskiq.topology")
            let options = ["--delay-queue", "\(queue).delay"]
            if clientFirst { try await PythonClient.taskiq.declare(queue: queue, options: options) }
            let worker = try Self.worker(queue, serializer: .json)
            try await worker.run {
                if !clientFirst { try await PythonClient.taskiq.declare(queue: queue, options: options) }
            }
        }
    }
}
