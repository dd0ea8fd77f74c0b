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

    package func requeue(_ id: JobID) async throws(StoreError) -> Bool {
        try await database.transaction(.write) { session in
            guard let (row, now) = try locked(id, session), row.job.state.isFinal, row.job.state != .succeeded else {
                return false
            }
            guard let share = try OwnerShare.lock([row.ownerKey], session)[row.ownerKey],
                var time = try session.execute(statements.virtualTime, .text(row.job.kind.rawValue)).first
            else { throw StoreError("an owner's share is missing", code: .internalFault) }
            let tags = FairShare.tags(
                virtualTime: try time.real(), ownerFinish: share.finishTag, costSeconds: row.job.costSeconds,
                tier: row.job.tier)
            let book = OwnerBook([row.ownerKey: OwnerBook.Delta(finishTag: tags.finish - share.finishTag)])
            try apply([machine(now).requeue(row, tags)], at: now, book: book, session)
            return true
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
