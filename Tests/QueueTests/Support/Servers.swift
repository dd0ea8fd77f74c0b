import Foundation
import ProgressRedis
import QueueRabbitMQ
import TestSupport
import Testing

/// Servers that `scripts/servers.sh` started.
struct Servers: Sendable {
    /// Those that the whole test run shares: nothing here may disturb them.
    static let shared = Servers(environment: ProcessInfo.processInfo.environment, folder: nil)

    let environment: [String: String]
    /// Where a private set of servers lies.
    let folder: String?

    var rabbitURL: String { environment["REELPOOL_TEST_RABBITMQ"] ?? "" }
    var rabbitTLSURL: String { environment["REELPOOL_TEST_RABBITMQ_TLS"] ?? "" }
    var certificates: String { environment["REELPOOL_TEST_RABBITMQ_CERTIFICATES"] ?? "" }
    var redisURL: String { environment["REELPOOL_TEST_REDIS"] ?? "" }

    static let hasRabbitMQ = shared.environment["REELPOOL_TEST_RABBITMQ"] != nil
    static let hasRedis = shared.environment["REELPOOL_TEST_REDIS"] != nil
    static let python = shared.environment["REELPOOL_TEST_CLIENTS_PYTHON"]
    static let hasClients = hasRabbitMQ && hasRedis && python != nil

    var rabbit: RabbitMQAddress {
        get throws { try RabbitMQAddress(url: rabbitURL) }
    }

    func redis(_ name: String = "test") throws -> RedisClient {
        RedisClient(RedisSettings(address: try RedisAddress(url: redisURL), name: name))
    }

    /// A set of servers for one suite, which may stop and start them as it likes.
    static func start(_ names: [String]) async throws -> Servers {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-private-\(UUID().uuidString.prefix(8))"
        try await script(folder, ["start"] + names)
        let lines = try await script(folder, ["env"]).split(separator: "\n")
        var environment: [String: String] = [:]
        for line in lines {
            let pair = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1).map(String.init)
            environment[pair[0]] = pair[1]
        }
        return Servers(environment: environment, folder: folder)
    }

    func stop() async { _ = try? await Self.script(folder ?? "/nowhere", ["stop"]) }

    /// Kills it, and starts it again with its data and its port.
    func restart(_ name: String) async throws { try await Self.script(folder ?? "/nowhere", ["restart", name]) }

    /// Stops one as a failing machine does; what it has on disk stays.
    func halt(_ name: String) async throws { try await Self.script(folder ?? "/nowhere", ["halt", name]) }

    func resume(_ name: String) async throws { try await Self.script(folder ?? "/nowhere", ["start", name]) }

    func signal(_ name: String, _ signal: String) async throws {
        let identifier = try String(contentsOfFile: "\(folder ?? "/nowhere")/\(name).pid", encoding: .utf8)
        let process = identifier.trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try await blocking { try Command.output("kill", ["-s", signal, process]) }
    }

    func rabbitmqctl(_ arguments: String...) async throws {
        let command = try #require(environment["REELPOOL_TEST_RABBITMQ_COMMAND"])
        _ = try await blocking { try Command.output(command, ["rabbitmqctl", "--quiet"] + arguments) }
    }

    /// Does something to a private set of servers while `body` runs.
    static func with(_ names: String..., body: (Servers) async throws -> Void) async throws {
        let servers = try await start(names)
        do {
            try await body(servers)
        } catch {
            await servers.stop()
            throw error
        }
        await servers.stop()
    }

    @discardableResult
    private static func script(_ folder: String, _ arguments: [String]) async throws -> String {
        try await blocking {
            let words = ["REELPOOL_SERVERS_FOLDER=\(folder)", "\(Fixture.repository)/scripts/servers.sh"] + arguments
            return String(decoding: try Command.output("env", words), as: UTF8.self)
        }
    }
}

/// A name that no other test uses.
func uniqueName(_ what: String) -> String { "test.\(what).\(UUID().uuidString.lowercased().prefix(8))" }
