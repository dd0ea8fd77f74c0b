internal import FoundationEssentials
internal import Model
package import WorkerCore

extension SQLJobStore {
    private static let rewriteFailures = BatchStatement(
        [.integer("seq"), .text("failure")],
        "UPDATE jobs SET failure = batch.failure FROM batch WHERE jobs.seq = batch.seq")

    /// Whoever has the accounts' rows locked comes before or after it. What a new job under the old name finds is nothing.
    package func erase(_ owner: String) async throws(StoreError) -> ErasureOutcome {
        guard !owner.isEmpty else { return .unknownOwner }
        let owner = owner.storable
        let pseudonym = "erased-\(UUID().uuidString.lowercased())"
        return try await database.transaction(.write) { session in
            let jobs = try session.execute(
                """
                SELECT seq, failure, finished_at FROM jobs WHERE owner = $1
                ORDER BY seq\(database.dialect.lock("jobs"))
                """, .text(owner))
            let accounts = try OwnerAccounts.find(owner, session, database.dialect.lock("accounts"))
            guard accounts != nil || !jobs.isEmpty else { return .unknownOwner }
            var failures: [[SQLValue]] = []
            var live = 0
            for var row in jobs {
                let (seq, failure) = (try row.integer(), try row.optionalText())
                if try row.optionalInteger() == nil { live += 1 }
                guard let failure else { continue }
                // The code and its category stay: settlements are explained by them. Words may name files.
                let kept = Failure(code: StoredJSON.failure(failure).code, message: "erased")
                failures.append([.integer(seq), .text(try StoredJSON.encode(kept))])
            }
            guard live == 0 else { return .hasLiveJobs(live) }
            try Self.rewriteFailures.execute(session, failures)
            for statement in Self.statements {
                try session.execute(
                    statement, statement.contains("$2") ? [.text(owner), .text(pseudonym)] : [.text(owner)])
            }
            return .erased(pseudonym: pseudonym)
        }
    }

    private static let statements = [
        """
        UPDATE attempts SET failure = NULL WHERE job_seq IN (SELECT seq FROM jobs WHERE owner = $1)
        """,
        "DELETE FROM notices WHERE job IN (SELECT id FROM jobs WHERE owner = $1)",
        """
        UPDATE jobs SET owner = $2, payload = '{}', result = NULL, reply = NULL, progress_route = NULL,
            request_id = NULL, idempotency_key = NULL WHERE owner = $1
        """,
        "UPDATE usage_events SET owner = $2 WHERE owner = $1",
        "UPDATE accounts SET owner = $2 WHERE owner = $1",
        "DELETE FROM owner_shares WHERE owner = $1 AND active = 0",
    ]
}
