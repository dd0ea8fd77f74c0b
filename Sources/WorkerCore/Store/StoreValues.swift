package import Model

/// How many jobs one owner may have, of one kind.
package struct OwnerLimits: Sendable, Equatable {
    /// Ready or running at a time; more wait without being in others' way.
    package var running: Int
    /// Not ended; an arrival beyond that is refused.
    package var queued: Int

    package init(running: Int, queued: Int) { (self.running, self.queued) = (running, queued) }
}

/// What became of an arrival. One that is refused is not kept, unless `NewJob.keepsRefusal` asks for that: then it is a job
/// that failed, with all that follows from a job's end.
package enum InsertOutcome: Sendable, Equatable {
    case inserted(JobID)
    /// The same arrival is this job already.
    case duplicate(JobID)
    /// The owner has as many jobs of this kind as `OwnerLimits.queued`.
    case ownerFull
    /// The job's price is more than its owner has free.
    case insufficientCredit(needed: MicroCredits, available: MicroCredits)
    /// A job that is paid for here, without an owner or without a price.
    case refused(Failure)
}

/// What became of an ended job that was to run once more.
package enum RequeueOutcome: Sendable, Equatable {
    /// As this new job; the old one stays as it ended.
    case requeued(JobID)
    case unknownJob
    /// Only what ended without success runs again.
    case notEndedWithoutSuccess(JobState)
    /// It was requeued before, as this job, which may be requeued itself.
    case already(JobID)
    case ownerFull
    case insufficientCredit(needed: MicroCredits, available: MicroCredits)
    case refused(Failure)
}

package struct ClaimRequest: Sendable {
    package var worker: String
    /// As in `WorkerRecord.instance`: tells a later start of the same worker what it may hand back.
    package var instance: String
    package var kinds: [JobKind]
    package var limit: Int
    /// No job that is predicted to need more. Says nothing about jobs that are to be probed.
    package var memoryBytes: Int64
    package var leaseSeconds: Double
    /// Takes jobs that wait to be probed, too: they come with the state `admitting`, and no attempt is counted.
    package var admits: Bool

    package init(
        worker: String, instance: String = "", kinds: [JobKind], limit: Int, memoryBytes: Int64, leaseSeconds: Double,
        admits: Bool = false
    ) {
        (self.worker, self.instance, self.kinds, self.limit) = (worker, instance, kinds, limit)
        (self.memoryBytes, self.leaseSeconds, self.admits) = (memoryBytes, leaseSeconds, admits)
    }
}

/// The right to write about a job, until another claims it.
package struct Lease: Sendable, Hashable, Codable {
    package var job: JobID
    package var epoch: Int64

    package init(job: JobID, epoch: Int64) { (self.job, self.epoch) = (job, epoch) }
}

package struct RenewOutcome: Sendable, Equatable {
    /// No longer this worker's: whatever it still does for them must stop and cannot be seen.
    package var lost: Set<Lease>
    /// Still leased, to be stopped and finished as cancelled.
    package var cancelled: Set<Lease>

    package init(lost: Set<Lease> = [], cancelled: Set<Lease> = []) {
        (self.lost, self.cancelled) = (lost, cancelled)
    }
}

/// What an attempt came to.
package struct AttemptEnding: Sendable {
    package enum Outcome: Sendable {
        /// With the result as JSON.
        case succeeded(String)
        case failed(Failure)
        /// Runs again after the pause; the attempt counted.
        case retry(Failure, afterSeconds: Double, avoidingWorker: Bool, overflow: OverflowRetry?)
        /// Runs again at once; the attempt did not count, but an interruption did.
        case interrupted(Failure)
        /// No attempt is left, or another would be no use.
        case dead(Failure)
        case cancelled(Failure)
    }

    package var lease: Lease
    package var outcome: Outcome

    package init(lease: Lease, outcome: Outcome) { (self.lease, self.outcome) = (lease, outcome) }
}

/// A last attempt with more memory and one thread.
package struct OverflowRetry: Sendable, Equatable {
    package var memoryBytes: Int64
    package init(memoryBytes: Int64) { self.memoryBytes = memoryBytes }
}

package enum FinishOutcome: Sendable, Equatable {
    /// The state that the job is in now; one that is ready again, `waiting`, may already be queued.
    case accepted(JobState)
    /// Another claim, a cancellation or the reaper was first; nothing was written.
    case stale
}

/// What probing found out about a job that was admitting.
package struct Admission: Sendable {
    package var lease: Lease
    package var costSeconds: Double
    package var memoryBytes: Int64
    /// What the job may come to at most; by this it is priced where it is paid for by the minute.
    package var bound: MediaBound?

    package init(lease: Lease, costSeconds: Double, memoryBytes: Int64, bound: MediaBound? = nil) {
        (self.lease, self.costSeconds, self.memoryBytes) = (lease, costSeconds, memoryBytes)
        self.bound = bound
    }
}

/// What a store does by itself, the same in every daemon.
package struct StorePolicy: Sendable {
    package var ownerLimits: [JobKind: OwnerLimits]
    /// The pause after an attempt whose lease ran out.
    package var backoff: Backoff
    /// Drains that a job survives; the next one counts as an attempt.
    package var maxInterruptions: Int
    /// Without a heartbeat for so long, a worker counts as gone: no job is kept back for it.
    package var offlineAfterSeconds: Double
    /// What is to be told, and to whom, about a job that has just ended.
    package var noticesOfEnded: @Sendable (JobRecord) -> [NewNotice]
    /// In 0..<1, evenly spread: the jitter of pauses.
    package var random: @Sendable () -> Double
    /// What work costs where it is paid for here; without a card, no such job is taken.
    package var rates: RateCard?
    /// Kept with each job as it comes in.
    package var charges = ChargePolicy.onlySuccess

    package init(
        ownerLimits: [JobKind: OwnerLimits], backoff: Backoff, maxInterruptions: Int = 10,
        offlineAfterSeconds: Double = 90,
        noticesOfEnded: @escaping @Sendable (JobRecord) -> [NewNotice] = { _ in [] },
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
    ) {
        (self.ownerLimits, self.backoff, self.maxInterruptions) = (ownerLimits, backoff, maxInterruptions)
        self.offlineAfterSeconds = offlineAfterSeconds
        (self.noticesOfEnded, self.random) = (noticesOfEnded, random)
    }

    package static let unlimited = OwnerLimits(running: 1_000_000, queued: 1_000_000_000)

    package func limits(of kind: JobKind) -> OwnerLimits { ownerLimits[kind] ?? Self.unlimited }
}

package struct SweepOutcome: Sendable, Equatable {
    package var becameReady: Int
    package var expired: [JobID]
    package var leasesLost: [JobID]

    package init(becameReady: Int = 0, expired: [JobID] = [], leasesLost: [JobID] = []) {
        (self.becameReady, self.expired, self.leasesLost) = (becameReady, expired, leasesLost)
    }
}

package struct PruneAge: Sendable {
    package var succeededSeconds: Double
    package var otherSeconds: Double

    package init(succeededSeconds: Double, otherSeconds: Double) {
        (self.succeededSeconds, self.otherSeconds) = (succeededSeconds, otherSeconds)
    }
}

package enum CancelOutcome: Sendable, Equatable {
    /// It had not started.
    case cancelled
    /// It runs; its worker stops it at the next renewal, or sooner when told.
    case requested(worker: String)
    case alreadyEnded(JobState)
    case unknownJob
}

package struct JobFilter: Sendable {
    package var owner: String?
    package var kinds: [JobKind]
    package var states: [JobState]
    /// Only jobs created before this one.
    package var before: JobID?
    package var limit: Int

    package init(
        owner: String? = nil, kinds: [JobKind] = [], states: [JobState] = [], before: JobID? = nil, limit: Int = 100
    ) {
        (self.owner, self.kinds, self.states, self.before, self.limit) = (owner, kinds, states, before, limit)
    }
}

package struct JobCount: Sendable, Equatable {
    package var kind: JobKind
    package var state: JobState
    package var count: Int
    /// How long the oldest of them has waited, in seconds.
    package var oldestSeconds: Double

    package init(kind: JobKind, state: JobState, count: Int, oldestSeconds: Double) {
        (self.kind, self.state, self.count, self.oldestSeconds) = (kind, state, count, oldestSeconds)
    }
}

/// Something to be told outside, at least once: a foreign result, a webhook.
package struct NewNotice: Sendable, Equatable {
    /// Who delivers it: the relay's name for the way.
    package var channel: String
    /// JSON that the relay understands.
    package var body: String
    package init(channel: String, body: String) { (self.channel, self.body) = (channel, body) }
}

package struct Notice: Sendable, Equatable {
    package var id: Int64
    package var job: JobID
    package var channel: String
    package var body: String
    /// Deliveries tried before this one.
    package var tries: Int

    package init(id: Int64, job: JobID, channel: String, body: String, tries: Int) {
        (self.id, self.job, self.channel, self.body, self.tries) = (id, job, channel, body, tries)
    }
}

/// A step of the schema that a store has not taken yet.
package struct PendingMigration: Sendable, Equatable {
    package var version: Int64
    package var name: String
    /// Statements, one by one.
    package var run: [String]

    package init(version: Int64, name: String, run: [String]) {
        (self.version, self.name, self.run) = (version, name, run)
    }
}

/// A store did not do its part.
package struct StoreError: ClassifiedError, Equatable {
    package let code: FailureCode
    package let message: String
    package let detail: String?

    package init(_ message: String, detail: String? = nil, code: FailureCode = .storeUnavailable) {
        (self.code, self.message, self.detail) = (code, message, detail)
    }
}
