internal import Model
package import WorkerCore

// MARK: Uploads

extension SQLJobStore {
    package func beginUpload(_ uri: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await whileRunning(lease) { session in
            try session.execute(
                """
                INSERT INTO uploads (job, epoch, uri, begun_at) VALUES ($1, $2, $3, \(statements.now))
                ON CONFLICT (job, epoch, uri) DO NOTHING
                """, .text(lease.job.text), .integer(lease.epoch), .init(uri))
            return true
        }
    }

    package func nameUpload(
        _ uri: String, _ uploadID: String, for lease: Lease
    ) async throws(StoreError) -> Bool {
        try await whileRunning(lease) { session in
            try !session.execute(
                """
                UPDATE uploads SET upload_id = $4 WHERE job = $1 AND epoch = $2 AND uri = $3
                    AND (upload_id IS NULL OR upload_id = $4)
                RETURNING seq
                """, .text(lease.job.text), .integer(lease.epoch), .init(uri), .init(uploadID)
            ).isEmpty
        }
    }

    package func sealUpload(_ uri: String, etag: String, for lease: Lease) async throws(StoreError) -> Bool {
        try await whileRunning(lease) { session in
            try !session.execute(
                "UPDATE uploads SET etag = $4 WHERE job = $1 AND epoch = $2 AND uri = $3 RETURNING seq",
                .text(lease.job.text), .integer(lease.epoch), .init(uri), .init(etag)
            ).isEmpty
        }
    }

    /// `false` unless the attempt runs. The job stays locked, so that no other attempt begins before this is committed:
    /// whoever has a later epoch sees all that earlier ones recorded.
    private func whileRunning(
        _ lease: Lease, _ write: @escaping @Sendable (any SQLSession) throws -> Bool
    ) async throws(StoreError) -> Bool {
        try await database.transaction(.write) { session in
            guard let (row, now) = try locked(lease.job, session), row.job.state == .running,
                row.job.epoch == lease.epoch, let until = row.job.leaseUntil, until > now
            else { return false }
            return try write(session)
        }
    }

    package func uploads(of job: JobID) async throws(StoreError) -> [UploadRecord] {
        try await records("WHERE job = $1 ORDER BY seq", [.text(job.text)])
    }

    /// A look at each job by its id, in a form that neither database turns into a join over all jobs.
    package func leftUploads(limit: Int) async throws(StoreError) -> [UploadRecord] {
        try await records(
            """
            WHERE coalesce((SELECT CASE WHEN jobs.state = 'running' AND jobs.epoch = uploads.epoch THEN 1 ELSE 0 END
                FROM jobs WHERE jobs.id = uploads.job), 0) = 0
            ORDER BY seq LIMIT $1
            """, [.init(max(0, limit))])
    }

    private func records(_ rest: String, _ parameters: [SQLValue]) async throws(StoreError) -> [UploadRecord] {
        try await database.transaction(.read) { session in
            try session.execute(
                "SELECT job, epoch, uri, upload_id, etag, begun_at FROM uploads \(rest)", parameters
            ).map { row in
                var row = row
                return UploadRecord(
                    lease: Lease(job: try row.jobID(), epoch: try row.integer()), uri: try row.text(),
                    uploadID: try row.optionalText(), etag: try row.optionalText(), begunAt: try row.integer())
            }
        }
    }

    private static let forget = BatchStatement(
        [.text("job"), .integer("epoch"), .text("uri")],
        """
        DELETE FROM uploads WHERE seq IN (
            SELECT uploads.seq FROM batch JOIN uploads
            ON uploads.job = batch.job AND uploads.epoch = batch.epoch AND uploads.uri = batch.uri)
        """)

    package func forgetUploads(_ lease: Lease, uris: [String]) async throws(StoreError) {
        guard !uris.isEmpty else { return }
        try await database.transaction(.write) { session in
            try Self.forget.execute(session, uris.map { [.text(lease.job.text), .integer(lease.epoch), .init($0)] })
        }
    }

    // MARK: Results

    private static let forgetAttempts = BatchStatement(
        [.text("job"), .integer("epoch")],
        """
        DELETE FROM uploads WHERE seq IN (
            SELECT uploads.seq FROM batch JOIN uploads ON uploads.job = batch.job AND uploads.epoch = batch.epoch)
        RETURNING job, uri
        """)
    private static let unseal = BatchStatement(
        [.text("job"), .text("uri")],
        """
        UPDATE uploads SET etag = NULL WHERE etag IS NOT NULL AND seq IN (
            SELECT uploads.seq FROM batch JOIN uploads ON uploads.job = batch.job AND uploads.uri = batch.uri)
        """)

    /// What attempts made that have just succeeded is theirs no longer: it is the result. Two attempts with the same bytes
    /// have the same ETag, so what an earlier one left must not be known by it.
    func forgetResults(of changes: [JobChange], _ session: any SQLSession) throws {
        let succeeded = changes.filter { $0.hasEnded && $0.after.job.state == .succeeded && $0.after.job.kind != .noop }
        guard !succeeded.isEmpty else { return }
        let results = try Self.forgetAttempts.execute(
            session, succeeded.map { [.text($0.before.job.id.text), .integer($0.before.job.epoch)] })
        guard !results.isEmpty else { return }
        try Self.unseal.execute(
            session,
            try results.map { row in
                var row = row
                return [.text(try row.text()), .text(try row.text())]
            })
    }
}
