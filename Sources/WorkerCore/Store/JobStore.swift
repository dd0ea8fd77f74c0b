/// The truth about jobs, attempts, leases and workers: Postgres for several machines, SQLite embedded.
///
/// Every function is one transaction. Times are the store's own. What a running attempt writes carries its epoch, and is
/// refused as stale when another claim, a cancellation or the reaper came first; both drivers pass one conformance suite.
/// A store is made with a `StorePolicy`, and writes the notices of every job that ends in the transaction that ends it.
package protocol JobStore: UploadLedger {
    /// Brings the schema up to date. Safe to call from several daemons at once.
    func migrate() async throws(StoreError)

    /// The store's clock, by which all its times are.
    func now() async throws(StoreError) -> StoreTime

    // MARK: Arrivals

    /// Inserts jobs, each at most once. The answers are in the order of `jobs`.
    func insert(_ jobs: [NewJob]) async throws(StoreError) -> [InsertOutcome]

    // MARK: Attempts

    /// Takes the best jobs that fit, in the order in which they should start: `epoch` and `attempt` are one higher.
    func claim(_ request: ClaimRequest) async throws(StoreError) -> [JobRecord]
    /// Prolongs leases, and tells which are lost and which should stop.
    func renew(_ leases: [Lease], worker: String, seconds: Double) async throws(StoreError) -> RenewOutcome
    /// Ends attempts; each answer says whether the write counted. In the order of `endings`.
    func finish(_ endings: [AttemptEnding], worker: String) async throws(StoreError) -> [FinishOutcome]
    /// Records what probing a job in `admitting` found, and makes it runnable.
    func admit(_ admission: Admission) async throws(StoreError) -> Bool

    // MARK: Time passing

    /// Moves what is due: scheduled jobs, expired ones, and attempts whose lease ran out. Call it about twice a second.
    func sweep() async throws(StoreError) -> SweepOutcome
    /// Deletes jobs that ended longer ago than this, with their attempts; at most `limit` of them.
    func prune(finishedBefore age: PruneAge, limit: Int) async throws(StoreError) -> Int

    // MARK: Owners and operators

    func cancel(_ id: JobID) async throws(StoreError) -> CancelOutcome
    /// Gives a job that is not running another tier, and so another place. `false` when it runs or has ended.
    func reprioritise(_ id: JobID, tier: Tier) async throws(StoreError) -> Bool
    /// Runs a job that ended without success once more, from its first attempt. `false` when there is no such job.
    func requeue(_ id: JobID) async throws(StoreError) -> Bool
    func job(_ id: JobID) async throws(StoreError) -> JobRecord?
    func job(ingress: Ingress, idempotencyKey: String) async throws(StoreError) -> JobRecord?
    func attempts(of id: JobID) async throws(StoreError) -> [AttemptRecord]
    /// Newest first; those after a page are asked for with `JobFilter.before`.
    func jobs(_ filter: JobFilter) async throws(StoreError) -> [JobRecord]
    /// Of jobs that have not ended, and of dead ones.
    func counts() async throws(StoreError) -> [JobCount]

    // MARK: Workers

    func heartbeat(_ worker: WorkerRecord) async throws(StoreError)
    func workers() async throws(StoreError) -> [WorkerRecord]
    /// Hands back at once what earlier instances of this worker held: they are gone. Counts as an attempt. To be called
    /// at the start, before the first claim; it is a heartbeat, too.
    func releaseLeases(ofEarlier worker: WorkerRecord) async throws(StoreError) -> [JobID]

    // MARK: Outbox

    /// Leases notices that are due: at most `limit`, for `seconds`; oldest first.
    ///
    /// - Parameter channel: only these; `nil` for all.
    func takeNotices(limit: Int, seconds: Double, channel: String?) async throws(StoreError) -> [Notice]
    func finishNotices(_ ids: [Int64]) async throws(StoreError)
    func delayNotices(_ ids: [Int64], seconds: Double) async throws(StoreError)

    /// A value whenever there may be something to claim or to deliver, in this process or another.
    ///
    /// A hint: it may come without cause, and one may be missed when a connection breaks, so poll as well.
    func wakeUps() async -> AsyncStream<Void>

    func close() async
}

extension JobStore {
    package func takeNotices(limit: Int, seconds: Double) async throws(StoreError) -> [Notice] {
        try await takeNotices(limit: limit, seconds: seconds, channel: nil)
    }
}
