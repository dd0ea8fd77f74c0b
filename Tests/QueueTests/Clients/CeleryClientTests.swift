import Envelopes
import Model
import PoolTestSupport
import QueueRabbitMQ
import Testing
import WorkerCore

@Suite("A back end with Celery", .enabled(if: Servers.hasClients, "servers or Python clients are missing"))
struct CeleryClientTests {
    private static func worker(_ queue: String) throws -> TestWorker {
        try TestWorker(
            queue: ConsumedQueue(queue, declarations: Topology.celery(queue: queue)),
            source: .init(dialect: .celery), quarantine: "\(queue).quarantine")
    }

    @Test("that waits gets results, errors, progress and refusals")
    func roundTrip() async throws {
        let queue = uniqueName("celery")
        let worker = try Self.worker(queue)
        let ids = (0..<7).map { "\(queue)-\($0)" }
        let value: JSONValue = ["frames": 12, "list": [1.5, "é😀", .null, true]]
        let requests: [JSONValue] = [
            [
                "task": "render", "id": .string(ids[0]), "kwargs": ["return": value, "owner": "eve"], "wait": 60,
                "options": ["priority": 2, "time_limit": 60],
            ],
            ["task": "proxy", "id": .string(ids[1]), "args": [["fail": "memory_limit"]], "wait": 60],
            ["task": "render", "id": .string(ids[2]), "kwargs": ["steps": 4, "return": 1], "wait": 60],
            ["task": "render", "id": .string(ids[3]), "kwargs": ["fail": "cancelled"], "wait": 60],
            ["task": "render", "id": .string(ids[4]), "link": "after", "wait": 60],
            ["task": "noop", "id": .string(ids[5]), "options": ["countdown": 20], "wait": 60],
            ["task": "noop", "id": .string(ids[6]), "options": ["ignore_result": true]],
        ]
        try await worker.run {
            let answers = try await PythonClient.celery.send(requests, queue: queue)
            #expect(answers[ids[0]]?["state"] == "SUCCESS" && answers[ids[0]]?["value"] == value)
            let jobs = await worker.table.jobs
            let job = try #require(jobs[JobIdentity.job(.celery, queue: queue, foreignID: ids[0])])
            #expect(job.tier == Tier(2) && job.owner == "eve" && job.caps.wallSeconds == 60)

            #expect(answers[ids[1]]?["state"] == "FAILURE")
            #expect(
                answers[ids[1]]?["error"] == ["type": "LimitExceeded", "args": ["as the test asked", "memory_limit"]])

            #expect(answers[ids[2]]?["value"] == 1)
            let steps = answers[ids[2]]?["steps"]?.arrayValue ?? []
            #expect(!steps.isEmpty && steps.allSatisfy { $0["status"] == "PROGRESS" })
            #expect(steps.first?["result"]?["current_step"] == "encoding")

            #expect(answers[ids[3]]?["state"] == "REVOKED")
            #expect(answers[ids[3]]?["error"]?["type"] == "TaskRevokedError")

            #expect(answers[ids[4]]?["state"] == "FAILURE")
            #expect(answers[ids[4]]?["error"]?["args"]?.arrayValue?.last == "invalid_task")

            #expect(answers[ids[5]]?["state"] == "SUCCESS")
            let delayed = jobs[JobIdentity.job(.celery, queue: queue, foreignID: ids[5])]
            #expect((1...20_000).contains(delayed?.delayMilliseconds ?? 0))

            try await eventually("the last has come") { await worker.table.jobs.count == 6 }
            let silent = await worker.table.jobs[JobIdentity.job(.celery, queue: queue, foreignID: ids[6])]
            #expect(silent != nil && silent?.reply == nil)
        }
        let broker = try Broker("celery")
        let aside = try await broker.drain("\(queue).quarantine")
        #expect(aside.map { $0.properties.headers["x-reelpool-reason"] } == [.text("canvas_not_supported")])
        await broker.publisher.close()
    }

    @Test("finds its queue as it would have made it, and leaves it as a worker wants it")
    func topology() async throws {
        for clientFirst in [true, false] {
            let queue = uniqueName("celery.topology")
            if clientFirst { try await PythonClient.celery.declare(queue: queue) }
            let worker = try Self.worker(queue)
            try await worker.run {
                if !clientFirst { try await PythonClient.celery.declare(queue: queue) }
            }
        }
    }
}
