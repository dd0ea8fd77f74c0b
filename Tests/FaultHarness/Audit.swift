import Foundation
import Model
import SQLStore
import StorePostgres
import Synchronization
import WorkerCore

/// A witness inside the database: triggers write down every end of a job, whoever brings it about.
enum Audit {
    private static let cacheReturned = Mutex<Date>(.distantPast)

    static func install(_ ground: Ground) async throws {
        let statements = [
            "CREATE TABLE fault_ends (job text, state text, at timestamptz DEFAULT clock_timestamp())",
            """
            CREATE FUNCTION fault_note_end() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO fault_ends (job, state) VALUES (NEW.id, NEW.state); RETURN NEW; END $$
            """,
            """
            CREATE TRIGGER fault_note_end AFTER UPDATE OF state ON jobs FOR EACH ROW
            WHEN (OLD.state IS DISTINCT FROM NEW.state AND
                (NEW.state IN ('succeeded', 'failed', 'cancelled', 'dead')
                    OR OLD.state IN ('succeeded', 'failed', 'cancelled', 'dead')))
            EXECUTE FUNCTION fault_note_end()
            """,
        ]
        _ = try await ground.database.transaction(.write) { session in
            for statement in statements { try session.execute(statement, []) }
        }
    }

    static func ends(_ ground: Ground) async throws -> [(job: JobID, state: String)] {
        try await ground.database.transaction(.read) { session in
            try session.execute("SELECT job, state FROM fault_ends", []).map { row in
                var row = row
                let text = try row.text()
                guard let id = JobID(text) else { throw HarnessError("\(text) is no id of a job") }
                return (id, try row.text())
            }
        }
    }

    static func endedJobs(_ ground: Ground) async throws -> Set<JobID> {
        // The question may meet the end of its own session.
        for _ in 0..<20 {
            if let ends = try? await ends(ground) { return Set(ends.map(\.job)) }
            try await Task.sleep(for: .milliseconds(100))
        }
        return Set(try await ends(ground).map(\.job))
    }

    static func endSessions(_ ground: Ground) async throws {
        _ = try? await ground.database.transaction(.write) { session in
            try session.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                """, [])
        }
    }

    static func cacheIsBack() { cacheReturned.withLock { $0 = Date() } }
    /// Redis keeps nothing over a restart: what was told before is not there.
    static var cacheSince: Date { cacheReturned.withLock { $0 } }
}
