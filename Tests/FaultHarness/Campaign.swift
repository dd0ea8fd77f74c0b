import Foundation
import Model
import PoolTestSupport
import SQLStore
import Synchronization
import TestSupport
import WorkerCore

/// Sends work and breaks things until both are enough, then waits for the end and looks.
final class Campaign: Sendable {
    /// Jobs on their way at a time: always something to hit.
    private static let backlog = 12

    private let ground: Ground
    private let work: Work
    private let seed: UInt64
    private let faults: Int
    private let jobs: Int
    private let summary = Mutex(Summary())
    /// The last fault has been injected.
    private let isDone = Mutex(false)

    init(_ ground: Ground, seed: UInt64, faults: Int, jobs: Int) {
        (self.ground, self.seed, self.faults, self.jobs) = (ground, seed, faults, jobs)
        work = Work(ground)
    }

    func run() async throws -> Summary {
        let started = ContinuousClock.now
        try await Audit.install(ground)
        for daemon in ground.daemons { try daemon.start() }
        try await until("all daemons are there", 60) {
            try await self.ground.store.workers().count == self.ground.daemons.count
        }
        // WHY: RabbitMQ 3.10 writes the register of new quorum queues late; killed before, it would lose ours.
        try await Task.sleep(for: .seconds(2))
        try await withThrowingTaskGroup { group in
            group.addTask {
                var random = SeededGenerator(seed: self.seed)
                var number = 0
                while !self.isDone.withLock({ $0 }) || number < self.jobs {
                    if try await self.unfinished() >= Self.backlog {
                        try await Task.sleep(for: .milliseconds(50))
                        continue
                    }
                    try await self.work.send(number, &random)
                    number += 1
                }
            }
            group.addTask {
                defer { self.isDone.withLock { $0 = true } }
                try await self.injectAll()
            }
            try await group.waitForAll()
        }
        for daemon in ground.daemons { try daemon.start() }
        let ids = Array(work.sent.keys)
        try? await until("all jobs have ended", 120) { try await self.unfinished() == 0 }
        var result = summary.withLock { $0 }
        result.jobs = ids.count
        await Verdict(ground, work).look(&result)
        result.seconds = (ContinuousClock.now - started) / .seconds(1)
        return result
    }

    /// Sent, and not ended.
    private func unfinished() async throws -> Int {
        let ended = try await Audit.endedJobs(ground)
        return work.sent.keys.count { !ended.contains($0) }
    }

    // MARK: Faults

    private func injectAll() async throws {
        var random = SeededGenerator(seed: seed &+ 1)
        var left: [Fault] = []
        for number in 1...faults {
            if left.isEmpty { left = Fault.allCases.shuffled(using: &random) }
            let fault = left.removeLast()
            let daemon = ground.daemons[Int.random(in: 0..<ground.daemons.count, using: &random)]
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...900, using: &random)))
            say("\(number). \(fault.rawValue)")
            try await inject(fault, daemon, &random)
            summary.withLock { $0.faults[fault, default: 0] += 1 }
        }
    }

    private func inject(_ fault: Fault, _ daemon: DaemonProcess, _ random: inout SeededGenerator) async throws {
        switch fault {
        case .daemonKilled:
            try await kill(daemon, comingBack: true)
        case .daemonLost:
            try await kill(daemon, comingBack: false)
        case .daemonStopped:
            daemon.signal(SIGSTOP)
            try await Task.sleep(for: .seconds(Double(ground.leaseSeconds) + 2))
            daemon.signal(SIGCONT)
        case .daemonDrained:
            daemon.signal(SIGTERM)
            if Bool.random(using: &random) { daemon.signal(SIGTERM) }
            guard await daemon.ended(within: 15) else { throw HarnessError("\(daemon.name) does not end by SIGTERM") }
            try daemon.start()
        case .childKilled: hitChild(SIGKILL, &random)
        case .childCrashed: hitChild(SIGSEGV, &random)
        case .brokerRestarted:
            try await ground.servers.restart("rabbitmq")
        case .brokerOutOfDisk:
            // A broker that was just killed takes connections before it takes commands.
            try await ground.servers.rabbitmqctl("await_startup", "--timeout", "60")
            try await ground.servers.rabbitmqctl("set_disk_free_limit", "900GB")
            try await Task.sleep(for: .seconds(2))
            try await ground.servers.rabbitmqctl("set_disk_free_limit", "50MB")
        case .messagesTwice:
            for message in work.recent { try await work.publish(message.body) }
        case .databaseSessionsEnded:
            try await Audit.endSessions(ground)
        case .cacheGone:
            try await ground.servers.halt("redis")
            try await Task.sleep(for: .seconds(2))
            try await ground.servers.resume("redis")
            Audit.cacheIsBack()
        }
    }

    private func hitChild(_ signal: Int32, _ random: inout SeededGenerator) {
        let children = ground.processes().filter { $0.name == "reelpool-codec" }.sorted { $0.pid < $1.pid }
        if let child = children.randomElement(using: &random) { _ = Foundation.kill(child.pid, signal) }
    }

    /// Kills it in the middle of its work, and takes the time until what it held is free.
    private func kill(_ daemon: DaemonProcess, comingBack: Bool) async throws {
        let held = try await ground.store.jobs(JobFilter(states: [.running]))
            .filter { $0.leaseOwner == daemon.name && $0.kind != .noop }
        let moment = ContinuousClock.now
        daemon.signal(SIGKILL)
        guard await daemon.ended(within: 5) else { throw HarnessError("\(daemon.name) does not end by SIGKILL") }
        if comingBack { try daemon.start() }
        for job in held {
            try await until("what \(daemon.name) held is free again", 60) {
                guard let now = try await self.ground.store.job(job.id) else { return true }
                return now.epoch > job.epoch || now.state != .running
            }
        }
        let seconds = (ContinuousClock.now - moment) / .seconds(1)
        if !held.isEmpty {
            summary.withLock { summary in
                if comingBack { summary.restarts.append(seconds) } else { summary.recoveries.append(seconds) }
            }
        }
        if !comingBack { try daemon.start() }
    }

    private func until(_ what: String, _ seconds: Double, _ condition: () async throws -> Bool) async throws {
        // The database's sessions are ended, too: asked again.
        try await eventually(what, within: .seconds(seconds)) { (try? await condition()) == true }
    }
}
