package import Model

/// A job as the store has it.
package struct JobRecord: Sendable, Equatable {
    package var id: JobID
    package var kind: JobKind
    package var owner: String
    package var tier: Tier
    package var state: JobState
    package var payload: String
    package var ingress: Ingress
    package var reply: String?
    package var progressRoute: String?
    package var requestID: String?
    /// Attempts that counted, the running one included.
    package var attempt: Int
    package var maxAttempts: Int
    /// Attempts that a drain ended; they count separately.
    package var interruptions: Int
    /// Goes up with every claim: a write that carries an older one is refused.
    package var epoch: Int64
    package var leaseOwner: String?
    package var leaseUntil: StoreTime?
    package var isCancelRequested: Bool
    package var createdAt: StoreTime
    package var availableAt: StoreTime
    package var expiresAt: StoreTime?
    package var startedAt: StoreTime?
    package var finishedAt: StoreTime?
    package var costSeconds: Double
    package var memoryBytes: Int64
    package var caps: JobCaps
    /// Workers that this job killed or that crashed with it, by name: it is not given to them again.
    package var avoidedWorkers: [String]
    /// A retry that runs on one thread with a larger budget.
    package var isOverflow: Bool
    /// JSON, when it succeeded.
    package var result: String?
    /// Why it ended otherwise, or why its last attempt did.
    package var failure: Failure?
    package var billing = Billing.off
    /// What it was quoted; `nil` while that is not known, or nobody asks. Held from its owner's credit where it is
    /// `internal`.
    package var quote: Quote?
    /// What it cost in the end; `nil` until then, or where nothing was held.
    package var charge: MicroCredits?
    /// The ended job that this one is another try of.
    package var retryOf: JobID?
    /// As in `NewJob`.
    package var idempotencyKey: String?

    package init(
        id: JobID, kind: JobKind, owner: String, tier: Tier, state: JobState, payload: String, ingress: Ingress,
        reply: String?, progressRoute: String?, requestID: String?, attempt: Int, maxAttempts: Int,
        interruptions: Int, epoch: Int64, leaseOwner: String?, leaseUntil: StoreTime?, isCancelRequested: Bool,
        createdAt: StoreTime, availableAt: StoreTime, expiresAt: StoreTime?, startedAt: StoreTime?,
        finishedAt: StoreTime?, costSeconds: Double, memoryBytes: Int64, caps: JobCaps, avoidedWorkers: [String],
        isOverflow: Bool, result: String?, failure: Failure?
    ) {
        (self.id, self.kind, self.owner, self.tier, self.state) = (id, kind, owner, tier, state)
        (self.payload, self.ingress, self.reply, self.progressRoute) = (payload, ingress, reply, progressRoute)
        (self.requestID, self.attempt, self.maxAttempts) = (requestID, attempt, maxAttempts)
        (self.interruptions, self.epoch) = (interruptions, epoch)
        (self.leaseOwner, self.leaseUntil, self.isCancelRequested) = (leaseOwner, leaseUntil, isCancelRequested)
        (self.createdAt, self.availableAt, self.expiresAt) = (createdAt, availableAt, expiresAt)
        (self.startedAt, self.finishedAt) = (startedAt, finishedAt)
        (self.costSeconds, self.memoryBytes, self.caps) = (costSeconds, memoryBytes, caps)
        (self.avoidedWorkers, self.isOverflow) = (avoidedWorkers, isOverflow)
        (self.result, self.failure) = (result, failure)
    }
}

/// How one attempt went, kept for as long as its job.
package struct AttemptRecord: Sendable, Equatable {
    package var epoch: Int64
    package var worker: String
    package var startedAt: StoreTime
    package var endedAt: StoreTime?
    package var failure: Failure?

    package init(epoch: Int64, worker: String, startedAt: StoreTime, endedAt: StoreTime?, failure: Failure?) {
        (self.epoch, self.worker, self.startedAt) = (epoch, worker, startedAt)
        (self.endedAt, self.failure) = (endedAt, failure)
    }
}

/// A daemon as the others see it.
package struct WorkerRecord: Sendable, Codable, Equatable {
    /// Unique among live daemons, and the same after a restart on the same node.
    package var name: String
    /// Differs with every start.
    package var instance: String
    package var kinds: [JobKind]
    package var slots: Int
    package var busySlots: Int
    package var memoryBytes: Int64
    package var isDraining: Bool
    package var version: String
    package var heartbeatAt: StoreTime

    package init(
        name: String, instance: String, kinds: [JobKind], slots: Int, busySlots: Int, memoryBytes: Int64,
        isDraining: Bool, version: String, heartbeatAt: StoreTime = 0
    ) {
        (self.name, self.instance, self.kinds, self.slots) = (name, instance, kinds, slots)
        (self.busySlots, self.memoryBytes, self.isDraining) = (busySlots, memoryBytes, isDraining)
        (self.version, self.heartbeatAt) = (version, heartbeatAt)
    }
}
