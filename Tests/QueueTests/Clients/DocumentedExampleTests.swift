import Envelopes
import Foundation
import Model
import PoolTestSupport
import ProgressRedis
import QueueRabbitMQ
import TestSupport
import Testing
import WorkerCore

@Suite("docs/scheduling.md")
struct DocumentedExampleTests {
    /// The fenced blocks of a language, in order.
    private static func blocks(_ language: String) throws -> [String] {
        try Document("docs/scheduling.md").blocks(language)
    }

    @Test("shows a message that is a job")
    func message() throws {
        let example = try #require(try Self.blocks("json").first)
        let job = try read(native(example))
        #expect(job.kind == .render && job.owner == "alice" && job.tier == Tier(3) && job.progressRoute != nil)
    }

    @Test("shows updates with the fields that they have")
    func updates() throws {
        let examples = try Self.blocks("json").filter { $0.contains("sequence") }.map { try JSONValue(parsing: $0) }
        #expect(examples.count == 2)
        let job = try read(native(try #require(try Self.blocks("json").first)))
        let write = ProgressTelling.write(for: .running(job, sequence: 17, fraction: 0.425))
        let update = try JSONValue(parsing: write.data)
        let event = try #require(try write.messages(on: "project:6a1f:events").last)
        for (example, real) in zip(examples, [update, event]) {
            #expect(Set(try #require(example.objectValue).keys) == Set(try #require(real.objectValue).keys))
            #expect(example["progress_percent"] == real["progress_percent"])
        }
    }

    @Test("shows a download that is a task")
    func download() throws {
        let example = try #require(try Self.blocks("json").first { $0.contains("max_bytes") })
        let document = try TaskDocument(kind: .download, payload: example)
        guard case .download(let task) = document else {
            Issue.record("\(document)")
            return
        }
        #expect(task.maxBytes == 2 << 30 && task.expiry != nil && document.outputs == ["s3://raw/clips/ab/talk.mp4"])
    }

    @Test("names every field of a message")
    func fields() throws {
        let text = String(decoding: try bytes(ofFile: "\(Fixture.repository)/docs/scheduling.md"), as: UTF8.self)
        let rows = text.components(separatedBy: "| field |")[1].components(separatedBy: "\n\n")[0].split(
            separator: "\n")
        let documented = rows.compactMap { $0.firstMatch(of: /^\| `([a-z_]+)`/).map { String($0.1) } }
        let values: [String: String] = [
            "version": "1", "id": "\"0e984725-c51c-4bf4-9960-e1c80e27aba0\"", "kind": "\"noop\"", "payload": "{}",
            "idempotency_key": "\"k\"", "owner": "\"o\"", "request_id": "\"r\"", "caps": "{\"threads\":1}",
            "progress": "{\"project_id\":\"p\"}", "webhook": "{\"url\":\"https://example.com/\"}",
        ]
        let message = documented.map { "\"\($0)\":\(values[$0] ?? "1")" }.joined(separator: ",")
        // A field that there is not would be refused.
        var rules = TaskRules()
        rules.webhooks = WebhookRules()
        _ = try read(native("{\(message)}"), rules: rules)
        #expect(documented.count == 15)
    }

    @Test(
        "shows programs of back ends that work as they stand",
        .enabled(if: Servers.hasClients, "servers or Python clients are missing"),
        arguments: [Dialect.taskiq, .celery])
    func programs(dialect: Dialect) async throws {
        // A virtual host of its own, because the programs use the queues' default names.
        let host = uniqueName("docs").replacing(".", with: "-")
        for words in [["add_vhost", host], ["set_permissions", "-p", host, "reelpool", ".*", ".*", ".*"]] {
            let command = try #require(Servers.shared.environment["REELPOOL_TEST_RABBITMQ_COMMAND"])
            _ = try await blocking { try Command.output(command, ["rabbitmqctl", "--quiet"] + words) }
        }
        let url = Servers.shared.rabbitURL.replacing("/%2F", with: "/\(host)")
        let block = try #require(
            try Self.blocks("python").first { $0.contains(dialect == .taskiq ? "AioPika" : "Celery") })
        let prelude = """
            AMQP, REDIS, payload = "\(url)", "\(Servers.shared.redisURL)", {"return": {"made": "it"}}

            """
        let program =
            switch dialect {
            case .taskiq, .native:
                """
                import asyncio
                from taskiq.kicker import AsyncKicker
                from taskiq_aio_pika import AioPikaBroker
                from taskiq_redis import RedisAsyncResultBackend
                \(prelude)
                async def main():
                \(block.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
                    print(result.return_value)
                    await broker.shutdown()
                asyncio.run(main())
                """
            case .celery:
                """
                from celery import Celery
                \(prelude)
                \(block)
                print(value)
                """
            }
        let name = dialect.rawValue
        let declarations = dialect == .taskiq ? Topology.taskiq() : Topology.celery()
        let worker = try TestWorker(
            queue: ConsumedQueue(name, declarations: declarations), source: .init(),
            quarantine: Topology.quarantineQueue, url: url)
        try await worker.run {
            let python = Servers.python ?? "python3"
            let output = try await blocking { try Command.output(python, ["-c", program]) }
            #expect(String(decoding: output, as: UTF8.self) == "{'made': 'it'}\n")
            let expected = dialect == .taskiq ? Tier(3) : Tier(2)
            #expect(await worker.table.jobs.values.map(\.tier) == [expected])
        }
    }
}
