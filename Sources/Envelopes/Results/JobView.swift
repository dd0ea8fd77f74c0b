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
            "request_id": .text(job.requestID), "failure": failure(job.failure),
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
        return .string(InstantLine.text(milliseconds))
    }
}

/// Points in time as text, without a calendar library. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
enum InstantLine {
    static func text(_ milliseconds: StoreTime) -> String {
        let (days, rest) = floorDivide(milliseconds, 86_400_000)
        let (year, month, day) = civil(days)
        let seconds = rest / 1000
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2)):"
            + "\(pad(seconds % 60, 2)).\(pad(rest % 1000, 3))Z"
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
        let rest = ((value % divisor) + divisor) % divisor
        return ((value - rest) / divisor, rest)
    }

    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let (era, dayOfEra) = floorDivide(shifted, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func pad(_ value: Int64, _ digits: Int) -> String {
        let text = "\(value)"
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
