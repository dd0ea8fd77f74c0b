internal import Model
package import WorkerCore

// MARK: Time passing

extension SQLJobStore {
    /// Jobs in one step: a sweep that finds as many leaves the rest to the next.
    private static let sweepLimit = 200

    /// Three transactions, so that none of them is long; what another daemon is sweeping is left to it.
    package func sweep() async throws(StoreError) -> SweepOutcome {
        let expired = try await step(statements.expired) { machine, row in machine.expire(row) }
        let due = try await step(statements.due) { machine, row in machine.becomeDue(row) }
        let lost = try await step(statements.leaseLost) { machine, row in machine.loseLease(row) }
        let freed = try await fillRoom()
        return SweepOutcome(
            becameReady: due.count + freed, expired: expired.map(\.job.id), leasesLost: lost.map(\.job.id))
    }

    private func step(
        _ sql: String, _ change: @escaping @Sendable (JobMachine, JobRow) -> JobChange
    ) async throws(StoreError) -> [JobRow] {
        try await database.transaction(.write) { session in
            let locked = try LockedRows(try session.execute(sql, .init(Self.sweepLimit)))
            let machine = machine(locked.now)
            try apply(
                locked.rows.map { change(machine, $0) }.sorted { $0.before.seq < $1.before.seq }, at: locked.now,
                session)
            return locked.rows
        }
    }

    /// Queues waiting jobs for which there is room. Whoever makes room does that already; but a limit may have been
    /// raised since, and a job that was locked at that moment been left out.
    private func fillRoom() async throws(StoreError) -> Int {
        try await database.transaction(.write) { session in
            var count = 0
            for kind in JobKind.allCases {
                let limit = policy.limits(of: kind).running
                let rows = try session.execute(
                    statements.ownersWithRoom, .text(kind.rawValue), .init(limit), .init(Self.sweepLimit))
                let shares = try rows.map { row in
                    var row = row
                    return try OwnerShare(&row)
                }
                count += try OwnerBook.fill(shares, session, statements, policy)
            }
            return count
        }
    }

    private static let idleShares = """
        DELETE FROM owner_shares WHERE active = 0 AND finish_tag <= (
            SELECT virtual_time FROM kinds WHERE kinds.kind = owner_shares.kind)
        """

    package func prune(finishedBefore age: PruneAge, limit: Int) async throws(StoreError) -> Int {
        let dialect = database.dialect
        func old(_ state: JobState, _ place: String) -> String {
            """
            SELECT * FROM (SELECT seq FROM jobs WHERE state = '\(state.rawValue)' AND finished_at IS NOT NULL
                AND finished_at < \(dialect.now) - \(place) ORDER BY finished_at LIMIT $3) \(state.rawValue)
            """
        }
        let sql = """
            DELETE FROM jobs WHERE seq IN (
                SELECT seq FROM (\(old(.succeeded, "$1")) UNION ALL \(old(.failed, "$2"))
                    UNION ALL \(old(.cancelled, "$2")) UNION ALL \(old(.dead, "$2"))) old LIMIT $3)
            AND finished_at IS NOT NULL
            RETURNING seq
            """
        return try await database.transaction(.write) { session in
            let deleted = try session.execute(
                sql, .integer(Int64(age.succeededSeconds * 1000)), .integer(Int64(age.otherSeconds * 1000)),
                .init(limit))
            // Owners without jobs whose share has been served stand where a new owner would.
            try session.execute(Self.idleShares)
            return deleted.count
        }
    }
}
