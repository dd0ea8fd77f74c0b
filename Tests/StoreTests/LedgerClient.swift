import Model
import SQLStore
import TestSupport
import Testing
import WorkerCore

/// One of several that use a store: does anything at random, and compares each answer with the model's.
struct LedgerClient {
    static let owners = ["ann", "bob", "eve"]
    static let policy = StorePolicy.priced(charging: [.cancelled], running: 4)
    static let workers = ["w0", "w1", "w2"]

    struct Seen {
        var model = LedgerModel(charging: [.cancelled])
        var ids: [JobID] = []
        var leases: [(job: JobRecord, worker: String)] = []
        var grants = 0
        var differences: [String] = []
    }

    let stores: [any JobStore]
    let under: StoreUnderTest
    var random: SeededGenerator
    var seen = Seen()

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private mutating func pick<Value>(_ values: [Value]) -> Value? { values.randomElement(using: &random) }

    private mutating func compare<Value: Equatable>(_ what: String, _ answer: Value, _ expected: Value) {
        if answer != expected { seen.differences.append("\(what): \(answer) instead of \(expected)") }
    }

    mutating func step() async throws {
        guard let store = pick(stores) else { return }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<6: try await grant()
        case 6..<8: try await adjust()
        case 8..<30: try await insert(store)
        case 30..<53: try await claim(store)
        case 53..<78: try await finish(store)
        case 78..<86: try await cancel(store)
        case 86..<89: try await sweep(store)
        case 89..<97: try await requeue(store)
        default: try await takeBack(store)
        }
    }

    private mutating func grant() async throws {
        guard let owner = pick(Self.owners) else { return }
        let amount = MicroCredits(Int64.random(in: 1...30_000_000, using: &random)) ?? .zero
        seen.grants += 1
        for time in 0..<(chance(20) ? 2 : 1) {
            let outcome = try await under.ledger.grant(amount, to: owner, key: "g\(seen.grants)", note: nil)
            switch outcome {
            case .entered: compare("a grant entered again", time, 0)
            case .already: compare("a grant said to be there", time, 1)
            default: seen.differences.append("a grant: \(outcome)")
            }
        }
        seen.model.available[owner, default: 0] += amount.value
    }

    private mutating func adjust() async throws {
        guard let owner = pick(Self.owners) else { return }
        seen.grants += 1
        let value = Int64.random(in: 1...10_000_000, using: &random)
        let free = seen.model.available[owner] ?? 0
        let outcome = try await under.ledger.adjust(
            owner, by: MicroCredits(-value) ?? .zero, key: "a\(seen.grants)", note: nil)
        if value > free {
            compare("an adjustment", outcome, .insufficientCredit(available: MicroCredits(free) ?? .zero))
        } else {
            if case .entered = outcome {} else { seen.differences.append("an adjustment: \(outcome)") }
            seen.model.available[owner] = free - value
        }
    }

    private mutating func insert(_ store: any JobStore) async throws {
        var jobs: [NewJob] = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            if chance(10), let known = pick(seen.ids) {
                jobs.append(.paid { $0.id = known })
                continue
            }
            let minutes = Int64.random(in: 1...8, using: &random)
            var job = NewJob.paid(minutes: minutes, owner: pick(Self.owners) ?? "")
            if chance(3) { job.owner = "" }
            if chance(15) { job.billing = [.external, .off].randomElement(using: &random) ?? .off }
            if chance(20) { (job.needsAdmission, job.bound) = (true, nil) }
            job.maxAttempts = Int.random(in: 1...3, using: &random)
            if chance(15) { job.expiresAfterMilliseconds = 1_500_000 }
            jobs.append(job)
        }
        let outcomes = try await store.insert(jobs)
        for (job, outcome) in zip(jobs, outcomes) {
            let isPaid = job.billing == .internal
            let price = isPaid && !job.needsAdmission ? (job.bound?.milliseconds ?? 0) / 60_000 * 2_000_000 : nil
            let expected = seen.model.insert(
                job.id,
                LedgerModel.Job(
                    owner: job.owner, price: price, isPaid: isPaid, needsLook: job.needsAdmission,
                    maxAttempts: job.maxAttempts, expires: job.expiresAfterMilliseconds != nil))
            if expected == .inserted { seen.ids.append(job.id) }
            let answer: LedgerModel.Arrival =
                switch outcome {
                case .inserted: .inserted
                case .duplicate: .duplicate
                case .insufficientCredit(_, let available): .poor(available: available.value)
                case .refused, .ownerFull: .refused
                }
            compare("an arrival", answer, expected)
        }
    }

    private mutating func claim(_ store: any JobStore) async throws {
        guard let worker = pick(Self.workers) else { return }
        let admits = chance(50)
        let jobs = try await store.claim(
            Int.random(in: 1...3, using: &random), worker: worker, leaseSeconds: 1000, admits: admits)
        for job in jobs {
            let isLook = job.state == .admitting
            if !seen.model.claim(job.id, worker, isLook: isLook) {
                seen.differences.append("\(job.id) was given to \(worker) and is not to be had")
            }
            compare("an epoch", job.epoch, seen.model.jobs[job.id]?.epoch ?? 0)
            compare("an attempt", job.attempt, seen.model.jobs[job.id]?.attempt ?? 0)
            seen.leases.append((job, worker))
        }
    }

    private mutating func finish(_ store: any JobStore) async throws {
        guard let index = seen.leases.indices.randomElement(using: &random) else { return }
        // Some say it twice, and some much later.
        let lease = chance(30) ? seen.leases[index] : seen.leases.remove(at: index)
        if lease.job.state == .admitting, chance(80) {
            let minutes = Int64.random(in: 1...8, using: &random)
            let bound = MediaBound(resolution: .upTo1080, milliseconds: minutes * 60_000)
            let counted = try await store.admit(
                Admission(lease: lease.job.lease, costSeconds: 1, memoryBytes: 1, bound: bound))
            compare(
                "an admission", counted, seen.model.admit(lease.job.id, lease.job.epoch, price: minutes * 2_000_000))
            return
        }
        let (outcome, ending) = ending(lease.job.state == .admitting)
        let answer = try await store.finish(lease.job, outcome, worker: lease.worker)
        let counts = seen.model.finish(lease.job.id, lease.job.epoch, lease.worker, ending)
        compare("an ending of \(lease.job.id) that counts", answer != .stale, counts)
        if case .accepted(let state) = answer, counts {
            compare("a state after an ending", state.isFinal ? state : nil, seen.model.jobs[lease.job.id]?.end)
        }
    }

    private mutating func ending(_ isLook: Bool) -> (AttemptEnding.Outcome, LedgerModel.Ending) {
        if isLook { return (.interrupted(.drained), .interrupt) }
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4:
            let milliseconds = Int64.random(in: 0...600_000, using: &random)
            // Two credits a minute to the millionth, and one at the least.
            let charge = max(1_000_000, (milliseconds * 2_000_000 + 59_999) / 60_000)
            return (.succeeded(#"{"duration_seconds":\#(Double(milliseconds) / 1000)}"#), .success(charge: charge))
        case 4: return (.failed(.broken), .fail(.invalidInput))
        case 5: return (.dead(.broken), .die(.invalidInput))
        case 6: return (.cancelled(.stopped), .cancel)
        case 7: return (.interrupted(.drained), .interrupt)
        default: return (.retry(.away, afterSeconds: 0, avoidingWorker: false, overflow: nil), .retry)
        }
    }

    private mutating func cancel(_ store: any JobStore) async throws {
        guard let id = pick(seen.ids) else { return }
        let answer: LedgerModel.Cancel =
            switch try await store.cancel(id) {
            case .cancelled: .cancelled
            case .requested: .requested
            case .alreadyEnded: .ended
            case .unknownJob: .unknown
            }
        compare("a cancellation", answer, seen.model.cancel(id))
    }

    private mutating func sweep(_ store: any JobStore) async throws {
        try await under.advance(seconds: 2000)
        _ = try await store.sweep()
        seen.model.sweep()
    }

    private mutating func requeue(_ store: any JobStore) async throws {
        guard let id = pick(seen.ids) else { return }
        let expected = seen.model.requeue(id)
        let answer: LedgerModel.Requeue
        switch try await store.requeue(id) {
        case .requeued(let new):
            seen.model.requeued(id, as: new)
            seen.ids.append(new)
            answer = .requeued
        case .unknownJob: answer = .unknown
        case .notEndedWithoutSuccess: answer = .notEnded
        case .already(let known): answer = .already(known)
        case .insufficientCredit: answer = .poor
        case .ownerFull, .refused: answer = .unknown
        }
        compare("a requeueing", answer, expected)
    }

    private mutating func takeBack(_ store: any JobStore) async throws {
        let worker = chance(80) ? pick(Self.workers) : nil
        let taken = try await store.requeueInFlight(worker: worker)
        compare("what was taken back", Set(taken), seen.model.takeBack(from: worker))
    }

    // MARK: Looking

    /// Every balance, every job, and the books by their own rules.
    mutating func look() async throws {
        for owner in Self.owners {
            let balance = try await under.ledger.balance(of: owner)
            compare("what \(owner) has free", balance.available.value, seen.model.available[owner] ?? 0)
            compare("what is held of \(owner)'s", balance.held.value, seen.model.held[owner] ?? 0)
        }
        var before: JobID?
        var known = 0
        repeat {
            let page = try await under.store.jobs(JobFilter(before: before, limit: 500))
            for job in page {
                let expected = seen.model.jobs[job.id]
                compare("\(job.id)'s end", job.state.isFinal ? job.state : nil, expected?.end)
                compare("\(job.id)'s charge", job.charge?.value, expected?.charge)
                compare("\(job.id)'s worker", job.leaseOwner, expected?.worker)
            }
            known += page.count
            before = page.last?.id
        } while before != nil
        compare("how many jobs there are", known, seen.model.jobs.count)
        if let fault = try await under.ledger.verify() { seen.differences.append("\(fault.rule): \(fault.row)") }
    }
}
