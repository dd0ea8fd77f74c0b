import Foundation
import SQLStore
import WorkerCore

/// What lies in the queue.
struct Scenario: Sendable {
    var name: String
    var owners: Int
    /// How many of one owner may be ready; the others wait beside the index that is claimed from.
    var runningLimit: Int

    static let all = [
        Scenario(name: "1 owner", owners: 1, runningLimit: 1_000_000),
        Scenario(name: "1 owner, 4 at a time", owners: 1, runningLimit: 4),
        Scenario(name: "1000 owners", owners: 1000, runningLimit: 1_000_000),
        Scenario(name: "1000 owners, 4 at a time", owners: 1000, runningLimit: 4),
    ]
}

struct StoreBench {
    let name: String
    let store: SQLJobStore
    let scenario: Scenario
    let settings: Settings
    private let clock = ContinuousClock()
    private static let kinds: [JobKind] = [.render, .proxy, .analysis]

    init(name: String, database: any SQLDatabase, scenario: Scenario, settings: Settings) {
        (self.name, self.scenario, self.settings) = (name, scenario, settings)
        let limits = OwnerLimits(running: scenario.runningLimit, queued: 1_000_000_000)
        store = SQLJobStore(
            database,
            policy: StorePolicy(
                ownerLimits: Dictionary(uniqueKeysWithValues: JobKind.allCases.map { ($0, limits) }),
                backoff: Backoff(baseSeconds: 1, capSeconds: 60),
                noticesOfEnded: { [NewNotice(channel: "bench", body: $0.id.text)] }))
    }

    func run() async throws {
        try await store.migrate()
        let filling = try await clock.measure { try await fill() }
        let (latencies, ended, single) = try await oneByOne()
        let batches = try await inBatches()
        func rate(_ count: Int, _ time: Duration) -> String { String(Int(Double(count) / seconds(time))) }
        func milliseconds(_ part: Double) -> String {
            guard !latencies.isEmpty else { return "-" }
            let index = min(latencies.count - 1, Int(Double(latencies.count) * part))
            return String(format: "%.2f", seconds(latencies[index]) * 1000)
        }
        let cells = [
            name, scenario.name, rate(settings.jobs, filling), milliseconds(0.5), milliseconds(0.99),
            milliseconds(1), rate(ended, single), rate(batches.count, batches.time),
        ]
        print("| " + cells.joined(separator: " | ") + " |")
        fflush(nil)
    }

    private func seconds(_ time: Duration) -> Double {
        Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
    }

    private func fill() async throws {
        for start in stride(from: 0, to: settings.jobs, by: 250) {
            let jobs = (start..<min(settings.jobs, start + 250)).compactMap { number -> NewJob? in
                guard let id = JobID(UUID().uuidString) else { return nil }
                var job = NewJob(
                    id: id, kind: Self.kinds[number % Self.kinds.count], owner: "owner \(number % scenario.owners)",
                    payload: String(repeating: "x", count: 600), ingress: .native)
                job.idempotencyKey = "\(number)"
                job.tier = Tier(number % 4)
                job.costSeconds = Double(number % 60)
                // Where an owner has few places, jobs that fit none of these workers would soon hold them all.
                job.memoryBytes = Int64(number % (scenario.runningLimit < 1000 ? 12 : 17)) << 28
                return job
            }
            _ = try await store.insert(jobs)
        }
    }

    private func request(_ worker: String, _ limit: Int) -> ClaimRequest {
        // Not everything fits: the largest jobs are to be passed over.
        ClaimRequest(worker: worker, kinds: Self.kinds, limit: limit, memoryBytes: 3 << 30, leaseSeconds: 30)
    }

    /// Several workers, each taking one job and ending it, as they do in a pool that renders.
    private func oneByOne() async throws -> (latencies: [Duration], ended: Int, time: Duration) {
        let start = clock.now
        let all = try await withThrowingTaskGroup(of: (latencies: [Duration], ended: Int).self) { group in
            for worker in 0..<settings.workers {
                group.addTask {
                    var mine: (latencies: [Duration], ended: Int) = ([], 0)
                    for _ in 0..<settings.claims / settings.workers {
                        let before = clock.now
                        let jobs = try await store.claim(request("w\(worker)", 1))
                        mine.latencies.append(clock.now - before)
                        try await end(jobs, "w\(worker)")
                        mine.ended += jobs.count
                    }
                    return mine
                }
            }
            return try await group.reduce(into: (latencies: [Duration](), ended: 0)) { all, one in
                all.latencies += one.latencies
                all.ended += one.ended
            }
        }
        return (all.latencies.sorted(), all.ended, clock.now - start)
    }

    private func inBatches() async throws -> (count: Int, time: Duration) {
        let start = clock.now
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<2 {
                group.addTask {
                    var count = 0
                    while count < settings.claims {
                        let jobs = try await store.claim(request("b\(worker)", 50))
                        if jobs.isEmpty { break }
                        try await end(jobs, "b\(worker)")
                        count += jobs.count
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return (count, clock.now - start)
    }

    private func end(_ jobs: [JobRecord], _ worker: String) async throws {
        let endings = jobs.map { AttemptEnding(lease: Lease(job: $0.id, epoch: $0.epoch), outcome: .succeeded("{}")) }
        _ = try await store.finish(endings, worker: worker)
    }
}
