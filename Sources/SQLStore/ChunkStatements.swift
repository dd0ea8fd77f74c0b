/// The statements about chunks whose text depends on the dialect.
struct ChunkStatements: Sendable {
    /// `$1` job, `$2` digest, `$3` epoch, `$4` folder, `$5` threads, `$6` division, `$7` seconds.
    let offerSet: String
    /// One more of a set: job, digest, number, frames.
    let offerChunks: BatchStatement
    /// `$1` job, `$2` digest, `$3` worker, `$4` instance, `$5` milliseconds.
    let takeOwn: String
    /// `$1` worker, `$2` instance, `$3` milliseconds, `$4` memory, `$5` the worker's name as JSON has it.
    let takeAny: String
    /// `$1` job, `$2` digest, `$3` number, `$4` turn, `$5` milliseconds, `$6` fraction, `$7` epoch.
    let renew: String
    /// `$1` at most so many.
    let left: String
    let forget: BatchStatement
    let forgetSets: BatchStatement

    init(_ dialect: Dialect) {
        let now = dialect.now
        offerSet = """
            INSERT INTO chunk_sets (job, digest, epoch, is_left, folder, threads, division, seconds_per_chunk,
                created_at)
            VALUES ($1, $2, $3, 0, $4, $5, $6, $7, \(now))
            ON CONFLICT (job, digest) DO UPDATE SET epoch = excluded.epoch, is_left = 0, folder = excluded.folder,
                threads = excluded.threads, division = excluded.division
            """
        offerChunks = BatchStatement(
            [.text("job"), .text("digest"), .integer("number"), .integer("frames")],
            """
            INSERT INTO chunks (job, digest, number, frames, state, turn, tries, fraction, changed_at)
            SELECT job, digest, number, frames, 'free', 0, 0, 0.0, \(now) FROM batch WHERE job IS NOT NULL
            ON CONFLICT (job, digest, number) DO NOTHING
            """)
        let taken = "job, digest, number, turn, tries, failure"
        // Picked in a table of its own, which is worked out once: a subquery that locks could be run again for each row.
        takeOwn = """
            WITH picked AS (
                SELECT c.seq FROM chunks c
                WHERE c.job = $1 AND c.digest = $2
                    AND (c.state = 'free' OR (c.state = 'taken' AND c.until <= \(now)))
                ORDER BY c.frames DESC, c.seq LIMIT 1\(dialect.lockFree("c")))
            UPDATE chunks SET state = 'taken', turn = turn + 1, tries = tries + 1, worker = $3, instance = $4,
                until = \(now) + CAST($5 AS bigint), fraction = 0.0, changed_at = \(now)
            WHERE seq IN (SELECT seq FROM picked)
            RETURNING \(taken)
            """
        takeAny = """
            WITH picked AS (
                SELECT c.seq FROM chunks c
                JOIN chunk_sets s ON s.job = c.job AND s.digest = c.digest
                JOIN jobs j ON j.id = c.job
                WHERE c.state = 'free' AND c.tries = 0 AND s.is_left = 0
                    AND j.state = 'running' AND j.epoch = s.epoch AND j.cancel_requested = 0 AND j.lease_until > \(now)
                    AND j.memory_bytes <= CAST($4 AS bigint)
                    AND (j.avoided IS NULL OR \(dialect.position)(j.avoided, $5) = 0)
                ORDER BY c.frames DESC, c.seq LIMIT 1\(dialect.lockFree("c")))
            UPDATE chunks SET state = 'taken', turn = turn + 1, tries = tries + 1, worker = $1, instance = $2,
                until = \(now) + CAST($3 AS bigint), fraction = 0.0, changed_at = \(now)
            WHERE seq IN (SELECT seq FROM picked)
            RETURNING \(taken)
            """
        renew = """
            UPDATE chunks SET until = \(now) + CAST($5 AS bigint), fraction = CAST($6 AS double precision),
                changed_at = \(now)
            WHERE job = $1 AND digest = $2 AND number = $3 AND turn = $4 AND state = 'taken' AND EXISTS (
                SELECT 1 FROM jobs j WHERE j.id = chunks.job AND j.state = 'running'
                    AND j.epoch = CAST($7 AS bigint) AND j.cancel_requested = 0)
            RETURNING seq
            """
        // Of a job that is gone there is nothing to be had, as of one that has ended.
        let hasEnded = """
            coalesce((SELECT CASE WHEN jobs.finished_at IS NULL THEN 0 ELSE 1 END
                FROM jobs WHERE jobs.id = chunk_sets.job), 1) = 1
            """
        let isLeft = """
            (chunk_sets.is_left = 1 OR \(hasEnded))
            AND (chunks.state <> 'taken' OR chunks.until <= \(now))
            """
        left = """
            SELECT chunks.job, chunks.digest, chunks.number, chunk_sets.folder
            FROM chunks JOIN chunk_sets ON chunk_sets.job = chunks.job AND chunk_sets.digest = chunks.digest
            WHERE \(isLeft) ORDER BY chunks.seq LIMIT $1
            """
        forget = BatchStatement(
            [.text("job"), .text("digest"), .integer("number")],
            """
            DELETE FROM chunks WHERE seq IN (
                SELECT chunks.seq FROM batch
                JOIN chunks ON chunks.job = batch.job AND chunks.digest = batch.digest AND chunks.number = batch.number
                JOIN chunk_sets ON chunk_sets.job = chunks.job AND chunk_sets.digest = chunks.digest
                WHERE \(isLeft))
            """)
        forgetSets = BatchStatement(
            [.text("job"), .text("digest")],
            """
            DELETE FROM chunk_sets WHERE seq IN (
                SELECT chunk_sets.seq FROM batch
                JOIN chunk_sets ON chunk_sets.job = batch.job AND chunk_sets.digest = batch.digest
                WHERE NOT EXISTS (
                    SELECT 1 FROM chunks WHERE chunks.job = chunk_sets.job AND chunks.digest = chunk_sets.digest))
            """)
    }
}
