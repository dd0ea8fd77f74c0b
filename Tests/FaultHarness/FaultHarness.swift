import ArgumentParser
import Foundation
import TestSupport

/// Injures a real pool again and again while it works, and looks whether anything was lost, done twice or left behind.
///
/// Everything is real: daemons, their children, Postgres, RabbitMQ, Redis, media. Only lease times are scaled down.
@main
struct FaultHarness: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fault-harness", abstract: "Injure a pool while it works; nothing may be lost or done twice.")

    @Option(help: "Faults to inject; each sort comes in turn, in an order that the seed decides.")
    var faults = 22

    @Option(help: "Jobs to send at least.")
    var jobs = 60

    @Option(help: "Decides order and moments.")
    var seed: UInt64?

    @Option(help: "Seconds of a lease; 30 in production.")
    var lease = 3

    @Option(help: "Daemons, with two slots each.")
    var workers = 2

    private static let brokenOff = ExitCode(3)

    func run() async throws {
        let seed = seed ?? .random(in: 1...1_000_000)
        say("fault harness: \(faults) faults, at least \(jobs) jobs, seed \(seed)")
        let ground = try await Ground.make(leaseSeconds: lease, workers: workers)
        let summary: Summary
        do {
            summary = try await Campaign(ground, seed: seed, faults: faults, jobs: jobs).run()
        } catch {
            await ground.close(keepingLogs: true)
            guard let failure = error as? CommandFailure else { throw error }
            // Of a server's own command, which tells nothing of the pool.
            say("broken off: \(failure)")
            throw Self.brokenOff
        }
        await ground.close(keepingLogs: !summary.problems.isEmpty)
        say(summary.text)
        guard summary.problems.isEmpty else { throw ExitCode(1) }
    }
}

struct HarnessError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Says a line at once.
func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
