import Foundation
import Model
import PoolTestSupport
import S3
import TestSupport
import Testing
import WorkerCore

/// `docker/compose.yaml` as it stands, with its daemons started natively: no engine is needed to see that it is right.
@Suite(
    "The compose file",
    .enabled(if: Servers.hasClients && Servers.hasPostgres, "servers or Python packages are missing"))
struct ComposeTests {
    /// The file as compose reads it: anchors and merges resolved, variables put in.
    private static func document() async throws -> JSONValue {
        let program = """
            import json, os, re, sys, yaml
            lines = open("\(Fixture.repository)/docker/example.env").read().splitlines()
            values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
            def fill(match):
                name, rule = match.group(1), match.group(2) or ""
                if values.get(name): return values[name]
                if rule.startswith(":-"): return rule[2:]
                raise SystemExit(f"{name} is needed, and example.env does not have it")
            def resolve(node):
                if isinstance(node, dict): return {key: resolve(value) for key, value in node.items()}
                if isinstance(node, list): return [resolve(value) for value in node]
                if isinstance(node, str): return re.sub(r"\\$\\{(\\w+)(:[-?][^}]*)?\\}", fill, node)
                return node
            print(json.dumps(resolve(yaml.safe_load(open("\(Fixture.repository)/docker/compose.yaml")))))
            """
        let python = Servers.python ?? "python3"
        let data = try await blocking { try Command.output(python, ["-c", program]) }
        return try JSONValue(parsing: String(decoding: data, as: UTF8.self))
    }

    private static func bytes(_ text: String) -> Int64 {
        let number = Int64(text.filter(\.isNumber)) ?? 0
        return text.hasSuffix("g") ? number << 30 : number << 20
    }

    @Test("brings prices along, which daemons can be told to go by")
    func prices() async throws {
        let document = try await Self.document()
        let file = try #require(document["configs"]?["rates"]?["file"]?.stringValue)
        let card = try RateCard(json: String(contentsOfFile: "\(Fixture.repository)/docker/\(file)", encoding: .utf8))
        #expect(Set(card.prices.keys) == Set(JobKind.allCases))
        let services = try #require(document["services"]?.objectValue)
        for (name, service) in services where service["environment"]?["REELPOOL_RATES"] != nil {
            let targets = service["configs"]?.arrayValue?.map { $0["target"] }
            #expect(targets == ["/etc/reelpool/rates.json"], "\(name)")
        }
    }

    @Test("gives every daemon the memory and the time that its settings ask for")
    func bounds() async throws {
        let services = try #require(try await Self.document()["services"]?.objectValue)
        let daemons = services.filter { $0.value["environment"]?["REELPOOL_DATABASE"] != nil }
        #expect(Set(daemons.keys) == ["control", "worker-render", "worker-proxy", "worker-download"])
        for (name, service) in daemons {
            let environment = try #require(service["environment"]?.objectValue)
            let drain = Int64(environment["REELPOOL_DRAIN_SECONDS"]?.stringValue ?? "") ?? 0
            let grace = Int64(service["stop_grace_period"]?.stringValue?.filter(\.isNumber) ?? "") ?? 0
            #expect(grace >= drain + 5, "\(name)")
            let slots = Int64(environment["REELPOOL_SLOTS"]?.stringValue ?? "1") ?? 1
            let memory = ["RENDER_MEMORY", "PROXY_MEMORY", "DOWNLOAD_MEMORY"].compactMap {
                environment[$0]?.stringValue
            }.map(Self.bytes)
                .max()
            let limit = Self.bytes(try #require(service["mem_limit"]?.stringValue))
            #expect(limit >= slots * ((memory ?? 0) + (256 << 20)), "\(name)")
            #expect(service["read_only"] == true && service["cap_drop"] == ["ALL"], "\(name)")
        }
    }

    @Test(
        "makes the buckets of its settings with the command that it gives",
        .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
    func storage() async throws {
        let service = try #require(try await Self.document()["services"]?["storage"])
        var environment = try #require(service["environment"]?.objectValue).compactMapValues(\.stringValue)
        let buckets = ["RAW", "EXPORTS", "ASSETS"].map { "compose-\($0.lowercased())" }
        for (name, value) in try await blocking({ try Self.store() }) { environment[name] = value }
        for (name, bucket) in zip(["RAW", "EXPORTS", "ASSETS"], buckets) {
            environment["REELPOOL_S3_BUCKET_\(name)"] = bucket
        }
        #expect(service["entrypoint"]?.arrayValue?.last?.stringValue?.hasSuffix("/reelpool") == true)
        let command = service["command"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let words = ["-i"] + environment.map { "\($0)=\($1)" } + [Fixture.program] + command
        let result = try await blocking { try Command.run("env", words) }
        #expect(result.status == 0 && buckets.allSatisfy(result.text.contains), "\(result.text)\(result.errors)")
    }

    /// Where the store is here.
    private static func store() throws -> [String: String] {
        let credentials = try ObjectStore.credentials
        return [
            "REELPOOL_S3_ENDPOINT": try ObjectStore.juicefs.url, "REELPOOL_S3_ACCESS_KEY": credentials.accessKey,
            "REELPOOL_S3_SECRET_KEY": credentials.secretKey,
        ]
    }

    @Test("starts daemons that work, each with the command and environment that it gives")
    func daemons() async throws {
        let services = try #require(try await Self.document()["services"]?.objectValue)
        let name = uniqueName("compose")
        let schema = name.replacing(".", with: "_")
        let words = [Servers.shared.postgresURL, "-qc", "CREATE SCHEMA \(schema)"]
        _ = try await blocking { try Command.output("psql", words) }
        func settings(_ service: String) throws -> (environment: [String: String], command: [String]) {
            let given = try #require(services[service]?["environment"]?.objectValue)
            var environment = given.compactMapValues { $0.stringValue ?? $0.text }
            // Names that only compose's network knows, and one folder for all; the rest is as the file has it.
            environment["REELPOOL_DATABASE"] = Servers.shared.postgresURL + "?options=-csearch_path%3D\(schema)"
            environment["REELPOOL_BROKER"] = Servers.shared.rabbitURL
            environment["REELPOOL_REDIS"] = Servers.shared.redisURL
            environment["REELPOOL_QUEUES_NATIVE"] = name
            environment["REELPOOL_QUEUE_QUARANTINE"] = "\(name).quarantine"
            environment["REELPOOL_HTTP_HOST"] = "127.0.0.1"
            environment["REELPOOL_HTTP_PORT"] = "0"
            environment["REELPOOL_MEMORY"] = services[service]?["mem_limit"]?.stringValue
            environment["REELPOOL_NAME"] = service
            // Those of the example are refused.
            environment["REELPOOL_API_TOKEN"] = RunningPool.token
            environment["REELPOOL_WEBHOOK_SECRET"] = RunningPool.token
            environment["REELPOOL_S3_SECRET_KEY"] = RunningPool.token
            environment["REELPOOL_ALLOW_LOCAL"] = "\(Fixture.repository)/Fixtures"
            environment["REELPOOL_DRAIN_SECONDS"] = "2"
            let command = services[service]?["command"]?.arrayValue?.compactMap(\.stringValue) ?? []
            return (environment, command)
        }
        let (control, proxy, render) = (
            try settings("control"), try settings("worker-proxy"), try settings("worker-render")
        )
        try await RunningPool.with(control.environment, command: control.command) { pool in
            try await RunningPool.with(proxy.environment, command: proxy.command) { _ in
                try await RunningPool.with(render.environment, command: render.command) { _ in
                    try await eventually("three are there") {
                        try await pool.get("/v1/workers").json["workers"]?.arrayValue?.count == 3
                    }
                    // One door, two rooms: the control service takes it, a worker does it, the control service tells.
                    let id = try await pool.submit("analysis", ["source": .string(Fixture.media("talk.mp4"))])
                    let events = try await pool.events(of: id)
                    #expect(events.last { $0.name == "job" }?.data["state"] == "succeeded")
                    #expect(events.contains { $0.name == "progress" && $0.data["current_step"] == "completed" })
                    #expect(try await pool.job(id)["attempts"]?.arrayValue?.last?["worker"] == "worker-proxy")
                }
            }
        }
    }
}
