import WorkerCore

/// A store that believes workers whatever epoch they have: what the epoch is there to prevent.
struct UnfencedStore: JobStore {
    let base: any JobStore

    func finish(_ endings: [AttemptEnding], worker: String) async throws(StoreError) -> [FinishOutcome] {
        var outcomes: [FinishOutcome] = []
        for var ending in endings {
            var holder = worker
            if let job = try await base.job(ending.lease.job), let owner = job.leaseOwner {
                (ending.lease.epoch, holder) = (job.epoch, owner)
            }
            outcomes += try await base.finish([ending], worker: holder)
        }
        return outcomes
    }

    // MARK: As it is

    func migrate() async throws(StoreError) { try await base.migrate() }
    func pendingMigrations() async throws(StoreError) -> [PendingMigration] { try await base.pendingMigrations() }
    func now() async throws(StoreError) -> StoreTime { try await base.now() }
    func insert(_ jobs: [NewJob]) async throws(StoreError) -> [InsertOutcome] { try await base.insert(jobs) }
    func claim(_ request: ClaimRequest) async throws(StoreError) -> [JobRecord] { try await base.claim(request) }
    func renew(_ leases: [Lease], worker: String, seconds: Double) async throws(StoreError) -> RenewOutcome {
        try await base.renew(leases, worker: worker, seconds: seconds)
    }
    func admit(_ admission: Admission) async throws(StoreError) -> Bool { try await base.admit(admission) }
    func heartbeat(_ worker: WorkerRecord) async throws(StoreError) { try await base.heartbeat(worker) }
    func workers() async throws(StoreError) -> [WorkerRecord] { try await base.workers() }
    func releaseLeases(ofEarlier worker: WorkerRecord) async throws(StoreError) -> [JobID] {
        try await base.releaseLeases(ofEarlier: worker)
    }
    func wakeUps() async -> AsyncStream<Void> { await base.wakeUps() }
    func close() async { await base.close() }
    func job(_ id: JobID) async throws(StoreError) -> JobRecord? { try await base.job(id) }
    func sweep() async throws(StoreError) -> SweepOutcome { try await base.sweep() }
    func prune(finishedBefore age: PruneAge, limit: Int) async throws(StoreError) -> Int {
        try await base.prune(finishedBefore: age, limit: limit)
    }
    func cancel(_ id: JobID) async throws(StoreError) -> CancelOutcome { try await base.cancel(id) }
    func reprioritise(_ id: JobID, tier: Tier) async throws(StoreError) -> Bool {
        try await base.reprioritise(id, tier: tier)
    }
    func requeue(_ id: JobID) async throws(StoreError) -> RequeueOutcome { try await base.requeue(id) }
    func requeueInFlight(worker: String?) async throws(StoreError) -> [JobID] {
        try await base.requeueInFlight(worker: worker)
    }
    func job(ingress: Ingress, idempotencyKey: String) async throws(StoreError) -> JobRecord? {
        try await base.job(ingress: ingress, idempotencyKey: idempotencyKey)
    }
    func attempts(of id: JobID) async throws(StoreError) -> [AttemptRecord] { try await base.attempts(of: id) }
    func jobs(_ filter: JobFilter) async throws(StoreError) -> [JobRecord] { try await base.jobs(filter) }
    func counts() async throws(StoreError) -> [JobCount] { try await base.counts() }
    func held(by worker: String, instance: String) async throws(StoreError) -> [JobRecord] {
        try await base.held(by: worker, instance: instance)
    }
    func takeNotices(limit: Int, seconds: Double, channel: String?) async throws(StoreError) -> [Notice] {
        try await base.takeNotices(limit: limit, seconds: seconds, channel: channel)
    }
    func finishNotices(_ ids: [Int64]) async throws(StoreError) { try await base.finishNotices(ids) }
    func delayNotices(_ ids: [Int64], seconds: Double) async throws(StoreError) {
        try await base.delayNotices(ids, seconds: seconds)
    }
    func beginUpload(_ uri: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await base.beginUpload(uri, for: lease)
    }
    func nameUpload(_ uri: String, _ uploadID: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await base.nameUpload(uri, uploadID, for: lease)
    }
    func sealUpload(_ uri: String, etag: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await base.sealUpload(uri, etag: etag, for: lease)
    }
    func uploads(of job: JobID) async throws(StoreError) -> [UploadRecord] { try await base.uploads(of: job) }
    func leftUploads(limit: Int) async throws(StoreError) -> [UploadRecord] { try await base.leftUploads(limit: limit) }
    func forgetUploads(_ lease: Lease, uris: [String]) async throws(StoreError) {
        try await base.forgetUploads(lease, uris: uris)
    }
}
