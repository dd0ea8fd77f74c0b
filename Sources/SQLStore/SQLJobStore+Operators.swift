internal import FoundationEssentials
internal import Model
package import WorkerCore

// MARK: Owners and operators

extension SQLJobStore {
    package func cancel(_ id: JobID) async throws(StoreError) -> CancelOutcome {
        try await database.transaction(.write) { session in
            guard let (row, now) = try locked(id, session) else { return .unknownJob }
            guard !row.job.state.isFinal else { return .alreadyEnded(row.job.state) }
            try apply([machine(now).cancel(row)], at: now, session)
            return row.job.leaseOwner.map { .requested(worker: $0) } ?? .cancelled
        }
    }

    /// Also between two attempts.
    package func reprioritise(_ id: JobID, tier: Tier) async throws(StoreError) -> Bool {
        try await database.transaction(.write) { session in
            guard let (row, now) = try locked(id, session), !row.job.state.isFinal, row.job.state != .running else {
                return false
            }
            try apply([machine(now).reprioritise(row, tier: tier)], at: now, session)
            return true
        }
    }

    /// Whoever requeues the same job at the same time waits for the old one's row, and finds the new one.
    package func requeue(_ id: JobID) async throws(StoreError) -> RequeueOutcome {
        guard let newID = JobID(UUID().uuidString) else { throw StoreError("no id", code: .internalFault) }
        return try await database.transaction(.write) { session in
            guard let (row, _) = try locked(id, session) else { return .unknownJob }
            guard row.job.state.isFinal, row.job.state != .succeeded else {
                return .notEndedWithoutSuccess(row.job.state)
            }
            if var known = try session.execute("SELECT id FROM jobs WHERE retry_of = $1", .text(id.text)).first {
                return .already(try known.jobID())
            }
            return try requeued(row, as: newID, session)
        }
    }

    private func requeued(_ row: JobRow, as id: JobID, _ session: any SQLSession) throws -> RequeueOutcome {
        switch try insert([NewJob(row, as: id)], session).first {
        case .inserted(let id): return .requeued(id)
        case .duplicate(let id): return .already(id)
        case .ownerFull, nil: return .ownerFull
        case .insufficientCredit(let needed, let available):
            return .insufficientCredit(needed: needed, available: available)
        case .refused(let failure): return .refused(failure)
        }
    }

    package func requeueInFlight(worker: String?) async throws(StoreError) -> [JobID] {
        try await database.transaction(.write) { session in
            let rows =
                if let worker {
                    try session.execute(statements.leasedBy, .init(worker))
                } else {
                    try session.execute(statements.leased)
                }
            let locked = try LockedRows(rows)
            let machine = machine(locked.now)
            try apply(locked.rows.map { machine.takeBack($0) }, at: locked.now, session)
            return locked.rows.map(\.job.id)
        }
    }

    package func job(_ id: JobID) async throws(StoreError) -> JobRecord? {
        try await rows("WHERE jobs.id = $1", [.text(id.text)]).first
    }

    package func job(ingress: Ingress, idempotencyKey: String) async throws(StoreError) -> JobRecord? {
        try await rows(
            "WHERE jobs.ingress = $1 AND jobs.idempotency_key = $2", [.text(ingress.rawValue), .init(idempotencyKey)]
        ).first
    }

    package func jobs(_ filter: JobFilter) async throws(StoreError) -> [JobRecord] {
        var (conditions, parameters) = ([String](), [SQLValue]())
        func place(_ value: SQLValue) -> String {
            parameters.append(value)
            return "$\(parameters.count)"
        }
        if let owner = filter.owner { conditions.append("jobs.owner = \(place(.init(owner)))") }
        if !filter.kinds.isEmpty {
            let places = filter.kinds.map { place(.text($0.rawValue)) }
            conditions.append("jobs.kind IN (\(places.joined(separator: ", ")))")
        }
        if !filter.states.isEmpty {
            let places = filter.states.map { place(.text($0.rawValue)) }
            conditions.append("jobs.state IN (\(places.joined(separator: ", ")))")
        }
        if let before = filter.before {
            conditions.append(
                "jobs.seq < (SELECT earlier.seq FROM jobs earlier WHERE earlier.id = \(place(.text(before.text))))")
        }
        let filtered = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try await rows(
            "\(filtered) ORDER BY jobs.seq DESC LIMIT \(place(.init(max(0, filter.limit))))", parameters)
    }

    private func rows(_ rest: String, _ parameters: [SQLValue]) async throws(StoreError) -> [JobRecord] {
        let sql = "SELECT \(JobRow.columns(of: "jobs")) FROM jobs \(rest)"
        return try await database.transaction(.read) { session in
            try session.execute(sql, parameters).map { row in
                var row = row
                return try JobRow(&row).job
            }
        }
    }

    package func held(by worker: String, instance: String) async throws(StoreError) -> [JobRecord] {
        try await rows(
            "WHERE jobs.lease_owner = $1 AND jobs.lease_instance = $2 ORDER BY jobs.seq",
            [.init(worker), .init(instance)])
    }

    package func attempts(of id: JobID) async throws(StoreError) -> [AttemptRecord] {
        try await database.transaction(.read) { session in
            try session.execute(
                """
                SELECT attempts.epoch, attempts.worker, attempts.started_at, attempts.ended_at, attempts.failure
                FROM attempts JOIN jobs ON jobs.seq = attempts.job_seq WHERE jobs.id = $1 ORDER BY attempts.epoch
                """, .text(id.text)
            ).map { row in
                var row = row
                return AttemptRecord(
                    epoch: try row.integer(), worker: try row.text(), startedAt: try row.integer(),
                    endedAt: try row.optionalInteger(), failure: try row.optionalText().map(StoredJSON.failure))
            }
        }
    }

    /// Jobs that have not ended, and dead ones, which wait for somebody: each state by its own index, so that the
    /// many that ended well cost nothing.
    package func counts() async throws(StoreError) -> [JobCount] {
        let conditions: [(state: JobState, condition: String)] = [
            (.admitting, "state = 'admitting' AND lease_owner IS NULL"),
            (.admitting, "state = 'admitting' AND lease_owner IS NOT NULL"),
            (.scheduled, "state = 'scheduled'"), (.waiting, "state = 'waiting'"), (.queued, "state = 'queued'"),
            (.running, "state = 'running' AND lease_owner IS NOT NULL"),
            (.dead, "state = 'dead' AND finished_at IS NOT NULL"),
        ]
        let parts = conditions.map { state, condition in
            """
            SELECT '\(state.rawValue)' AS state, kind, count(*) AS count, min(available_at) AS oldest FROM jobs
            WHERE \(condition) GROUP BY kind
            """
        }
        let sql = """
            SELECT state, kind, CAST(sum(count) AS bigint), \(statements.now) - min(oldest)
            FROM (\(parts.joined(separator: " UNION ALL "))) parts GROUP BY state, kind ORDER BY kind, state
            """
        return try await database.transaction(.read) { session in
            try session.execute(sql).map { row in
                var row = row
                let (state, kind) = (try row.name(JobState.self), try row.name(JobKind.self))
                let (count, age) = (try row.count(), try row.integer())
                return JobCount(kind: kind, state: state, count: count, oldestSeconds: Double(max(0, age)) / 1000)
            }
        }
    }
}

extension NewJob {
    /// What an ended job was about, once more: nothing of how it went, and the price that was agreed, where one was.
    fileprivate init(_ row: JobRow, as id: JobID) {
        let old = row.job
        self.init(id: id, kind: old.kind, owner: old.owner, payload: old.payload, ingress: old.ingress)
        (tier, reply, progressRoute, requestID) = (old.tier, old.reply, old.progressRoute, old.requestID)
        (maxAttempts, costSeconds, caps) = (old.maxAttempts, old.costSeconds, old.caps)
        (memoryBytes, needsAdmission) = (row.baseMemoryBytes, row.needsAdmission)
        (billing, quote, retryOf) = (old.billing, old.quote, old.id)
    }
}
