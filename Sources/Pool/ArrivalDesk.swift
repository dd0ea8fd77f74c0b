internal import Envelopes
internal import Logging
internal import Model
internal import ProgressRedis
internal import WorkerCore

/// Makes jobs of deliveries and puts them into the store: what it accepts may be acknowledged.
struct ArrivalDesk: Sendable {
    let reader: EnvelopeReader
    let store: any JobStore
    /// For senders who wait for an answer to what is no job.
    let results: RedisResults?
    let clock: @Sendable () -> StoreTime
    let log: Logger

    func take(_ deliveries: [Delivery]) async -> [DeliveryDecision] {
        var decisions = [DeliveryDecision?](repeating: nil, count: deliveries.count)
        var jobs: [(index: Int, job: NewJob)] = []
        for (index, delivery) in deliveries.enumerated() {
            do {
                jobs.append((index, try reader.read(delivery, now: clock())))
            } catch {
                if let notice = ForeignResults.notice(refusing: error, now: clock()) { results?.tell(notice) }
                decisions[index] = .quarantine(error.quarantineReason)
            }
        }
        do {
            let outcomes = try await store.insert(jobs.map(\.job))
            for ((index, job), outcome) in zip(jobs, outcomes) {
                decisions[index] = decide(outcome, job)
            }
        } catch {
            log.warning("arrivals wait: the store does not take them", metadata: ["error": "\(error.message)"])
        }
        return decisions.map { $0 ?? .later }
    }

    private func decide(_ outcome: InsertOutcome, _ job: NewJob) -> DeliveryDecision {
        switch outcome {
        case .inserted, .duplicate: return .accepted
        case .ownerFull: return refuse(job, .queueFull(job.owner, job.kind))
        case .insufficientCredit(let needed, let available):
            return refuse(job, .insufficientCredit(needed: needed, available: available))
        case .refused(let failure): return refuse(job, failure)
        }
    }

    /// Told to whoever waits for an answer, else put aside.
    private func refuse(_ job: NewJob, _ failure: Failure) -> DeliveryDecision {
        // It is a job that has failed, and its sender hears of that as of any other.
        if job.keepsRefusal { return .accepted }
        if let notice = ForeignResults.notice(refusing: job, because: failure, now: clock()) {
            results?.tell(notice)
            return .accepted
        }
        return .quarantine(QuarantineReason(code: failure.code.rawValue, detail: failure.message))
    }
}
