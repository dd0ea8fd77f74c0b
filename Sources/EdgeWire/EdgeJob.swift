internal import Model
package import WorkerCore

/// A job as a worker needs it: without how its sender wants its answer, and without results of earlier attempts.
package struct EdgeJob: Codable, Sendable {
    private var id: JobID
    private var kind: JobKind
    private var owner: String
    private var tier: Tier
    private var state: JobState
    private var payload: String
    private var ingress: Ingress
    private var progressRoute: String?
    private var requestID: String?
    private var attempt: Int
    private var maxAttempts: Int
    private var interruptions: Int
    private var epoch: Int64
    private var leaseOwner: String?
    private var leaseUntil: StoreTime?
    private var isCancelRequested: Bool
    private var createdAt: StoreTime
    private var availableAt: StoreTime
    private var expiresAt: StoreTime?
    private var startedAt: StoreTime?
    private var finishedAt: StoreTime?
    private var costSeconds: Double
    private var memoryBytes: Int64
    private var caps: JobCaps
    private var avoidedWorkers: [String]
    private var isOverflow: Bool
    private var failure: EdgeFailure?

    private enum CodingKeys: String, CodingKey {
        case id, kind, owner, tier, state, payload, ingress, progressRoute
        // So that it is the same there and back: `request_id`.
        case requestID = "requestId"
        case attempt, maxAttempts, interruptions, epoch, leaseOwner, leaseUntil, isCancelRequested, createdAt
        case availableAt, expiresAt, startedAt, finishedAt, costSeconds, memoryBytes, caps, avoidedWorkers, isOverflow
        case failure
    }

    package init(_ job: JobRecord) {
        (id, kind, owner, tier, state) = (job.id, job.kind, job.owner, job.tier, job.state)
        (payload, ingress, progressRoute, requestID) = (job.payload, job.ingress, job.progressRoute, job.requestID)
        (attempt, maxAttempts, interruptions) = (job.attempt, job.maxAttempts, job.interruptions)
        (epoch, leaseOwner, leaseUntil) = (job.epoch, job.leaseOwner, job.leaseUntil)
        (isCancelRequested, createdAt, availableAt) = (job.isCancelRequested, job.createdAt, job.availableAt)
        (expiresAt, startedAt, finishedAt) = (job.expiresAt, job.startedAt, job.finishedAt)
        (costSeconds, memoryBytes, caps) = (job.costSeconds, job.memoryBytes, job.caps)
        (avoidedWorkers, isOverflow) = (job.avoidedWorkers, job.isOverflow)
        failure = job.failure.map(EdgeFailure.init)
    }

    package var record: JobRecord {
        JobRecord(
            id: id, kind: kind, owner: owner, tier: tier, state: state, payload: payload, ingress: ingress,
            reply: nil, progressRoute: progressRoute, requestID: requestID, attempt: attempt, maxAttempts: maxAttempts,
            interruptions: interruptions, epoch: epoch, leaseOwner: leaseOwner, leaseUntil: leaseUntil,
            isCancelRequested: isCancelRequested, createdAt: createdAt, availableAt: availableAt,
            expiresAt: expiresAt, startedAt: startedAt, finishedAt: finishedAt, costSeconds: costSeconds,
            memoryBytes: memoryBytes, caps: caps, avoidedWorkers: avoidedWorkers, isOverflow: isOverflow, result: nil,
            failure: failure?.failure)
    }
}

/// A failure that a later version may know by a code of its own.
struct EdgeFailure: Codable, Sendable {
    private var code: String
    private var message: String
    private var detail: String?

    init(_ failure: Failure) {
        (code, message, detail) = (failure.code.rawValue, failure.message, failure.detail)
    }

    var failure: Failure {
        Failure(code: FailureCode(rawValue: code) ?? .internalFault, message: message, detail: detail)
    }
}

/// A daemon as the others see it, which may do kinds of jobs that this version knows nothing of.
package struct EdgeWorker: Codable, Sendable {
    private var name: String
    private var instance: String
    private var kinds: [String]
    private var slots: Int
    private var busySlots: Int
    private var memoryBytes: Int64
    private var isDraining: Bool
    private var version: String
    private var heartbeatAt: StoreTime

    package init(_ worker: WorkerRecord) {
        (name, instance, kinds) = (worker.name, worker.instance, worker.kinds.map(\.rawValue))
        (slots, busySlots, memoryBytes) = (worker.slots, worker.busySlots, worker.memoryBytes)
        (isDraining, version, heartbeatAt) = (worker.isDraining, worker.version, worker.heartbeatAt)
    }

    package var record: WorkerRecord {
        WorkerRecord(
            name: name, instance: instance, kinds: kinds.compactMap(JobKind.init(rawValue:)), slots: slots,
            busySlots: busySlots, memoryBytes: memoryBytes, isDraining: isDraining, version: version,
            heartbeatAt: heartbeatAt)
    }
}
