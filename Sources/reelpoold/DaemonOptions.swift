internal import ArgumentParser
internal import FoundationEssentials
internal import Logging
internal import Model
internal import Pool
internal import PoolConfig
internal import Signals

/// What every form of the daemon has, and how it runs: until a signal drains it.
struct DaemonOptions: ParsableArguments {
    /// Of a configuration that is wrong. Source: sysexits.h, EX_CONFIG.
    private static let configurationStatus: Int32 = 78

    @Option(help: "The process's name in the pool, unique among live ones.")
    var name: String?

    @Option(help: "The job store: postgresql://... or sqlite:PATH.")
    var database: String?

    @Option(help: "A JSON file with settings.")
    var config: String?

    @Option(help: "Where to listen.")
    var host: String?

    @Option(help: "The port to listen on; 0 for any free one.")
    var port: Int?

    var overrides: [String: String] {
        var values: [String: String] = [:]
        values["REELPOOL_NAME"] = name
        values["REELPOOL_DATABASE"] = database
        values["REELPOOL_HTTP_HOST"] = host
        values["REELPOOL_HTTP_PORT"] = port.map { "\($0)" }
        return values
    }

    func runDaemon(_ overrides: [String: String]) async throws {
        let settings = try settings(overrides)
        let log = JSONLog.make(level: settings.logLevel)
        do {
            let daemon = try makeDaemon(
                settings, codecProgram: Machine.siblingProgram("reelpool-codec"), instance: UUID().uuidString,
                version: Reelpoold.version, log: log)
            StopRequests.handle { wait in
                while wait(nil) {
                    // WHY: the signals' thread cannot wait for an actor.
                    Task { await daemon.drain() }
                }
            }
            try await daemon.run()
        } catch {
            let failure = Failure(error)
            log.critical(
                "the daemon cannot go on",
                metadata: [
                    "code": "\(failure.code.rawValue)", "error": "\(failure.message)",
                    "detail": "\(failure.detail ?? "")",
                ])
            throw ExitCode(failure.category.exitStatus)
        }
    }

    private func settings(_ overrides: [String: String]) throws -> PoolSettings {
        do {
            return try PoolSettings.load(
                overrides: overrides, environment: ProcessInfo.processInfo.environment, file: config,
                machine: Machine.limits())
        } catch {
            for line in error.lines { ErrorLine.write("reelpoold: \(line)") }
            throw ExitCode(Self.configurationStatus)
        }
    }
}
