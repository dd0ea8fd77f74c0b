import Model
import Testing
import WorkerCore

/// What the books and the jobs should be after each operation: plain Swift, knowing nothing of how the store does it.
///
/// What it cannot know, since it does not matter for money, it is told: which of the jobs that are ready a claim takes.
struct LedgerModel {
    struct Job {
        var owner: String
        var price: Int64?
        var isPaid: Bool
        var needsLook: Bool
        var maxAttempts: Int
        var expires: Bool
        var attempt = 0
        var interruptions = 0
        var epoch: Int64 = 0
        var worker: String?
        var isLook = false
        var hasStarted = false
        var isCancelRequested = false
        var end: JobState?
        var charge: Int64?
        var retry: JobID?
    }

    let charging: Set<FailureCategory>
    var jobs: [JobID: Job] = [:]
    var available: [String: Int64] = [:]
    var held: [String: Int64] = [:]

    init(charging: Set<FailureCategory>) { self.charging = charging }

    // MARK: Arrival

    enum Arrival: Equatable { case inserted, duplicate, poor(available: Int64), refused }

    mutating func insert(_ id: JobID, _ job: Job) -> Arrival {
        guard jobs[id] == nil else { return .duplicate }
        guard !job.isPaid || !job.owner.isEmpty else { return .refused }
        if job.isPaid, !job.needsLook {
            let (free, price) = (available[job.owner] ?? 0, job.price ?? 0)
            guard price <= free else { return .poor(available: free) }
            hold(price, job.owner)
        }
        jobs[id] = job
        return .inserted
    }

    private mutating func hold(_ price: Int64, _ owner: String) {
        available[owner, default: 0] -= price
        held[owner, default: 0] += price
    }

    // MARK: Attempts

    mutating func claim(_ id: JobID, _ worker: String, isLook: Bool) -> Bool {
        guard var job = jobs[id], job.end == nil, job.worker == nil, isLook == job.needsLook else { return false }
        job.epoch += 1
        (job.worker, job.isLook) = (worker, isLook)
        if !isLook { (job.attempt, job.hasStarted) = (job.attempt + 1, true) }
        jobs[id] = job
        return true
    }

    private func holds(_ id: JobID, _ epoch: Int64, _ worker: String) -> Bool {
        jobs[id].map { $0.worker == worker && $0.epoch == epoch } ?? false
    }

    /// Whether it counts.
    mutating func admit(_ id: JobID, _ epoch: Int64, price: Int64) -> Bool {
        guard var job = jobs[id], job.worker != nil, job.epoch == epoch, job.isLook else { return false }
        job.worker = nil
        if job.isCancelRequested {
            jobs[id] = job
            close(id, .cancelled, .cancelled)
        } else if job.isPaid, price > available[job.owner] ?? 0 {
            jobs[id] = job
            close(id, .failed, .insufficientCredit)
        } else {
            if job.isPaid {
                hold(price, job.owner)
                job.price = price
            }
            job.needsLook = false
            jobs[id] = job
        }
        return true
    }

    enum Ending { case success(charge: Int64), fail(FailureCategory), die(FailureCategory), cancel, retry, interrupt }

    /// Whether it counts.
    mutating func finish(_ id: JobID, _ epoch: Int64, _ worker: String, _ ending: Ending) -> Bool {
        guard holds(id, epoch, worker) else { return false }
        switch ending {
        case .success(let charge): close(id, .succeeded, nil, charge: charge)
        case .fail(let category): fail(id, .failed, category)
        case .die(let category): fail(id, .dead, category)
        case .cancel: fail(id, .cancelled, .cancelled)
        case .retry: retry(id, .dependencyUnavailable)
        case .interrupt: interrupt(id)
        }
        return true
    }

    private mutating func fail(_ id: JobID, _ state: JobState, _ category: FailureCategory) {
        let isRequested = jobs[id]?.isCancelRequested ?? false
        count(id)
        close(id, isRequested ? .cancelled : state, isRequested ? .cancelled : category)
    }

    private mutating func count(_ id: JobID) {
        guard let job = jobs[id], job.isLook else { return }
        jobs[id]?.attempt += 1
    }

    private mutating func retry(_ id: JobID, _ category: FailureCategory) {
        guard let job = jobs[id] else { return }
        guard !job.isCancelRequested, job.attempt + (job.isLook ? 1 : 0) < job.maxAttempts else {
            return fail(id, .dead, category)
        }
        count(id)
        free(id)
    }

    private mutating func interrupt(_ id: JobID) {
        guard let job = jobs[id] else { return }
        guard !job.isCancelRequested else { return fail(id, .cancelled, .cancelled) }
        guard job.interruptions < 10 else { return retry(id, .interrupted) }
        jobs[id]?.interruptions += 1
        if !job.isLook { jobs[id]?.attempt -= 1 }
        free(id)
    }

    private mutating func free(_ id: JobID) {
        jobs[id]?.worker = nil
        jobs[id]?.isLook = false
    }

    // MARK: Others

    enum Cancel: Equatable { case cancelled, requested, ended, unknown }

    mutating func cancel(_ id: JobID) -> Cancel {
        guard let job = jobs[id] else { return .unknown }
        guard job.end == nil else { return .ended }
        if job.worker != nil {
            jobs[id]?.isCancelRequested = true
            return .requested
        }
        close(id, .cancelled, .cancelled)
        return .cancelled
    }

    mutating func takeBack(from worker: String?) -> Set<JobID> {
        let taken = jobs.filter { $0.value.worker != nil && (worker == nil || $0.value.worker == worker) }
        for (id, job) in taken {
            if job.isCancelRequested {
                fail(id, .cancelled, .cancelled)
            } else {
                if !job.isLook { jobs[id]?.attempt -= 1 }
                free(id)
            }
        }
        return Set(taken.keys)
    }

    /// So much time has gone by that every lease is over, and every job that expires and has not started, has.
    mutating func sweep() {
        for (id, job) in jobs where job.end == nil && job.worker == nil && job.expires && !job.hasStarted {
            close(id, .failed, .limitExceeded)
        }
        for (id, job) in jobs where job.worker != nil { retry(id, .crashed) }
    }

    enum Requeue: Equatable { case requeued, unknown, notEnded, already(JobID), poor }

    /// What would become of it; `requeued` tells that it did.
    func requeue(_ id: JobID) -> Requeue {
        guard let job = jobs[id] else { return .unknown }
        guard let end = job.end, end != .succeeded else { return .notEnded }
        if let retry = job.retry { return .already(retry) }
        if job.isPaid, !job.needsLook, job.price ?? 0 > available[job.owner] ?? 0 { return .poor }
        return .requeued
    }

    mutating func requeued(_ id: JobID, as new: JobID) {
        guard let old = jobs[id] else { return }
        jobs[id]?.retry = new
        var job = Job(
            owner: old.owner, price: old.price, isPaid: old.isPaid, needsLook: old.needsLook,
            maxAttempts: old.maxAttempts, expires: false)
        if old.needsLook { job.price = nil }
        _ = insert(new, job)
    }

    private mutating func close(_ id: JobID, _ state: JobState, _ category: FailureCategory?, charge: Int64 = 0) {
        guard var job = jobs[id] else { return }
        (job.end, job.worker) = (state, nil)
        if job.isPaid, !job.needsLook, let price = job.price, price > 0 {
            let failed = category.map { charging.contains($0) ? price : 0 }
            let charge = min(failed ?? charge, price)
            job.charge = charge
            held[job.owner, default: 0] -= price
            available[job.owner, default: 0] += price - charge
        }
        jobs[id] = job
    }
}
