package import Model
package import WorkerCore

/// A job as the interface shows it. Times are RFC 3339, from the store's clock.
package enum JobView {
    package static func json(_ job: JobRecord, attempts: [AttemptRecord]? = nil) -> JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(job.id.text), "kind": .string(job.kind.rawValue), "owner": .string(job.owner),
            "tier": .integer(job.tier.value), "state": .string(publicState(job.state)),
            "attempt": .integer(job.attempt), "max_attempts": .integer(job.maxAttempts),
            "created_at": time(job.createdAt), "available_at": time(job.availableAt),
            "started_at": time(job.startedAt), "finished_at": time(job.finishedAt), "expires_at": time(job.expiresAt),
            "worker": .text(job.leaseOwner), "cancel_requested": .bool(job.isCancelRequested),
            "request_id": .text(job.requestID), "retry_of": .text(job.retryOf?.text), "failure": failure(job.failure),
            "billing": .string(job.billing.rawValue), "price": .text(job.quote?.amount.text),
            "charge": .text(job.charge?.text),
            "payload": (try? JSONValue(parsing: job.payload)) ?? .null,
            "result": job.result.flatMap { try? JSONValue(parsing: $0) } ?? .null,
        ]
        if let attempts {
            members["attempts"] = .array(
                attempts.map { attempt in
                    [
                        "epoch": .integer(attempt.epoch), "worker": .string(attempt.worker),
                        "started_at": time(attempt.startedAt), "ended_at": time(attempt.endedAt),
                        "failure": failure(attempt.failure),
                    ]
                })
        }
        return .object(members)
    }

    /// Why a job that is ready does not start yet is the pool's own business.
    package static func publicState(_ state: JobState) -> String {
        switch state {
        case .waiting, .admitting: JobState.queued.rawValue
        default: state.rawValue
        }
    }

    package static func states(named name: String) -> [JobState]? {
        if name == JobState.queued.rawValue { return [.queued, .waiting, .admitting] }
        return JobState(rawValue: name).map { [$0] }
    }

    package static func worker(_ worker: WorkerRecord) -> JSONValue {
        [
            "name": .string(worker.name), "kinds": .array(worker.kinds.map { .string($0.rawValue) }),
            "slots": .integer(worker.slots), "busy_slots": .integer(worker.busySlots),
            "memory_bytes": .integer(worker.memoryBytes), "draining": .bool(worker.isDraining),
            "version": .string(worker.version), "heartbeat_at": time(worker.heartbeatAt),
        ]
    }

    package static func failure(_ failure: Failure?) -> JSONValue {
        guard let failure else { return .null }
        return [
            "code": .string(failure.code.rawValue), "category": .string(failure.category.rawValue),
            "message": .string(failure.message),
        ]
    }

    /// Source: RFC 3339 §5.6.
    package static func time(_ milliseconds: StoreTime?) -> JSONValue {
        guard let milliseconds else { return .null }
        return .string(InstantText.universal(milliseconds: milliseconds))
    }
}
