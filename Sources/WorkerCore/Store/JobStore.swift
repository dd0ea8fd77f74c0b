/// The truth about jobs, attempts, leases and workers: Postgres for several machines, SQLite embedded.
///
/// Every function is one transaction. Times are the store's own. What a running attempt writes carries its epoch, and is
/// refused as stale when another claim, a cancellation or the reaper came first; both drivers pass one conformance suite.
/// A store is made with a `StorePolicy`, and writes the notices of every job that ends in the transaction that ends it.
package protocol JobStore: WorkQueue, StoreUpkeep, UploadLedger {
    /// Brings the schema up to date. Safe to call from several daemons at once.
    func migrate() async throws(StoreError)
    /// What `migrate` would run, in order; nothing when the schema is up to date. Refuses a newer schema, as that does.
    func pendingMigrations() async throws(StoreError) -> [PendingMigration]

    /// The store's clock, by which all its times are.
    func now() async throws(StoreError) -> StoreTime

    // MARK: Arrivals

    /// Inserts jobs, each at most once. The answers are in the order of `jobs`.
    func insert(_ jobs: [NewJob]) async throws(StoreError) -> [InsertOutcome]

    // MARK: Owners and operators

    func cancel(_ id: JobID) async throws(StoreError) -> CancelOutcome
    /// Gives a job that is not running another tier, and so another place. `false` when it runs or has ended.
    func reprioritise(_ id: JobID, tier: Tier) async throws(StoreError) -> Bool
    /// Runs what a job that ended without success was about once more: as a new job, with a hold of its own where it is
    /// paid for here, at the price that was quoted.
    func requeue(_ id: JobID) async throws(StoreError) -> RequeueOutcome
    /// Takes jobs from workers that are known to be gone, or are not to go on: they keep id and hold, the attempt does not
    /// count, and whatever the worker still says of them is stale.
    ///
    /// - Parameter worker: only from this one; `nil` for all.
    /// - Returns: the jobs, in the order in which they came in; those that were to be cancelled are.
    func requeueInFlight(worker: String?) async throws(StoreError) -> [JobID]
    func job(ingress: Ingress, idempotencyKey: String) async throws(StoreError) -> JobRecord?
    func attempts(of id: JobID) async throws(StoreError) -> [AttemptRecord]
    /// Newest first; those after a page are asked for with `JobFilter.before`.
    func jobs(_ filter: JobFilter) async throws(StoreError) -> [JobRecord]
    /// Of jobs that have not ended, and of dead ones.
    func counts() async throws(StoreError) -> [JobCount]
    /// Jobs that this instance of a worker has leases on.
    func held(by worker: String, instance: String) async throws(StoreError) -> [JobRecord]

    // MARK: Outbox

    /// Leases notices that are due: at most `limit`, for `seconds`; oldest first.
    ///
    /// - Parameter channel: only these; `nil` for all.
    func takeNotices(limit: Int, seconds: Double, channel: String?) async throws(StoreError) -> [Notice]
    func finishNotices(_ ids: [Int64]) async throws(StoreError)
    func delayNotices(_ ids: [Int64], seconds: Double) async throws(StoreError)
}

extension JobStore {
    package func takeNotices(limit: Int, seconds: Double) async throws(StoreError) -> [Notice] {
        try await takeNotices(limit: limit, seconds: seconds, channel: nil)
    }
}
