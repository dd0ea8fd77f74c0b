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
    }
}
