import Envelopes
import Model
import WorkerCore

extension JobRecord {
    /// A job that has ended, as a store has it.
    static func ended(
        _ job: NewJob, state: JobState = .succeeded, epoch: Int64 = 1, result: String? = nil, failure: Failure? = nil,
        startedAt: StoreTime? = 1_767_225_600_000, finishedAt: StoreTime = 1_767_225_602_500
    ) -> JobRecord {
        JobRecord(
            id: job.id, kind: job.kind, owner: job.owner, tier: job.tier, state: state, payload: job.payload,
            ingress: job.ingress, reply: job.reply, progressRoute: job.progressRoute, requestID: job.requestID,
            attempt: 1, maxAttempts: job.maxAttempts, interruptions: 0, epoch: epoch, leaseOwner: nil, leaseUntil: nil,
            isCancelRequested: false, createdAt: 1_767_225_599_000, availableAt: 0, expiresAt: nil,
            startedAt: startedAt, finishedAt: finishedAt, costSeconds: 1, memoryBytes: 0, caps: job.caps,
            avoidedWorkers: [], isOverflow: false, result: result, failure: failure)
    }
}

extension ProgressUpdate {
    /// An update of a running job, half done unless said otherwise.
    static func running(
        _ job: NewJob, epoch: Int64 = 1, sequence: Int64, fraction: Double = 0.5,
        phase: ProgressEvent.Phase = .encoding
    ) -> ProgressUpdate {
        ProgressUpdate(
            job: job.id, kind: job.kind, owner: job.owner, epoch: epoch, sequence: sequence, state: .running,
            progress: ProgressEvent(
                phase: phase, fraction: fraction, frames: 100, framesPerSecond: 50, speed: 2, remainingSeconds: 3),
            attempt: 1, route: job.progressRoute)
    }

    static func ended(
        _ job: NewJob, epoch: Int64 = 1, sequence: Int64, state: State = .succeeded, result: String? = nil,
        failure: Failure? = nil
    ) -> ProgressUpdate {
        ProgressUpdate(
            job: job.id, kind: job.kind, owner: job.owner, epoch: epoch, sequence: sequence, state: state, attempt: 1,
            failure: failure, result: result, route: job.progressRoute)
    }
}

extension FencedWrite {
    /// What is written under a key.
    func value(of key: String) -> [UInt8]? {
        for operation in operations {
            switch operation {
            case .set(key, let value, _), .setPending(key, let value, _): return value
            case .set, .setPending, .publish, .begin: continue
            }
        }
        return nil
    }

    /// What is published on a channel, in order.
    func messages(on channel: String) throws -> [JSONValue] {
        try operations.compactMap { operation in
            switch operation {
            case .publish(channel, let value), .begin(channel, let value): try JSONValue(parsing: value)
            case .publish, .begin, .set, .setPending: nil
            }
        }
    }
}
