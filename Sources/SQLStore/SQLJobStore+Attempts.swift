internal import Model
package import WorkerCore

// MARK: Attempts

extension SQLJobStore {
    package func renew(
        _ leases: [Lease], worker: String, seconds: Double
    ) async throws(StoreError) -> RenewOutcome {
        guard !leases.isEmpty else { return RenewOutcome() }
        let held: [(lease: Lease, isCancelled: Bool)] = try await database.transaction(.write) { session in
            let rows = try statements.renew.execute(
                session, leases.map { [.text($0.job.text), .integer($0.epoch)] }, .init(worker),
                .integer(Int64(seconds * 1000)))
            return try rows.map { row in
                var row = row
                return (Lease(job: try row.jobID(), epoch: try row.integer()), try row.flag())
            }
        }
        return RenewOutcome(
            lost: Set(leases).subtracting(held.map(\.lease)),
            cancelled: Set(held.filter(\.isCancelled).map(\.lease)))
    }

    /// A lease that ran out is good still, until somebody has noticed: then another decided, and this is stale.
    package func finish(
        _ endings: [AttemptEnding], worker: String
    ) async throws(StoreError) -> [FinishOutcome] {
        guard !endings.isEmpty else { return [] }
        return try await database.transaction(.write) { session in
            let locked = try LockedRows(
                try statements.lockLeased.execute(session, Set(endings.map(\.lease.job.text)).map { [.text($0)] }))
            var rows = Dictionary(uniqueKeysWithValues: locked.rows.map { ($0.job.id, $0) })
            let machine = machine(locked.now)
            var changes: [JobChange] = []
            let outcomes = endings.map { ending -> FinishOutcome in
                guard let row = rows[ending.lease.job], row.job.leaseOwner == worker, row.isHeld(by: ending.lease)
                else { return .stale }
                // A second ending of the same attempt in one batch comes too late.
                rows[ending.lease.job] = nil
                let change = machine.finish(row, ending.outcome)
                changes.append(change)
                return .accepted(change.after.job.state)
            }
            try apply(changes.sorted { $0.before.seq < $1.before.seq }, at: locked.now, session)
            return outcomes
        }
    }

    package func admit(_ admission: Admission) async throws(StoreError) -> Bool {
        try await database.transaction(.write) { session in
            guard let (row, now) = try locked(admission.lease.job, session), row.job.state == .admitting,
                row.isHeld(by: admission.lease)
            else { return false }
            let machine = machine(now)
            guard row.job.billing == .internal, row.hold == nil, !row.job.isCancelRequested else {
                try apply([machine.admit(row, admission)], at: now, session)
                return true
            }
            // As everywhere, the owner's share is locked before his accounts.
            _ = try OwnerShare.lock([row.ownerKey], session)
            var held = row
            if let failure = try takeHold(&held, admission, session) {
                try apply([machine.refuse(row, failure)], at: now, session)
            } else {
                try apply([machine.admit(held, admission)], at: now, session)
            }
            return true
        }
    }

    /// Why there is no hold.
    private func takeHold(
        _ row: inout JobRow, _ admission: Admission, _ session: any SQLSession
    ) throws -> Failure? {
        let quote: Quote
        switch price(row.job.kind, row.job.quote, admission.bound) {
        case .failure(let failure): return failure
        case .success(let known): quote = known
        }
        let available = try ledger.available([row.job.owner], session)[row.job.owner] ?? .zero
        guard quote.amount <= available else { return .insufficientCredit(needed: quote.amount, available: available) }
        try ledger.admit(&row, quote, session)
        return nil
    }

    /// Hands back what an earlier instance of this worker held, and takes note of the new one.
    package func releaseLeases(ofEarlier worker: WorkerRecord) async throws(StoreError) -> [JobID] {
        try await database.transaction(.write) { session in
            let locked = try LockedRows(
                try session.execute(statements.leasesOfEarlier, .init(worker.name), .init(worker.instance)))
            let machine = machine(locked.now)
            try apply(locked.rows.map { machine.handBack($0) }, at: locked.now, session)
            try heartbeat(worker, session)
            return locked.rows.map(\.job.id)
        }
    }
}

extension SQLJobStore {
    /// What a job that is paid for here is to cost.
    func price(_ kind: JobKind, _ agreed: Quote?, _ bound: MediaBound?) -> Result<Quote, Failure> {
        if let agreed { return .success(agreed) }
        guard let rates = policy.rates else {
            return .failure(
                Failure(code: .invalidTask, message: "there are no prices here, and the job is paid for here"))
        }
        do throws(RateCardError) { return .success(try rates.quote(kind, bound)) } catch {
            return .failure(Failure(error))
        }
    }
}

extension JobRow {
    fileprivate func isHeld(by lease: Lease) -> Bool { job.leaseOwner != nil && job.epoch == lease.epoch }
}
