import SQLStore
import Testing
import WorkerCore

/// What must hold between any two transactions, as queries that find where it does not.
enum Invariants {
    private static func queries(runningLimit: Int) -> [(name: String, sql: String)] {
        let final = "('succeeded', 'failed', 'cancelled', 'dead')"
        return [
            (
                "a lease is there exactly while somebody works",
                """
                SELECT id FROM jobs WHERE (state = 'running' AND lease_owner IS NULL)
                OR (lease_owner IS NOT NULL AND state NOT IN ('running', 'admitting'))
                OR (lease_owner IS NULL) <> (lease_until IS NULL)
                """
            ),
            ("what has ended has a time", "SELECT id FROM jobs WHERE (state IN \(final)) <> (finished_at IS NOT NULL)"),
            (
                "a success has a result and no failure",
                "SELECT id FROM jobs WHERE state = 'succeeded' AND failure IS NOT NULL"
            ),
            (
                "any other end has its reason",
                "SELECT id FROM jobs WHERE state IN ('failed', 'cancelled', 'dead') AND failure IS NULL"
            ),
            (
                "each epoch is an attempt",
                """
                SELECT id FROM jobs WHERE epoch <> (SELECT count(*) FROM attempts WHERE attempts.job_seq = jobs.seq)
                OR epoch <> (SELECT coalesce(max(epoch), 0) FROM attempts WHERE attempts.job_seq = jobs.seq)
                """
            ),
            (
                "an attempt is open exactly while its job is leased",
                """
                SELECT id FROM jobs WHERE (lease_owner IS NOT NULL) <> EXISTS (
                    SELECT 1 FROM attempts WHERE job_seq = jobs.seq AND attempts.epoch = jobs.epoch AND ended_at IS NULL)
                OR EXISTS (
                    SELECT 1 FROM attempts WHERE job_seq = jobs.seq AND attempts.epoch < jobs.epoch AND ended_at IS NULL)
                """
            ),
            ("attempts are not exceeded", "SELECT id FROM jobs WHERE attempt > max_attempts OR attempt < 0"),
            (
                "an owner's counts are right",
                """
                SELECT kind, owner FROM owner_shares WHERE
                active <> (SELECT count(*) FROM jobs j WHERE j.kind = owner_shares.kind AND j.owner = owner_shares.owner
                    AND j.state NOT IN \(final))
                OR ready <> (SELECT count(*) FROM jobs j WHERE j.kind = owner_shares.kind
                    AND j.owner = owner_shares.owner AND j.state IN ('queued', 'running'))
                OR waiting <> (SELECT count(*) FROM jobs j WHERE j.kind = owner_shares.kind
                    AND j.owner = owner_shares.owner AND j.state = 'waiting')
                """
            ),
            (
                "every owner is counted",
                """
                SELECT id FROM jobs WHERE state NOT IN \(final) AND NOT EXISTS (
                    SELECT 1 FROM owner_shares s WHERE s.kind = jobs.kind AND s.owner = jobs.owner)
                """
            ),
            (
                "a job's result is on no record of uploads",
                """
                SELECT u.job FROM uploads u JOIN jobs j ON j.id = u.job AND j.epoch = u.epoch
                WHERE j.state = 'succeeded'
                """
            ),
            (
                "an upload is of an attempt that was",
                """
                SELECT u.job FROM uploads u JOIN jobs j ON j.id = u.job WHERE NOT EXISTS (
                    SELECT 1 FROM attempts a WHERE a.job_seq = j.seq AND a.epoch = u.epoch)
                """
            ),
            (
                "no owner has more ready than he may",
                "SELECT kind, owner FROM owner_shares WHERE ready > \(runningLimit)"
            ),
        ]
    }

    /// Of a store at any time.
    static func check(_ under: StoreUnderTest, runningLimit: Int, _ context: Comment) async throws {
        for (name, sql) in queries(runningLimit: runningLimit) {
            let bad = try await under.query(sql)
            #expect(bad.isEmpty, "\(name): \(bad.count), \(context)")
        }
    }

    /// Of a store where nothing is going on: nobody waits while there is room, and those that do are the worst.
    static func checkAtRest(_ under: StoreUnderTest, runningLimit: Int, _ context: Comment) async throws {
        try await check(under, runningLimit: runningLimit, context)
        let idle = try await under.query(
            "SELECT kind, owner FROM owner_shares WHERE waiting > 0 AND ready < \(runningLimit)")
        #expect(idle.isEmpty, "an owner waits without need, \(context)")
        let misplaced = try await under.query(
            """
            SELECT w.id FROM jobs w JOIN jobs q ON q.kind = w.kind AND q.owner = w.owner AND q.state = 'queued'
            WHERE w.state = 'waiting' AND (w.order_key < q.order_key OR (w.order_key = q.order_key AND w.seq < q.seq))
            """)
        #expect(misplaced.isEmpty, "a waiting job is better than a queued one, \(context)")
    }
}
