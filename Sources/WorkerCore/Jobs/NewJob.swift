/// A job as it arrives.
package struct NewJob: Sendable, Equatable {
    package var id: JobID
    /// Arrivals with one key are one job, however often they come; unique within an ingress.
    package var idempotencyKey: String?
    package var kind: JobKind
    package var owner: String
    package var tier: Tier
    /// The task as JSON, in the schema of its kind.
    package var payload: String
    package var ingress: Ingress
    /// How the sender wants its answer, as JSON that the ingress itself understands.
    package var reply: String?
    /// Where progress goes besides the job's own channel, as JSON.
    package var progressRoute: String?
    package var requestID: String?
    package var maxAttempts: Int
    package var delayMilliseconds: Int64
    /// From arrival on; a job that has not started by then fails with `expired`.
    package var expiresAfterMilliseconds: Int64?
    /// Seconds of work that it is thought to be; what fairness counts in.
    package var costSeconds: Double
    /// What an attempt is predicted to need.
    package var memoryBytes: Int64
    /// Its sources are unknown yet: it starts in `admitting`.
    package var needsAdmission: Bool
    package var caps: JobCaps
    package var billing: Billing
    /// What it may come to at most, as its sender declared; not needed for what is priced by the job, or is to be probed.
    package var bound: MediaBound?
    /// A price that was agreed already; else the store's rate card has it.
    package var quote: Quote?
    /// The ended job that this one is another try of.
    package var retryOf: JobID?
    /// Whether a refusal is kept, as a job that failed: its sender has gone, and hears of it as of any other end.
    package var keepsRefusal = false

    package init(id: JobID, kind: JobKind, owner: String, payload: String, ingress: Ingress) {
        (self.id, self.kind, self.owner, self.payload, self.ingress) = (id, kind, owner, payload, ingress)
        (idempotencyKey, reply, progressRoute, requestID) = (nil, nil, nil, nil)
        tier = Tier(0)
        maxAttempts = 3
        delayMilliseconds = 0
        expiresAfterMilliseconds = nil
        costSeconds = 1
        memoryBytes = 0
        needsAdmission = false
        caps = JobCaps()
        (billing, bound, quote, retryOf) = (.off, nil, nil, nil)
    }
}
