internal import ArgumentParser
internal import FoundationEssentials
internal import Model
internal import ProgressRedis
internal import QueueRabbitMQ
internal import WorkerCore

/// Sends tasks that are no work, as TaskIQ's or Celery's client writes them, and takes the time until their results can be
/// read. Whose workers answer is no matter.
@main
struct QueueBench: AsyncParsableCommand {
    enum Form: String, ExpressibleByArgument { case taskiq, celery }

    static let configuration = CommandConfiguration(commandName: "queue-bench")

    @Option var amqp: String
    @Option var redis: String
    @Option var queue: String
    @Option var form: Form
    @Option(help: "The task's name, as the workers know it.")
    var task = "noop"
    @Option(help: "Tasks that are sent as fast as they are confirmed.")
    var count = 5000
    @Option(help: "Tasks that are sent one by one, each when the one before has its result.")
    var single = 200

    func run() async throws {
        let publisher = RabbitPublisher(
            PublisherSettings(addresses: [try RabbitMQAddress(url: amqp)], name: "queue-bench", declarations: []))
        let cache = RedisClient(RedisSettings(address: try RedisAddress(url: redis), name: "queue-bench"))
        // The first ones find everything cold.
        try await throughput(publisher, cache, count: 200)
        let latencies = try await latency(publisher, cache)
        let seconds = try await throughput(publisher, cache, count: count)
        let sorted = latencies.sorted()
        let result = [
            "per_second": Double(count) / seconds, "p50_ms": sorted[sorted.count / 2] * 1000,
            "p99_ms": sorted[min(sorted.count - 1, sorted.count * 99 / 100)] * 1000,
        ]
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        print(String(decoding: try encoder.encode(result), as: UTF8.self))
        await publisher.close()
        await cache.close()
    }

    @discardableResult
    private func throughput(_ publisher: RabbitPublisher, _ cache: RedisClient, count: Int) async throws -> Double {
        let ids = (0..<count).map { _ in UUID().uuidString.lowercased() }
        let started = ContinuousClock.now
        try await withThrowingTaskGroup { group in
            let lanes = 128
            for lane in 0..<lanes {
                group.addTask {
                    for index in stride(from: lane, to: ids.count, by: lanes) { try await send(ids[index], publisher) }
                }
            }
            group.addTask { try await wait(for: ids, cache, pause: .milliseconds(5)) }
            try await group.waitForAll()
        }
        return (ContinuousClock.now - started) / .seconds(1)
    }

    private func latency(_ publisher: RabbitPublisher, _ cache: RedisClient) async throws -> [Double] {
        var seconds: [Double] = []
        for _ in 0..<single {
            let id = UUID().uuidString.lowercased()
            let started = ContinuousClock.now
            try await send(id, publisher)
            try await wait(for: [id], cache, pause: .microseconds(200))
            seconds.append((ContinuousClock.now - started) / .seconds(1))
            // The pool is idle again.
            try await Task.sleep(for: .milliseconds(10))
        }
        return seconds
    }

    /// Asks for the results in order, many at a time.
    private func wait(for ids: [String], _ cache: RedisClient, pause: Duration) async throws {
        var next = 0
        let deadline = ContinuousClock.now + .seconds(300)
        while next < ids.count {
            let some = ids[next..<min(next + 100, ids.count)]
            let commands = some.map { RedisCommand.plain([Array("EXISTS".utf8), Array(key($0).utf8)]) }
            let there = try await cache.run(commands).prefix { $0 == .integer(1) }.count
            next += there
            if there < some.count { try await Task.sleep(for: pause) }
            guard ContinuousClock.now < deadline else { throw ValidationError("\(next) of \(ids.count) had results") }
        }
    }

    private func key(_ id: String) -> String { form == .celery ? "celery-task-meta-\(id)" : id }

    private func send(_ id: String, _ publisher: RabbitPublisher) async throws {
        var properties = MessageProperties()
        properties.deliveryMode = 2
        let body: String
        switch form {
        case .taskiq:
            properties.headers = ["task_id": .text(id), "task_name": .text(task)]
            properties.messageID = id
            body = """
                {"task_id": "\(id)", "task_name": "\(task)", "labels": {}, "labels_types": {}, "args": [], "kwargs": {}}
                """
        case .celery:
            properties.contentType = "application/json"
            properties.contentEncoding = "utf-8"
            properties.correlationID = id
            properties.headers = [
                "lang": .text("py"), "task": .text(task), "id": .text(id), "root_id": .text(id), "parent_id": .void,
                "group": .void, "eta": .void, "expires": .void, "retries": .integer(0),
                "timelimit": .array([.void, .void]), "argsrepr": .text("()"), "kwargsrepr": .text("{}"),
                "origin": .text("queue-bench"), "ignore_result": .bool(false),
            ]
            body = #"[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]"#
        }
        try await publisher.publish(
            OutgoingMessage(routingKey: queue, properties: properties, body: Array(body.utf8)))
    }
}
