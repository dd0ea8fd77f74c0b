internal import Model
package import WorkerCore

// MARK: Arrivals

extension SQLJobStore {
    package func insert(_ jobs: [NewJob]) async throws(StoreError) -> [InsertOutcome] {
        guard !jobs.isEmpty else { return [] }
        return try await database.transaction(.write) { session in
            var arrivals = try Arrivals(jobs, self, session)
            return try arrivals.insert()
        }
    }
}

/// A batch of arrivals on its way in.
private struct Arrivals {
    private let jobs: [NewJob]
    private let store: SQLJobStore
    private let session: any SQLSession
    private let now: StoreTime
    private let virtualTimes: [JobKind: Double]
    private var shares: [OwnerKey: OwnerShare]
    /// Ids by id and by (ingress, key): what is there already, and what this batch brings.
    private var known: [String: JobID]
    private var accepted: [Accepted] = []

    private struct Accepted {
        var new: NewJob
        var tags: FairShare.Tags
        var state: JobState
    }

    private static let findIDs = BatchStatement(
        [.text("id")], "SELECT jobs.id FROM jobs JOIN batch ON batch.id = jobs.id")
    private static let findKeys = BatchStatement(
        [.text("ingress"), .text("idempotency_key")],
        """
        SELECT jobs.id, jobs.ingress, jobs.idempotency_key FROM jobs
        JOIN batch ON batch.ingress = jobs.ingress AND batch.idempotency_key = jobs.idempotency_key
        """)

    init(_ jobs: [NewJob], _ store: SQLJobStore, _ session: any SQLSession) throws {
        (self.store, self.session) = (store, session)
        // As they are kept: what is compared below must be what comes back.
        self.jobs = jobs.map { job in
            var job = job
            job.owner = job.owner.storable
            job.idempotencyKey = job.idempotencyKey?.storable
            return job
        }
        var (now, times) = (StoreTime(0), [JobKind: Double]())
        for var row in try session.execute("SELECT \(store.statements.now), kind, virtual_time FROM kinds") {
            now = try row.integer()
            times[try row.name(JobKind.self)] = try row.real()
        }
        (self.now, virtualTimes) = (now, times)
        shares = try OwnerShare.lock(Set(self.jobs.map { OwnerKey(kind: $0.kind, owner: $0.owner) }), session)
        known = [:]
        for var row in try Self.findIDs.execute(session, self.jobs.map { [.text($0.id.text)] }) {
            let id = try row.jobID()
            known[id.text] = id
        }
        let keys = self.jobs.compactMap { job in
            job.idempotencyKey.map { [SQLValue.text(job.ingress.rawValue), .text($0)] }
        }
        for var row in try Self.findKeys.execute(session, keys) {
            let (id, ingress, key) = (try row.jobID(), try row.text(), try row.text())
            known["\(ingress)/\(key)"] = id
        }
    }

    mutating func insert() throws -> [InsertOutcome] {
        let outcomes = jobs.map { accept($0) }
        guard !accepted.isEmpty else { return outcomes }
        queueTheBest()
        let written = try Self.insertJobs.execute(session, try accepted.map { try row($0) })
        // Another owner's arrival has the same id or key, and was committed a moment ago.
        guard written.count == accepted.count else { throw TransactionConflict() }
        try book().settle(session, store.statements, store.policy)
        if accepted.contains(where: { [.queued, .admitting].contains($0.state) }) { session.wake() }
        return outcomes
    }

    private mutating func accept(_ job: NewJob) -> InsertOutcome {
        let arrival = job.idempotencyKey.map { "\(job.ingress.rawValue)/\($0)" }
        if let id = known[job.id.text] ?? arrival.flatMap({ known[$0] }) { return .duplicate(id) }
        let key = OwnerKey(kind: job.kind, owner: job.owner)
        guard var share = shares[key], share.active < store.policy.limits(of: job.kind).queued else {
            return .ownerFull
        }
        let tags = FairShare.tags(
            virtualTime: virtualTimes[job.kind] ?? 0, ownerFinish: share.finishTag, costSeconds: job.costSeconds,
            tier: job.tier)
        share.finishTag = tags.finish
        share.active += 1
        shares[key] = share
        known[job.id.text] = job.id
        if let arrival { known[arrival] = job.id }
        let state: JobState =
            job.needsAdmission ? .admitting : job.delayMilliseconds > 0 ? .scheduled : .waiting
        accepted.append(Accepted(new: job, tags: tags, state: state))
        return .inserted(job.id)
    }

    /// An owner with room, and with nobody waiting who might be better, has his best arrivals queued at once.
    private mutating func queueTheBest() {
        var room = shares.mapValues { share in
            share.waiting > 0 ? 0 : max(0, store.policy.limits(of: share.key.kind).running - share.ready)
        }
        let waiting = accepted.indices.filter { accepted[$0].state == .waiting }
        for index in waiting.sorted(by: { (accepted[$0].tags.order, $0) < (accepted[$1].tags.order, $1) }) {
            let key = OwnerKey(kind: accepted[index].new.kind, owner: accepted[index].new.owner)
            guard let left = room[key], left > 0 else { continue }
            room[key] = left - 1
            accepted[index].state = .queued
        }
    }

    private func book() -> OwnerBook {
        var deltas: [OwnerKey: OwnerBook.Delta] = [:]
        for job in accepted {
            let key = OwnerKey(kind: job.new.kind, owner: job.new.owner)
            var delta = deltas[key] ?? OwnerBook.Delta()
            delta.finishTag += max(0.001, job.new.costSeconds)
            delta.active += 1
            if job.state == .queued { delta.ready += 1 }
            if job.state == .waiting { (delta.waiting, delta.mayChangePlaces) = (delta.waiting + 1, true) }
            deltas[key] = delta
        }
        return OwnerBook(deltas)
    }
}

// MARK: Rows

extension Arrivals {
    private static let insertJobs = BatchStatement(
        [
            .text("id"), .text("kind"), .text("owner"), .integer("tier"), .text("state"), .text("payload"),
            .text("ingress"), .text("idempotency_key"), .text("reply"), .text("progress_route"), .text("request_id"),
            .integer("max_attempts"), .integer("created_at"), .integer("available_at"), .integer("expires_at"),
            .real("cost_seconds"), .integer("memory_bytes"), .integer("size_class"), .real("start_tag"),
            .real("order_key"), .text("caps"), .integer("needs_admission"),
        ],
        """
        INSERT INTO jobs (id, kind, owner, tier, state, payload, ingress, idempotency_key, reply, progress_route,
            request_id, max_attempts, created_at, available_at, expires_at, cost_seconds, memory_bytes,
            base_memory_bytes, size_class, start_tag, order_key, caps, needs_admission,
            attempt, interruptions, epoch, cancel_requested, is_overflow)
        SELECT id, kind, owner, tier, state, payload, ingress, idempotency_key, reply, progress_route,
            request_id, max_attempts, created_at, available_at, expires_at, cost_seconds, memory_bytes,
            memory_bytes, size_class, start_tag, order_key, caps, needs_admission, 0, 0, 0, 0, 0
        FROM batch WHERE id IS NOT NULL
        ON CONFLICT DO NOTHING
        RETURNING seq
        """)

    private func row(_ job: Accepted) throws -> [SQLValue] {
        let new = job.new
        return [
            .text(new.id.text), .text(new.kind.rawValue), .text(new.owner), .init(new.tier.value),
            .text(job.state.rawValue), .init(new.payload), .text(new.ingress.rawValue), .init(new.idempotencyKey),
            .init(new.reply), .init(new.progressRoute), .init(new.requestID), .init(max(1, new.maxAttempts)),
            .integer(now), .integer(now + max(0, new.delayMilliseconds)),
            .init(new.expiresAfterMilliseconds.map { now + $0 }), .real(new.costSeconds), .integer(new.memoryBytes),
            .integer(JobRow.sizeClass(memoryBytes: new.memoryBytes)), .real(job.tags.start), .real(job.tags.order),
            .init(new.caps == JobCaps() ? nil : try StoredJSON.encode(new.caps)), .init(new.needsAdmission),
        ]
    }
}
