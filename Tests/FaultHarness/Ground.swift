import Foundation
import Model
import PoolTestSupport
import ProgressRedis
import QueueRabbitMQ
import SQLStore
import StorePostgres
import TestSupport
import WorkerCore

/// Where the pool stands: servers and daemons of its own, a folder for all that they write.
final class Ground: Sendable {
    static let queue = "faults.tasks"
    static let quarantine = "faults.quarantine"

    let folder: String
    let servers: Servers
    let daemons: [DaemonProcess]
    let store: SQLJobStore
    let database: PostgresDatabase
    let publisher: RabbitPublisher
    let redis: RedisClient
    let leaseSeconds: Int

    var outputs: String { "\(folder)/out" }
    var scratch: String { "\(folder)/tmp" }
    var programs: String { "\(folder)/bin" }

    static func make(leaseSeconds: Int, workers: Int) async throws -> Ground {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-faults-\(UUID().uuidString.prefix(8))"
        for name in ["out", "tmp", "bin", "log"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        // Copies, so that what is left running can be told from what others run.
        let built = (Fixture.program as NSString).deletingLastPathComponent
        for name in ["reelpoold", "reelpool-codec"] {
            try FileManager.default.copyItem(atPath: "\(built)/\(name)", toPath: "\(folder)/bin/\(name)")
        }
        let servers = try await Servers.start(["postgres", "rabbitmq", "redis"])
        // As strict as brokers are configured that mean it: whoever keeps a message unacknowledged for a minute is cut off.
        try await servers.rabbitmqctl("eval", "application:set_env(rabbit, consumer_timeout, 60000).")
        return try await Ground(folder, servers, leaseSeconds, workers)
    }

    private init(_ folder: String, _ servers: Servers, _ leaseSeconds: Int, _ workers: Int) async throws {
        (self.folder, self.servers, self.leaseSeconds) = (folder, servers, leaseSeconds)
        let postgres = try servers.variable("REELPOOL_TEST_POSTGRES")
        let rabbit = try servers.variable("REELPOOL_TEST_RABBITMQ")
        let redisURL = try servers.variable("REELPOOL_TEST_REDIS")
        database = try PostgresDatabase(PostgresOptions(uri: postgres, connections: 2))
        store = SQLJobStore(
            database, policy: StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 1, capSeconds: 1)))
        try await store.migrate()
        try await Money(store: store).endow()
        let rates = "\(folder)/rates.json"
        try Money.card.write(toFile: rates, atomically: true, encoding: .utf8)
        var settings = PublisherSettings(
            addresses: [try RabbitMQAddress(url: rabbit)], name: "faults",
            declarations: Topology.quarantine(queue: Self.quarantine))
        settings.declarations += Topology.native(queue: Self.queue, quarantine: Self.quarantine)
        publisher = RabbitPublisher(settings)
        redis = RedisClient(RedisSettings(address: try RedisAddress(url: redisURL), name: "faults"))
        let environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "TMPDIR": "\(folder)/tmp",
            "REELPOOL_DATABASE": postgres, "REELPOOL_BROKER": rabbit, "REELPOOL_REDIS": redisURL,
            "REELPOOL_QUEUES_NATIVE": Self.queue, "REELPOOL_QUEUE_QUARANTINE": Self.quarantine,
            "REELPOOL_LEASE_SECONDS": "\(leaseSeconds)", "REELPOOL_DRAIN_SECONDS": "1",
            "REELPOOL_KINDS": "noop,probe,render", "REELPOOL_SLOTS": "2", "REELPOOL_HTTP_PORT": "0",
            "REELPOOL_ALLOW_LOCAL": "\(Fixture.repository)/Fixtures/media,\(folder)/out",
            "REELPOOL_OWNER_RUNNING": "1000", "REELPOOL_MEMORY": "3g", "RENDER_MEMORY": "1g",
            "RENDER_FFMPEG_THREADS": "1", "REELPOOL_RATES": rates, "REELPOOL_BILLING_NATIVE": "internal",
        ]
        daemons = (0..<workers).map { number in
            DaemonProcess(
                program: "\(folder)/bin/reelpoold", arguments: ["worker"],
                environment: environment.merging(["REELPOOL_NAME": "w\(number)"]) { $1 },
                log: "\(folder)/log/w\(number).jsonl")
        }
    }

    func close(keepingLogs: Bool) async {
        for daemon in daemons { await daemon.stop() }
        await publisher.close()
        await redis.close()
        await store.close()
        await servers.stop()
        if keepingLogs {
            say("logs are kept in \(folder)/log")
        } else {
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    /// Processes that run one of the pool's programs.
    func processes() -> [(pid: Int32, name: String)] {
        ProcessEntry.all.compactMap { process in
            guard !process.isDead, let program = process.program, program.hasPrefix(programs) else { return nil }
            return (process.identifier, (program as NSString).lastPathComponent)
        }
    }
}
