package import Model
package import WorkerCore

// MARK: Chunks

/// Whoever locks a job here does so before its chunks, as everywhere; `takeAnyChunk` and `renewChunk` lock no job.
extension SQLJobStore: ChunkBoard {
    package func offerChunks(_ offer: ChunkOffer, for lease: Lease) async throws(StoreError) -> Bool {
        try await database.transaction(.write) { session in
            guard try isRunning(lease, session) else { return false }
            let division = try StoredJSON.encode(offer.division)
            let (job, digest) = (SQLValue.text(lease.job.text), SQLValue.init(offer.division.digest))
            // No claim of an earlier attempt is good any more. What failed then has another chance.
            try session.execute(
                """
                UPDATE chunks SET state = 'free', tries = 0, worker = NULL, instance = NULL, until = NULL,
                    fraction = 0.0, failure = NULL
                WHERE job = $1 AND digest = $2 AND state <> 'done' AND EXISTS (
                    SELECT 1 FROM chunk_sets s
                    WHERE s.job = chunks.job AND s.digest = chunks.digest AND s.epoch < CAST($3 AS bigint))
                """, job, digest, .integer(lease.epoch))
            try session.execute(
                chunkStatements.offerSet, job, digest, .integer(lease.epoch), .init(offer.folder), .init(offer.threads),
                .text(division), .init(offer.secondsPerChunk))
            try chunkStatements.offerChunks.execute(
                session,
                offer.division.weights.enumerated().map { number, frames in [job, digest, .init(number), .init(frames)]
                })
            // Nobody goes on with another division.
            try session.execute(
                "UPDATE chunk_sets SET is_left = 1 WHERE job = $1 AND digest <> $2 AND is_left = 0", job, digest)
            try session.execute(
                """
                UPDATE chunks SET state = 'free', worker = NULL, instance = NULL, until = NULL
                WHERE job = $1 AND digest <> $2 AND state = 'taken'
                """, job, digest)
            session.wake()
            return true
        }
    }

    package func chunks(of job: JobID, digest: String) async throws(StoreError) -> [ChunkRecord] {
        try await database.transaction(.read) { session in
            try session.execute(
                """
                SELECT number, state, frames, fraction, worker, instance, tries, failure, made, uri
                FROM chunks WHERE job = $1 AND digest = $2 ORDER BY number
                """, .text(job.text), .init(digest)
            ).map { row in
                var row = row
                var record = ChunkRecord(
                    number: try row.count(), state: try row.name(), frames: try row.count())
                record.fraction = try row.real()
                (record.worker, record.instance) = (try row.optionalText(), try row.optionalText())
                record.tries = try row.count()
                record.failure = try row.optionalText().map(StoredJSON.failure)
                record.made = try row.optionalText().map { try StoredJSON.decode($0) }
                record.uri = try row.optionalText()
                return record
            }
        }
    }

    package func takeChunk(
        of lease: Lease, digest: String, by taker: ChunkTaker
    ) async throws(StoreError) -> ChunkClaim? {
        try await database.transaction(.write) { session in
            guard try isRunning(lease, session) else { return nil }
            let rows = try session.execute(
                chunkStatements.takeOwn, .text(lease.job.text), .init(digest), .init(taker.worker),
                .init(taker.instance), .integer(Int64(taker.seconds * 1000)))
            return try rows.first.flatMap { try claim($0, taker, session) }
        }
    }

    package func takeAnyChunk(
        by taker: ChunkTaker, memoryBytes: Int64
    ) async throws(StoreError) -> ChunkClaim? {
        try await database.transaction(.write) { session in
            let quoted = try StoredJSON.encode(taker.worker)
            let rows = try session.execute(
                chunkStatements.takeAny, .init(taker.worker), .init(taker.instance),
                .integer(Int64(taker.seconds * 1000)), .integer(memoryBytes), .text(quoted))
            return try rows.first.flatMap { try claim($0, taker, session) }
        }
    }

    /// With the job and the set that a chunk belongs to, as they are at this moment.
    private func claim(_ row: SQLRow, _ taker: ChunkTaker, _ session: any SQLSession) throws -> ChunkClaim? {
        var row = row
        let (job, digest, number) = (try row.jobID(), try row.text(), try row.count())
        let (turn, tries, failure) = (try row.integer(), try row.count(), try row.optionalText())
        guard
            var jobRow = try session.execute(
                "SELECT \(JobRow.columns(of: "jobs")) FROM jobs WHERE id = $1", .text(job.text)
            ).first,
            var setRow = try session.execute(
                "SELECT epoch, folder, threads, seconds_per_chunk, division FROM chunk_sets WHERE job = $1 AND digest = $2",
                .text(job.text), .text(digest)
            ).first
        else { return nil }
        var record = try JobRow(&jobRow).job
        // Should another attempt have begun since, nothing comes of this claim.
        record.epoch = try setRow.integer()
        let (folder, threads, seconds) = (try setRow.text(), try setRow.count(), try setRow.count())
        return ChunkClaim(
            job: record,
            offer: ChunkOffer(
                division: try StoredJSON.decode(try setRow.text()), folder: folder, threads: threads,
                secondsPerChunk: seconds),
            number: number, taker: taker, turn: turn, tries: tries, failure: failure.map(StoredJSON.failure))
    }

    package func renewChunk(
        _ claim: ChunkClaim, fraction: Double, seconds: Double
    ) async throws(StoreError) -> Bool {
        try await database.transaction(.write) { session in
            try !session.execute(
                chunkStatements.renew,
                claim.place + [
                    .integer(Int64(seconds * 1000)), .real(max(0, min(1, fraction))), .integer(claim.job.epoch),
                ]
            ).isEmpty
        }
    }

    package func finishChunk(
        _ claim: ChunkClaim, _ made: ChunkMade, uri: String
    ) async throws(StoreError) -> Bool {
        try await database.transaction(.write) { session in
            guard try isRunning(claim.lease, session) else { return false }
            let text = try StoredJSON.encode(made)
            let done = try session.execute(
                """
                UPDATE chunks SET state = 'done', until = NULL, fraction = 1.0, failure = NULL, made = $5, uri = $6
                WHERE job = $1 AND digest = $2 AND number = $3 AND turn = $4 AND state = 'taken'
                RETURNING seq
                """, claim.place + [.text(text), .init(uri)])
            guard !done.isEmpty else { return false }
            // The object is known by its chunk from now on. On record as an upload, the next attempt would delete it.
            try session.execute(
                "DELETE FROM uploads WHERE job = $1 AND epoch = $2 AND uri = $3", .text(claim.job.id.text),
                .integer(claim.job.epoch), .init(uri))
            return true
        }
    }

    package func giveUpChunk(_ claim: ChunkClaim, failure: Failure?) async throws(StoreError) {
        try await database.transaction(.write) { session in
            let text = try failure.map { try StoredJSON.encode($0) }
            let freed = try session.execute(
                """
                UPDATE chunks SET state = 'free', worker = NULL, instance = NULL, until = NULL, fraction = 0.0,
                    failure = CAST($5 AS text), tries = tries - CASE WHEN $5 IS NULL THEN 1 ELSE 0 END
                WHERE job = $1 AND digest = $2 AND number = $3 AND turn = $4 AND state = 'taken'
                RETURNING seq
                """, claim.place + [.init(text)])
            if !freed.isEmpty { session.wake() }
        }
    }

    package func reopenChunks(
        of lease: Lease, digest: String, numbers: [Int]
    ) async throws(StoreError) {
        try await database.transaction(.write) { session in
            guard try isRunning(lease, session) else { return }
            for number in numbers {
                try session.execute(
                    """
                    UPDATE chunks SET state = 'free', tries = 0, worker = NULL, instance = NULL, fraction = 0.0,
                        made = NULL, uri = NULL
                    WHERE job = $1 AND digest = $2 AND number = $3 AND state = 'done'
                    """, .text(lease.job.text), .init(digest), .init(number))
            }
        }
    }

    package func leftChunks(limit: Int) async throws(StoreError) -> [LeftChunk] {
        try await database.transaction(.read) { session in
            try session.execute(chunkStatements.left, .init(max(0, limit))).map { row in
                var row = row
                return LeftChunk(
                    job: try row.jobID(), digest: try row.text(), number: try row.count(), folder: try row.text())
            }
        }
    }

    package func forgetChunks(_ chunks: [LeftChunk]) async throws(StoreError) {
        guard !chunks.isEmpty else { return }
        try await database.transaction(.write) { session in
            try chunkStatements.forget.execute(
                session, chunks.map { [.text($0.job.text), .init($0.digest), .init($0.number)] })
            let sets = Set(chunks.map { LeftChunk(job: $0.job, digest: $0.digest, number: 0, folder: "") })
            try chunkStatements.forgetSets.execute(
                session, sets.map { [.text($0.job.text), .init($0.digest)] })
        }
    }

    /// As uploads have it: a lease that ran out is good for nothing that happens outside the store. The job stays locked.
    private func isRunning(_ lease: Lease, _ session: any SQLSession) throws -> Bool {
        guard let (row, now) = try locked(lease.job, session), row.job.state == .running,
            row.job.epoch == lease.epoch, let until = row.job.leaseUntil, until > now
        else { return false }
        return true
    }
}

extension ChunkClaim {
    /// The first four parameters of whatever is said about it.
    fileprivate var place: [SQLValue] {
        [.text(job.id.text), .init(digest), .init(number), .integer(turn)]
    }
}
