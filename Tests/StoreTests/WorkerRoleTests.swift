import Foundation
import Model
import SQLStore
import StorePostgres
import Testing
import WorkerCore

/// A role that works, on a real server, and what it cannot do.
@Suite("A worker's role", .enabled(if: StoreKind.hasServer, "REELPOOL_TEST_POSTGRES names no server"))
struct WorkerRoleTests {
    /// With the store as its owner has it, as a worker has it, and a way past the worker's store to the tables.
    private static func with(
        _ body: (_ under: StoreUnderTest, _ store: SQLJobStore, _ database: PostgresDatabase) async throws -> Void
    ) async throws {
        try await StoreUnderTest.with(.postgres, .priced()) { under in
            let role = "Worker \(UUID().uuidString.prefix(8))"
            _ = try await under.query("CREATE ROLE \"\(role)\" LOGIN PASSWORD 'w0rk' NOINHERIT")
            try await SQLJobStore(under.database, policy: .priced()).grantWorker(role)
            let address = try #require(StoreKind.serverAddress)
            let place = try #require(address.firstMatch(of: /@(.+)$/)).1
            let user = try #require(role.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let database = try PostgresDatabase(
                .init(
                    uri: "postgresql://\(user):w0rk@\(place)?options=-csearch_path%3D\(under.name)", connections: 2,
                    patienceSeconds: 5))
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(under, SQLJobStore(database, policy: .priced()), database))
            } catch { outcome = .failure(error) }
            await database.close()
            _ = try await under.query("DROP OWNED BY \"\(role)\"")
            _ = try await under.query("DROP ROLE \"\(role)\"")
            try outcome.get()
        }
    }

    @Test("does all of a worker's work, arrivals and money included")
    func works() async throws {
        try await Self.with { under, store, _ in
            try await under.grant(40)
            // It starts like any daemon: there is nothing to bring up to date.
            try await store.migrate()
            #expect(try await store.pendingMigrations().isEmpty)
            let jobs: [NewJob] = [.paid(minutes: 5), .paid(minutes: 5), .paid(minutes: 50)]
            #expect(
                try await store.insert(jobs) == [
                    .inserted(jobs[0].id), .inserted(jobs[1].id), .insufficientCredit(needed: 100, available: 20),
                ])
            try await store.heartbeat("w1")
            let first = try await store.claimOne()
            #expect(try await store.renew([first.lease], worker: "w1", seconds: 30) == RenewOutcome())
            #expect(try await store.beginUpload("s3://exports/a", for: first.lease))
            #expect(try await store.sealUpload("s3://exports/a", etag: "e", for: first.lease))
            #expect(try await store.finish(first, .rendered(seconds: 60)) == .accepted(.succeeded))
            #expect(try await store.finish(try await store.claimOne(), .failed(.broken)) == .accepted(.failed))
            let look = try await store.add(.paid { ($0.needsAdmission, $0.bound) = (true, nil) })
            let looked = try await store.claimOne(admits: true)
            let bound = MediaBound(resolution: .upTo1080, milliseconds: 60_000)
            #expect(
                try await store.admit(Admission(lease: looked.lease, costSeconds: 1, memoryBytes: 1, bound: bound)))
            #expect(try await under.credit() == "36 2")
            #expect(try await store.cancel(look) == .cancelled)
            guard case .requeued(let retry) = try await store.requeue(jobs[1].id) else {
                Issue.record("not requeued")
                return
            }
            #expect(try await store.state(retry) == .queued)
            _ = try await store.sweep()
            #expect(try await store.takeNotices(limit: 9, seconds: 9).count == 3)
            #expect(
                try await store.prune(finishedBefore: .init(succeededSeconds: 900, otherSeconds: 900), limit: 9) == 0)
            #expect(try await under.moves(jobs[0].id) == ["hold 10", "capture 2", "release_rest 8"])
            #expect(try await under.credit() == "28 10")
            try await under.expectSound()
        }
    }

    @Test("gets at no money but by ending jobs")
    func escapes() async throws {
        try await Self.with { under, store, database in
            try await under.grant(100)
            let id = try await store.add(.paid(minutes: 5))
            let ended = try await store.add(.paid(minutes: 5))
            _ = try await store.cancel(ended)
            let attempts = [
                "SELECT * FROM accounts", "SELECT balance FROM accounts WHERE owner = 'ann'",
                "SELECT * FROM ledger_entries", "SELECT count(*) FROM ledger_entries", "SELECT * FROM usage_events",
                "SELECT * FROM stripe_payments", "INSERT INTO stripe_payments (session) VALUES ('cs_1')",
                "UPDATE accounts SET balance = 0", "DELETE FROM accounts", "TRUNCATE ledger_entries",
                "INSERT INTO accounts (owner, kind, guarded, balance, last_entry) VALUES ('eve', 'held', 1, 0, 0)",
                """
                INSERT INTO ledger_entries (idempotency_key, op, debit_account, credit_account, amount, created_at)
                VALUES ('grant/x', 'grant', 2, 4, 1000, 0)
                """,
                "UPDATE jobs SET owner = 'eve'", "UPDATE jobs SET price = 1", "UPDATE jobs SET billing = 'off'",
                "UPDATE jobs SET rate = NULL", "UPDATE jobs SET hold = NULL", "UPDATE jobs SET payload = '{}'",
                "UPDATE jobs SET charged_failures = '[\"cancelled\"]'", "UPDATE jobs SET id = 'x'",
                "UPDATE usage_events SET quantity = 0", "DELETE FROM usage_events",
                "DELETE FROM jobs WHERE id = '\(id)'", "DELETE FROM schema_migrations",
                // Money where no job has come to its end, or a second time.
                "SELECT ledger_settle('\(id)')", "SELECT ledger_hold('\(id)')", "SELECT ledger_settle('\(ended)')",
                "SELECT ledger_hold('\(ended)')", "SELECT ledger_settle('nobody')", "SELECT ledger_hold('nobody')",
                "SELECT ledger_admit('\(id)', 0, 1, '{}')", "SELECT ledger_admit('\(ended)', 0, 1, '{}')",
                "UPDATE jobs SET settlement = 'settle/' || substr(hold, 6), charge = 10 WHERE id = '\(id)'",
                """
                UPDATE jobs SET state = 'failed', failure = '{}', finished_at = 1, charge = price,
                    settlement = 'settle/' || substr(hold, 6) WHERE id = '\(id)'
                """,
                // Its own functions, tables and rights.
                "CREATE FUNCTION mine() RETURNS void LANGUAGE sql AS 'SELECT 1'", "CREATE TABLE mine (a text)",
                "DROP TRIGGER ledger_entries_move ON ledger_entries", "ALTER TABLE jobs DISABLE TRIGGER ALL",
                "CREATE TRIGGER mine AFTER UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION ledger_entries_move()",
                "SET ROLE reelpool", "GRANT SELECT ON accounts TO PUBLIC", "DROP TABLE jobs",
            ]
            for attempt in attempts {
                await #expect(throws: StoreError.self, "\(attempt)") {
                    try await database.transaction(.write) { try $0.execute(attempt, []) }
                }
            }
            // A failure that is not charged, charged all the same in one transaction.
            await #expect(throws: StoreError.self) {
                try await database.transaction(.write) { session in
                    try session.execute(
                        """
                        UPDATE jobs SET state = 'failed', failure = '{"category":"invalidInput"}', finished_at = 1,
                            charge = price, settlement = 'settle/' || substr(hold, 6) WHERE id = '\(id)'
                        """, [])
                    try session.execute("SELECT ledger_settle('\(id)')", [])
                }
            }
            // Tables of the same names, which functions with more rights might be led to.
            await #expect(throws: StoreError.self) {
                try await database.transaction(.write) { session in
                    try session.execute("CREATE TEMPORARY TABLE jobs (id text, hold text, settlement text)", [])
                    try session.execute("INSERT INTO pg_temp.jobs VALUES ('\(id)', 'hold/x', 'settle/x')", [])
                    try session.execute("SET LOCAL search_path = pg_temp, \(under.name)", [])
                    try session.execute("SELECT \(under.name).ledger_settle('\(id)')", [])
                }
            }
            #expect(try await under.credit() == "90 10")
            try await under.expectSound()
        }
    }

    @Test("is refused where there are no roles")
    func sqlite() async throws {
        try await StoreUnderTest.with(.sqlite) { under in
            let store = SQLJobStore(under.database, policy: .test)
            await #expect(throws: StoreError.self) { try await store.grantWorker("worker") }
        }
    }
}
