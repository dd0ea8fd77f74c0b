/// What a worker needs of the truth: jobs to do, its leases on them, and who else is there. It may be far away.
///
/// Each function is one transaction of the store that is behind it.
package protocol WorkQueue: Sendable {
    /// Takes the best jobs that fit, in the order in which they should start: `epoch` and `attempt` are one higher.
    func claim(_ request: ClaimRequest) async throws(StoreError) -> [JobRecord]
    /// Prolongs leases, and tells which are lost and which should stop.
    func renew(_ leases: [Lease], worker: String, seconds: Double) async throws(StoreError) -> RenewOutcome
    /// Ends attempts; each answer says whether the write counted. In the order of `endings`.
    func finish(_ endings: [AttemptEnding], worker: String) async throws(StoreError) -> [FinishOutcome]
    /// Records what probing a job in `admitting` found, and makes it runnable.
    func admit(_ admission: Admission) async throws(StoreError) -> Bool

    func heartbeat(_ worker: WorkerRecord) async throws(StoreError)
    func workers() async throws(StoreError) -> [WorkerRecord]
    /// Hands back at once what earlier instances of this worker held: they are gone. Counts as an attempt. To be called
    /// at the start, before the first claim; it is a heartbeat, too.
    func releaseLeases(ofEarlier worker: WorkerRecord) async throws(StoreError) -> [JobID]

    /// From far away it comes without its reply and its result.
    func job(_ id: JobID) async throws(StoreError) -> JobRecord?

    /// A value whenever there may be something to claim or to deliver, in this process or another.
    ///
    /// A hint: it may come without cause, and one may be missed when a connection breaks, so poll as well.
    func wakeUps() async -> AsyncStream<Void>

    func close() async
}

/// What somebody has to do for the whole pool from time to time.
package protocol StoreUpkeep: Sendable {
    /// Moves what is due: scheduled jobs, expired ones, and attempts whose lease ran out. Call it about twice a second.
    func sweep() async throws(StoreError) -> SweepOutcome
    /// Deletes jobs that ended longer ago than this, with their attempts; at most `limit` of them.
    func prune(finishedBefore age: PruneAge, limit: Int) async throws(StoreError) -> Int
}
