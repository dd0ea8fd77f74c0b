internal import Model
package import WorkerCore

// MARK: Arrivals

extension SQLJobStore {
    package func insert(_ jobs: [NewJob]) async throws(StoreError) -> [InsertOutcome] {
        guard !jobs.isEmpty else { return [] }
        return try await database.transaction(.write) { session in try insert(jobs, session) }
    }

    func insert(_ jobs: [NewJob], _ session: any SQLSession) throws -> [InsertOutcome] {
        var arrivals = try Arrivals(jobs, self, session)
        return try arrivals.insert()
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
    /// What owners have free, of those with jobs that are paid for here at once.
    private var available: [String: MicroCredits]
    /// Ids by id and by (ingress, key): what is there already, and what this batch brings.
    private var known: [String: JobID]
    private var accepted: [Accepted] = []

    private struct Accepted {
        var new: NewJob
        var tags: FairShare.Tags
        var state: JobState
        var hold: String?
        /// Why it ends as soon as it is there.
        var refusal: Failure?
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
        let paying = self.jobs.filter {
            $0.billing == .internal && !Self.isPricedLater($0, store.policy) && !$0.owner.isEmpty
        }
        available = try store.ledger.available(Set(paying.map(\.owner)), session)
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
        try endRefused()
        try store.ledger.hold(accepted.filter { $0.hold != nil }.map { ($0.new.id, $0.new.owner) }, session)
        if accepted.contains(where: { $0.refusal == nil && [.queued, .admitting].contains($0.state) }) {
            session.wake()
        }
        return outcomes
    }

    private mutating func accept(_ job: NewJob) -> InsertOutcome {
        let arrival = job.idempotencyKey.map { "\(job.ingress.rawValue)/\($0)" }
        if let id = known[job.id.text] ?? arrival.flatMap({ known[$0] }) { return .duplicate(id) }
        let key = OwnerKey(kind: job.kind, owner: job.owner)
        guard var share = shares[key], share.active < store.policy.limits(of: job.kind).queued else {
            return refuse(job, .ownerFull)
        }
        var job = job
        var hold: String?
        if job.billing == .internal {
            switch price(of: job) {
            case .refused(let outcome): return refuse(job, outcome)
            case .quoted(let quote): (job.quote, hold) = (quote, take(quote, from: job))
            case .later: break
            }
        }
        let tags = FairShare.tags(
            virtualTime: virtualTimes[job.kind] ?? 0, ownerFinish: share.finishTag, costSeconds: job.costSeconds,
            tier: job.tier)
        share.finishTag = tags.finish
        share.active += 1
        shares[key] = share
        remember(job)
        let state: JobState =
            job.needsAdmission ? .admitting : job.delayMilliseconds > 0 ? .scheduled : .waiting
        accepted.append(Accepted(new: job, tags: tags, state: state, hold: hold))
        return .inserted(job.id)
    }

    private mutating func remember(_ job: NewJob) {
        known[job.id.text] = job.id
        if let key = job.idempotencyKey { known["\(job.ingress.rawValue)/\(key)"] = job.id }
    }

    /// Where nobody waits for an answer the refusal becomes a job, which ends in the transaction in which it begins.
    private mutating func refuse(_ job: NewJob, _ outcome: InsertOutcome) -> InsertOutcome {
        guard job.keepsRefusal, !job.owner.isEmpty, let failure = outcome.failure(of: job) else { return outcome }
        remember(job)
        let tags = FairShare.tags(virtualTime: 0, ownerFinish: nil, costSeconds: 0, tier: job.tier)
        accepted.append(Accepted(new: job, tags: tags, state: .admitting, refusal: failure))
        return outcome
    }

    /// Nothing was begun, so nothing else knows of them.
    private func endRefused() throws {
        let machine = store.machine(now)
        var changes: [JobChange] = []
        for job in accepted {
            guard let failure = job.refusal, let (row, _) = try store.locked(job.new.id, session) else { continue }
            var change = machine.refuse(row, failure)
            // When it is requeued nobody knows any more what its sender declared: it is looked at then.
            let needsLook = job.new.needsAdmission || store.policy.rates?.needsBound(job.new.kind) ?? false
            (change.after.needsAdmission, change.endedAttempt) = (needsLook, nil)
            changes.append(change)
        }
        try store.apply(changes, at: now, session)
    }

    /// What its price depends on is in its sources, and nobody has looked at them.
    private static func isPricedLater(_ job: NewJob, _ policy: StorePolicy) -> Bool {
        job.needsAdmission && job.quote == nil && job.bound == nil && policy.rates?.needsBound(job.kind) ?? true
    }

    private enum Pricing {
        case quoted(Quote)
        /// When it has been looked at.
        case later
        case refused(InsertOutcome)
    }

    private func price(of job: NewJob) -> Pricing {
        guard !job.owner.isEmpty else {
            return .refused(
                .refused(Failure(code: .invalidTask, message: "a job that is paid for here needs an owner")))
        }
        guard !Self.isPricedLater(job, store.policy) else { return .later }
        switch store.price(job.kind, job.quote, job.bound) {
        case .failure(let failure): return .refused(.refused(failure))
        case .success(let quote):
            let free = available[job.owner] ?? .zero
            guard quote.amount <= free else {
                return .refused(.insufficientCredit(needed: quote.amount, available: free))
            }
            return .quoted(quote)
        }
    }

    /// The hold's key.
    private mutating func take(_ quote: Quote, from job: NewJob) -> String? {
        guard quote.amount > .zero else { return nil }
        available[job.owner] = available[job.owner]?.subtracting(quote.amount)
        return JobRow.holdKey(job.id, createdAt: now)
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
            if job.refusal == nil { delta.finishTag += max(0.001, job.new.costSeconds) }
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
            .real("order_key"), .text("caps"), .integer("needs_admission"), .text("billing"), .integer("price"),
            .text("rate"), .text("charged_failures"), .text("retry_of"), .text("hold"),
        ],
        """
        INSERT INTO jobs (id, kind, owner, tier, state, payload, ingress, idempotency_key, reply, progress_route,
            request_id, max_attempts, created_at, available_at, expires_at, cost_seconds, memory_bytes,
            base_memory_bytes, size_class, start_tag, order_key, caps, needs_admission,
            billing, price, rate, charged_failures, retry_of, hold,
            attempt, interruptions, epoch, cancel_requested, is_overflow)
        SELECT id, kind, owner, tier, state, payload, ingress, idempotency_key, reply, progress_route,
            request_id, max_attempts, created_at, available_at, expires_at, cost_seconds, memory_bytes,
            memory_bytes, size_class, start_tag, order_key, caps, needs_admission,
            billing, price, rate, charged_failures, retry_of, hold, 0, 0, 0, 0, 0
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
            .init(new.caps == JobCaps() ? nil : try StoredJSON.encode(new.caps)),
            .init(new.needsAdmission || job.refusal != nil),
            .text(new.billing.rawValue), .init(new.quote?.amount.value),
            .init(try (new.quote?.rate).map(StoredJSON.encode)),
            .init(new.billing == .internal ? try JobRow.text(of: store.policy.charges) : nil),
            .init(new.retryOf?.text), .init(job.hold),
        ]
    }
}

extension InsertOutcome {
    /// What a refusal says to the job's owner; `nil` for what is none.
    fileprivate func failure(of job: NewJob) -> Failure? {
        switch self {
        case .inserted, .duplicate: nil
        case .ownerFull: .queueFull(job.owner, job.kind)
        case .insufficientCredit(let needed, let available): .insufficientCredit(needed: needed, available: available)
        case .refused(let failure): failure
        }
    }
}
