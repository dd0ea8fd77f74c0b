import PoolTestSupport
import SQLStore
import StoreEdge
import WorkerCore

extension ControlService {
    func queue() throws -> EdgeQueue { EdgeQueue(try client()) }
}

/// A store of which a worker's part goes by way of the control service, and the rest straight to the database.
struct EdgeStore: JobStore {
    let direct: SQLJobStore
    let queue: EdgeQueue

    func claim(_ request: ClaimRequest) async throws(StoreError) -> [JobRecord] { try await queue.claim(request) }
    func renew(_ leases: [Lease], worker: String, seconds: Double) async throws(StoreError) -> RenewOutcome {
        try await queue.renew(leases, worker: worker, seconds: seconds)
    }
    func finish(_ endings: [AttemptEnding], worker: String) async throws(StoreError) -> [FinishOutcome] {
        try await queue.finish(endings, worker: worker)
    }
    func admit(_ admission: Admission) async throws(StoreError) -> Bool { try await queue.admit(admission) }
    func heartbeat(_ worker: WorkerRecord) async throws(StoreError) { try await queue.heartbeat(worker) }
    func workers() async throws(StoreError) -> [WorkerRecord] { try await queue.workers() }
    func releaseLeases(ofEarlier worker: WorkerRecord) async throws(StoreError) -> [JobID] {
        try await queue.releaseLeases(ofEarlier: worker)
    }
    func wakeUps() async -> AsyncStream<Void> { await queue.wakeUps() }
    func close() async {
        await queue.close()
        await direct.close()
    }

    // MARK: What workers have no part in

    /// With what does not go to workers.
    func job(_ id: JobID) async throws(StoreError) -> JobRecord? { try await direct.job(id) }
    func migrate() async throws(StoreError) { try await direct.migrate() }
    func now() async throws(StoreError) -> StoreTime { try await direct.now() }
    func insert(_ jobs: [NewJob]) async throws(StoreError) -> [InsertOutcome] { try await direct.insert(jobs) }
    func sweep() async throws(StoreError) -> SweepOutcome { try await direct.sweep() }
    func prune(finishedBefore age: PruneAge, limit: Int) async throws(StoreError) -> Int {
        try await direct.prune(finishedBefore: age, limit: limit)
    }
    func cancel(_ id: JobID) async throws(StoreError) -> CancelOutcome { try await direct.cancel(id) }
    func reprioritise(_ id: JobID, tier: Tier) async throws(StoreError) -> Bool {
        try await direct.reprioritise(id, tier: tier)
    }
    func requeue(_ id: JobID) async throws(StoreError) -> RequeueOutcome { try await direct.requeue(id) }
    func requeueInFlight(worker: String?) async throws(StoreError) -> [JobID] {
        try await direct.requeueInFlight(worker: worker)
    }
    func pendingMigrations() async throws(StoreError) -> [PendingMigration] { try await direct.pendingMigrations() }
    func job(ingress: Ingress, idempotencyKey: String) async throws(StoreError) -> JobRecord? {
        try await direct.job(ingress: ingress, idempotencyKey: idempotencyKey)
    }
    func attempts(of id: JobID) async throws(StoreError) -> [AttemptRecord] { try await direct.attempts(of: id) }
    func jobs(_ filter: JobFilter) async throws(StoreError) -> [JobRecord] { try await direct.jobs(filter) }
    func counts() async throws(StoreError) -> [JobCount] { try await direct.counts() }
    func held(by worker: String, instance: String) async throws(StoreError) -> [JobRecord] {
        try await direct.held(by: worker, instance: instance)
    }
    func takeNotices(limit: Int, seconds: Double, channel: String?) async throws(StoreError) -> [Notice] {
        try await direct.takeNotices(limit: limit, seconds: seconds, channel: channel)
    }
    func finishNotices(_ ids: [Int64]) async throws(StoreError) { try await direct.finishNotices(ids) }
    func delayNotices(_ ids: [Int64], seconds: Double) async throws(StoreError) {
        try await direct.delayNotices(ids, seconds: seconds)
    }
    func beginUpload(_ uri: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await direct.beginUpload(uri, for: lease)
    }
    func nameUpload(_ uri: String, _ uploadID: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await direct.nameUpload(uri, uploadID, for: lease)
    }
    func sealUpload(_ uri: String, etag: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await direct.sealUpload(uri, etag: etag, for: lease)
    }
    func uploads(of job: JobID) async throws(StoreError) -> [UploadRecord] { try await direct.uploads(of: job) }
    func leftUploads(limit: Int) async throws(StoreError) -> [UploadRecord] {
        try await direct.leftUploads(limit: limit)
    }
    func forgetUploads(_ lease: Lease, uris: [String]) async throws(StoreError) {
        try await direct.forgetUploads(lease, uris: uris)
    }
}
