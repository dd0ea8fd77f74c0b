internal import Model
internal import WorkerCore

/// What a job becomes, as functions of what it was: the whole state machine but for arrival and claim.
///
/// `docs/state-machines.md` has the picture. A job that becomes ready is `waiting` first; the transaction that made it so
/// then queues as many of its owner's best jobs as he may have.
struct JobChange: Sendable {
    let before: JobRow
    var after: JobRow
    /// The attempt that began with the lease is over, and came to this.
    var endedAttempt: EndedAttempt?

    struct EndedAttempt: Sendable { var failure: Failure? }

    init(_ row: JobRow) { (before, after) = (row, row) }

    var hasEnded: Bool { after.job.state.isFinal && !before.job.state.isFinal }
}

struct JobMachine: Sendable {
    let policy: StorePolicy
    /// By the database's clock.
    let now: StoreTime

    // MARK: Attempts

    /// What an attempt came to. `row` is leased to who says so.
    func finish(_ row: JobRow, _ outcome: AttemptEnding.Outcome) -> JobChange {
        switch outcome {
        case .succeeded(let result): return succeed(row, result)
        case .failed(let failure): return fail(row, failure, as: .failed)
        case .dead(let failure): return fail(row, failure, as: .dead)
        case .cancelled(let failure): return fail(row, failure, as: .cancelled)
        case .interrupted(let failure): return interrupt(row, failure)
        case .retry(let failure, let seconds, let avoiding, let overflow):
            var row = row
            if let overflow {
                // It may be one more than was asked for: it is of another sort.
                row.job.maxAttempts = max(row.job.maxAttempts, countedAttempts(of: row) + 1)
                (row.job.isOverflow, row.job.memoryBytes) = (true, overflow.memoryBytes)
            }
            let pause = Int64((max(0, seconds) * 1000).rounded(.up))
            return retry(row, failure, pause: pause, avoiding: avoiding ? row.job.leaseOwner : nil)
        }
    }

    /// The lease ran out: the worker is gone, or did not come through. Counts as an attempt.
    func loseLease(_ row: JobRow) -> JobChange {
        let bound = policy.backoff.pauseSeconds(afterAttempt: countedAttempts(of: row), unit: policy.random())
        return retry(row, Self.lost, pause: Int64((bound * 1000).rounded(.up)), avoiding: row.job.leaseOwner)
    }

    /// The worker has started again, and says itself that it lost this: no pause. It may have the job again, unless the
    /// job lost a worker before: that may be the job's doing.
    func handBack(_ row: JobRow) -> JobChange {
        let again = row.job.failure?.code == .workerLost
        return retry(row, Self.lost, pause: 0, avoiding: again ? row.job.leaseOwner : nil)
    }

    private static let lost = Failure(code: .workerLost, message: "the worker that ran it was lost")

    private func succeed(_ row: JobRow, _ result: String) -> JobChange {
        var change = JobChange(row)
        change.endedAttempt = .init(failure: nil)
        change.after.clearLease()
        change.after.job.state = .succeeded
        change.after.job.finishedAt = now
        (change.after.job.result, change.after.job.failure) = (result, nil)
        return change
    }

    private func fail(_ row: JobRow, _ failure: Failure, as state: JobState) -> JobChange {
        var change = JobChange(row)
        change.endedAttempt = .init(failure: failure)
        change.after.clearLease()
        change.after.job.attempt = countedAttempts(of: row)
        if row.job.isCancelRequested, failure.code != .cancelled {
            end(&change.after, Self.cancelled, as: .cancelled)
        } else {
            end(&change.after, failure, as: row.job.isCancelRequested ? .cancelled : state)
        }
        return change
    }

    private func retry(_ row: JobRow, _ failure: Failure, pause: Int64, avoiding worker: String?) -> JobChange {
        guard !row.job.isCancelRequested, countedAttempts(of: row) < row.job.maxAttempts else {
            return fail(row, failure, as: .dead)
        }
        var change = JobChange(row)
        change.endedAttempt = .init(failure: failure)
        change.after.clearLease()
        change.after.job.attempt = countedAttempts(of: row)
        change.after.job.failure = failure
        change.after.job.availableAt = now + pause
        if let worker, !row.job.avoidedWorkers.contains(worker) { change.after.job.avoidedWorkers.append(worker) }
        if pause > 0 { change.after.job.state = .scheduled } else { makeReady(&change.after) }
        return change
    }

    private func interrupt(_ row: JobRow, _ failure: Failure) -> JobChange {
        guard !row.job.isCancelRequested else { return fail(row, failure, as: .cancelled) }
        guard row.job.interruptions < policy.maxInterruptions else {
            return retry(row, failure, pause: 0, avoiding: nil)
        }
        var change = JobChange(row)
        change.endedAttempt = .init(failure: failure)
        change.after.clearLease()
        change.after.job.interruptions += 1
        change.after.job.failure = failure
        if row.job.state == .running {
            change.after.job.attempt -= 1
            // Its place among what the owner may have ready is its own still.
            change.after.job.state = .queued
        }
        return change
    }

    /// Attempts including the one that the lease stands for: a claim has counted it, unless it was for a look only.
    private func countedAttempts(of row: JobRow) -> Int {
        row.job.state == .admitting ? row.job.attempt + 1 : row.job.attempt
    }

    // MARK: Before and after

    /// The sources have been looked at.
    func admit(_ row: JobRow, _ admission: Admission) -> JobChange {
        var change = JobChange(row)
        change.endedAttempt = .init(failure: nil)
        change.after.clearLease()
        change.after.job.costSeconds = admission.costSeconds
        (change.after.job.memoryBytes, change.after.baseMemoryBytes) = (admission.memoryBytes, admission.memoryBytes)
        if row.job.isCancelRequested {
            end(&change.after, Self.cancelled, as: .cancelled)
        } else {
            change.after.needsAdmission = false
            makeReady(&change.after)
        }
        return change
    }

    /// The sources have been looked at, and the owner cannot pay for what is to be done with them, or nobody knows what it
    /// costs: nothing is begun.
    func refuse(_ row: JobRow, _ failure: Failure) -> JobChange {
        var change = JobChange(row)
        change.endedAttempt = .init(failure: nil)
        change.after.clearLease()
        end(&change.after, failure, as: .failed)
        return change
    }

    /// Its time has come.
    func becomeDue(_ row: JobRow) -> JobChange {
        var change = JobChange(row)
        makeReady(&change.after)
        return change
    }

    func expire(_ row: JobRow) -> JobChange {
        var change = JobChange(row)
        end(&change.after, Failure(code: .expired, message: "it was not started in time"), as: .failed)
        return change
    }

    /// At once while nobody works on it, else by a request that its worker meets.
    func cancel(_ row: JobRow) -> JobChange {
        var change = JobChange(row)
        if row.job.leaseOwner == nil {
            end(&change.after, Self.cancelled, as: .cancelled)
        } else {
            change.after.job.isCancelRequested = true
        }
        return change
    }

    private static let cancelled = Failure(code: .cancelled, message: "the job was cancelled")

    func reprioritise(_ row: JobRow, tier: Tier) -> JobChange {
        var change = JobChange(row)
        change.after.job.tier = tier
        change.after.orderKey = row.startTag - FairShare.headStart(tier)
        return change
    }

    /// Somebody took it from its worker, who is gone or is not to go on. Neither an attempt nor an interruption.
    func takeBack(_ row: JobRow) -> JobChange {
        guard !row.job.isCancelRequested else { return fail(row, Self.cancelled, as: .cancelled) }
        var change = JobChange(row)
        change.endedAttempt = .init(failure: Self.takenBack)
        change.after.clearLease()
        if row.job.state == .running {
            change.after.job.attempt -= 1
            change.after.job.state = .queued
        }
        return change
    }

    private static let takenBack = Failure(code: .workerLost, message: "the job was taken from its worker")

    private func makeReady(_ row: inout JobRow) { row.job.state = row.needsAdmission ? .admitting : .waiting }

    private func end(_ row: inout JobRow, _ failure: Failure, as state: JobState) {
        row.job.state = state
        row.job.failure = failure
        row.job.finishedAt = now
    }
}
