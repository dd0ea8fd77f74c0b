import PoolTestSupport
import Testing

/// Gives a suite servers of its own, which its tests may stop, start and starve; they must not run at once.
struct PrivateServers: SuiteTrait, TestScoping {
    @TaskLocal private static var started: Servers?

    let names: [String]

    /// The suite's servers.
    static var servers: Servers {
        get throws { try #require(started) }
    }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let servers = try await Servers.start(names)
        do {
            try await Self.$started.withValue(servers) { try await function() }
        } catch {
            await servers.stop()
            throw error
        }
        await servers.stop()
    }
}

extension Trait where Self == PrivateServers {
    static func privateServers(_ names: String...) -> PrivateServers { PrivateServers(names: names) }
}
