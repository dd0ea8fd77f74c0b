internal import Model
package import WorkerCore

// MARK: Workers and outbox

extension SQLJobStore {
    package func heartbeat(_ worker: WorkerRecord) async throws(StoreError) {
        try await database.transaction(.write) { session in try heartbeat(worker, session) }
    }

    func heartbeat(_ worker: WorkerRecord, _ session: any SQLSession) throws {
        try session.execute(
            """
            INSERT INTO workers (
                name, instance, kinds, slots, busy_slots, memory_bytes, is_draining, version, heartbeat_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \(statements.now))
            ON CONFLICT (name) DO UPDATE SET instance = excluded.instance, kinds = excluded.kinds,
                slots = excluded.slots, busy_slots = excluded.busy_slots, memory_bytes = excluded.memory_bytes,
                is_draining = excluded.is_draining, version = excluded.version, heartbeat_at = excluded.heartbeat_at
            """,
            .init(worker.name), .init(worker.instance), .text(try StoredJSON.encode(worker.kinds)),
            .init(worker.slots), .init(worker.busySlots), .integer(worker.memoryBytes), .init(worker.isDraining),
            .init(worker.version))
    }

    package func workers() async throws(StoreError) -> [WorkerRecord] {
        try await database.transaction(.read) { session in
            try session.execute(
                """
                SELECT name, instance, kinds, slots, busy_slots, memory_bytes, is_draining, version, heartbeat_at
                FROM workers ORDER BY name
                """
            ).map { row in
                var row = row
                let (name, instance) = (try row.text(), try row.text())
                let kinds: [String] = try StoredJSON.decode(try row.text())
                return WorkerRecord(
                    name: name, instance: instance, kinds: kinds.compactMap(JobKind.init(rawValue:)),
                    slots: try row.count(), busySlots: try row.count(), memoryBytes: try row.integer(),
                    isDraining: try row.flag(), version: try row.text(), heartbeatAt: try row.integer())
            }
        }
    }

    package func takeNotices(
        limit: Int, seconds: Double, channel: String?
    ) async throws(StoreError) -> [Notice] {
        let (now, lock) = (statements.now, database.dialect.lockFree("notices"))
        let sql = """
            UPDATE notices SET available_at = \(now) + $2, tries = tries + 1 WHERE seq IN (
                SELECT seq FROM notices WHERE available_at <= \(now)
                    AND (CAST($3 AS TEXT) IS NULL OR channel = CAST($3 AS TEXT))
                ORDER BY available_at, seq LIMIT $1\(lock))
            RETURNING seq, job, channel, body, tries
            """
        let notices: [Notice] = try await database.transaction(.write) { session in
            try session.execute(sql, .init(limit), .integer(Int64(seconds * 1000)), .init(channel)).map { row in
                var row = row
                return Notice(
                    id: try row.integer(), job: try row.jobID(), channel: try row.text(), body: try row.text(),
                    tries: try row.count() - 1)
            }
        }
        return notices.sorted { $0.id < $1.id }
    }

    private static let deleteNotices = BatchStatement(
        [.integer("seq")], "DELETE FROM notices WHERE seq IN (SELECT seq FROM batch)")

    package func finishNotices(_ ids: [Int64]) async throws(StoreError) {
        guard !ids.isEmpty else { return }
        try await database.transaction(.write) { session in
            try Self.deleteNotices.execute(session, ids.map { [.integer($0)] })
        }
    }

    package func delayNotices(_ ids: [Int64], seconds: Double) async throws(StoreError) {
        guard !ids.isEmpty else { return }
        let delay = BatchStatement(
            [.integer("seq")], extraParameters: 1,
            "UPDATE notices SET available_at = \(statements.now) + $1 WHERE seq IN (SELECT seq FROM batch)")
        try await database.transaction(.write) { session in
            try delay.execute(session, ids.map { [.integer($0)] }, .integer(Int64(seconds * 1000)))
        }
    }
}
