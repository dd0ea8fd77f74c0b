internal import Foundation
package import ProgressRedis
package import QueueRabbitMQ
internal import TestSupport

/// Servers that `scripts/servers.sh` started.
package struct Servers: Sendable {
    /// Those that the whole test run shares: nothing here may disturb them.
    package static let shared = Servers(environment: ProcessInfo.processInfo.environment, folder: nil)

    package let environment: [String: String]
    /// Where a private set of servers lies.
    package let folder: String?

    package var rabbitURL: String { environment["REELPOOL_TEST_RABBITMQ"] ?? "" }
    package var rabbitTLSURL: String { environment["REELPOOL_TEST_RABBITMQ_TLS"] ?? "" }
    package var certificates: String { environment["REELPOOL_TEST_RABBITMQ_CERTIFICATES"] ?? "" }
    package var postgresURL: String { environment["REELPOOL_TEST_POSTGRES"] ?? "" }
    package var redisURL: String { environment["REELPOOL_TEST_REDIS"] ?? "" }

    package static let hasPostgres = shared.environment["REELPOOL_TEST_POSTGRES"] != nil
    package static let hasRabbitMQ = shared.environment["REELPOOL_TEST_RABBITMQ"] != nil
    package static let hasRedis = shared.environment["REELPOOL_TEST_REDIS"] != nil
    package static let python = shared.environment["REELPOOL_TEST_CLIENTS_PYTHON"]
    package static let hasClients = hasRabbitMQ && hasRedis && python != nil

    package func variable(_ name: String) throws -> String {
        guard let value = environment[name] else { throw CommandFailure(description: "\(name) is not set") }
        return value
    }

    package var rabbit: RabbitMQAddress {
        get throws { try RabbitMQAddress(url: rabbitURL) }
    }

    package func redis(_ name: String = "test") throws -> RedisClient {
        RedisClient(RedisSettings(address: try RedisAddress(url: redisURL), name: name))
    }

    /// A set of servers for one suite, which may stop and start them as it likes.
    ///
    /// - Parameter settings: of the servers, `NAME=value`.
    package static func start(_ names: [String], settings: [String] = []) async throws -> Servers {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-private-\(UUID().uuidString.prefix(8))"
        try await script(folder, ["start"] + names, settings)
        let lines = try await script(folder, ["env"]).split(separator: "\n")
        var environment: [String: String] = [:]
        for line in lines {
            let pair = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1).map(String.init)
            environment[pair[0]] = pair[1]
        }
        return Servers(environment: environment, folder: folder)
    }

    package func stop() async { _ = try? await Self.script(folder ?? "/nowhere", ["stop"]) }

    /// Kills it, and starts it again with its data and its port.
    package func restart(_ name: String) async throws {
        try await Self.script(folder ?? "/nowhere", ["restart", name])
    }

    /// Stops one as a failing machine does; what it has on disk stays.
    package func halt(_ name: String) async throws { try await Self.script(folder ?? "/nowhere", ["halt", name]) }

    package func resume(_ name: String) async throws { try await Self.script(folder ?? "/nowhere", ["start", name]) }

    package func signal(_ name: String, _ signal: String) async throws {
        let identifier = try String(contentsOfFile: "\(folder ?? "/nowhere")/\(name).pid", encoding: .utf8)
        let process = identifier.trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try await blocking { try Command.output("kill", ["-s", signal, process]) }
    }

    @discardableResult
    package func rabbitmqctl(_ arguments: String...) async throws -> String {
        let command = try variable("REELPOOL_TEST_RABBITMQ_COMMAND")
        return try await blocking {
            String(decoding: try Command.output(command, ["rabbitmqctl", "--quiet"] + arguments), as: UTF8.self)
        }
    }

    /// Does something to a private set of servers while `body` runs.
    package static func with(_ names: String..., body: (Servers) async throws -> Void) async throws {
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
    private static func script(
        _ folder: String, _ arguments: [String], _ settings: [String] = []
    ) async throws -> String {
        try await blocking {
            let program = ["REELPOOL_SERVERS_FOLDER=\(folder)", "\(Fixture.repository)/scripts/servers.sh"]
            let words = settings + program + arguments
            return String(decoding: try Command.output("env", words), as: UTF8.self)
        }
    }
}

/// A name that no other test uses.
package func uniqueName(_ what: String) -> String { "test.\(what).\(UUID().uuidString.lowercased().prefix(8))" }
