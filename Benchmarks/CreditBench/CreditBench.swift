import Foundation
import SQLStore
import WorkerCore

/// One way in which jobs come in and end, one at a time by each of several workers.
struct Measurement: Encodable, Sendable {
    var name: String
    /// In the books, before it began.
    var entries: Int
    var dispatchesPerSecond: Double
    var dispatchP50Ms: Double
    var dispatchP99Ms: Double
    /// Of the transaction that ends a job, and settles what is held for it.
    var settlementP50Ms: Double
    var settlementP99Ms: Double

    /// Each quantity's middle; of the entries, what there were at first.
    static func middle(of rounds: [Measurement]) -> Measurement {
        func middle(_ quantity: (Measurement) -> Double) -> Double { rounds.map(quantity).sorted()[rounds.count / 2] }
        return Measurement(
            name: rounds[0].name, entries: rounds[0].entries,
            dispatchesPerSecond: middle(\.dispatchesPerSecond), dispatchP50Ms: middle(\.dispatchP50Ms),
            dispatchP99Ms: middle(\.dispatchP99Ms), settlementP50Ms: middle(\.settlementP50Ms),
            settlementP99Ms: middle(\.settlementP99Ms))
    }
}

struct CreditBench: Sendable {
    private static let owners = 100
    private static let batch = 200
    private static let rounds = 3
    private static let card = #"{"version": 1, "kinds": {"render": {"per_job": "0.000002"}}}"#

    let store: SQLJobStore
    let settings: Settings
    private let clock = ContinuousClock()

    init(database: any SQLDatabase, settings: Settings) {
        self.settings = settings
        var policy = StorePolicy(
            ownerLimits: [.render: OwnerLimits(running: 1_000_000, queued: 1_000_000_000)],
            backoff: Backoff(baseSeconds: 1, capSeconds: 60))
        policy.rates = try? RateCard(json: Self.card)
        store = SQLJobStore(database, policy: policy)
    }

    /// What a hold costs, and what it costs where all jobs have one owner, who waits for himself.
    func rates() async throws -> [Measurement] {
        var entries = try await prepare()
        // Once for nothing: what a server reads and plans at first is nobody's speed.
        _ = try await measure("warm-up", .internal, Self.owners, &entries)
        return [
            try await measure("no hold", .off, Self.owners, &entries),
            try await measure("hold", .internal, Self.owners, &entries),
            try await measure("hold, one owner", .internal, 1, &entries),
        ]
    }

    /// The same with few entries in the books and with many.
    func growth() async throws -> [Measurement] {
        var entries = try await prepare()
        var measurements: [Measurement] = []
        for (name, count) in [("few entries", settings.small), ("many entries", settings.large)] {
            try await fill(to: count, &entries)
            var rounds: [Measurement] = []
            for _ in 0..<Self.rounds { rounds.append(try await measure(name, .internal, Self.owners, &entries)) }
            measurements.append(.middle(of: rounds))
        }
        return measurements
    }

    /// - Returns: how many entries there are.
    private func prepare() async throws -> Int {
        try await store.migrate()
        guard let amount = MicroCredits(100_000_000_000) else { preconditionFailure("an amount of a benchmark") }
        for owner in 0..<Self.owners {
            _ = try await store.grant(amount, to: Self.name(owner), key: "start \(owner)", note: nil)
        }
        return Self.owners
    }

    private static func name(_ owner: Int) -> String { "owner \(owner)" }

    private func job(_ billing: Billing, owner: Int) -> NewJob {
        guard let id = JobID(UUID().uuidString) else { preconditionFailure("no id") }
        var job = NewJob(
            id: id, kind: .render, owner: Self.name(owner), payload: String(repeating: "x", count: 600), ingress: .http)
        job.billing = billing
        return job
    }

    private func claim(_ worker: String, _ limit: Int) async throws -> [JobRecord] {
        try await store.claim(
            ClaimRequest(worker: worker, kinds: [.render], limit: limit, memoryBytes: 1 << 40, leaseSeconds: 600))
    }

    private static func endings(_ jobs: [JobRecord]) -> [AttemptEnding] {
        jobs.map { AttemptEnding(lease: Lease(job: $0.id, epoch: $0.epoch), outcome: .succeeded("{}")) }
    }

    private func measure(
        _ name: String, _ billing: Billing, _ owners: Int, _ entries: inout Int
    ) async throws -> Measurement {
        let before = entries
        let each = settings.dispatches / settings.workers
        let start = clock.now
        let dispatches = try await everyWorker { worker in
            try await repeated(each) { number in
                _ = try await store.insert([job(billing, owner: (worker * each + number) % owners)])
            }
        }
        let time = clock.now - start
        let settlements = try await everyWorker { worker in
            var times: [Duration] = []
            for _ in 0..<each {
                let jobs = try await claim("w\(worker)", 1)
                let begin = clock.now
                _ = try await store.finish(Self.endings(jobs), worker: "w\(worker)")
                times.append(clock.now - begin)
            }
            return times
        }
        if billing == .internal { entries += 2 * each * settings.workers }
        return Measurement(
            name: name, entries: before, dispatchesPerSecond: Double(dispatches.count) / (time / .seconds(1)),
            dispatchP50Ms: Self.part(0.5, dispatches), dispatchP99Ms: Self.part(0.99, dispatches),
            settlementP50Ms: Self.part(0.5, settlements), settlementP99Ms: Self.part(0.99, settlements))
    }

    /// Jobs that come in, are held for and charged in batches, until there are so many entries.
    private func fill(to count: Int, _ entries: inout Int) async throws {
        while entries < count {
            let size = min(Self.batch, (count - entries + 1) / 2)
            _ = try await store.insert((0..<size).map { job(.internal, owner: $0 % Self.owners) })
            _ = try await store.finish(Self.endings(try await claim("fill", size)), worker: "fill")
            entries += 2 * size
        }
    }

    private func repeated(_ count: Int, _ body: (Int) async throws -> Void) async throws -> [Duration] {
        var times: [Duration] = []
        for number in 0..<count {
            let begin = clock.now
            try await body(number)
            times.append(clock.now - begin)
        }
        return times
    }

    private func everyWorker(
        _ body: @escaping @Sendable (Int) async throws -> [Duration]
    ) async throws -> [Duration] {
        try await withThrowingTaskGroup(of: [Duration].self) { group in
            for worker in 0..<settings.workers { group.addTask { try await body(worker) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private static func part(_ part: Double, _ times: [Duration]) -> Double {
        let sorted = times.sorted()
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))] / .milliseconds(1)
    }
}
