import Model
import SQLStore
import Testing
import WorkerCore

/// What the database itself refuses, whoever asks.
// One at a time: each has connections of its own, and a server has so many.
@Suite("The ledger's tables", .serialized)
struct LedgerGuardTests {
    /// An ended job that was charged 3 of 10, one that runs with a hold of 10, and 80 left.
    private static func prepared(
        _ kind: StoreKind, _ body: (StoreUnderTest, _ ended: JobID, _ running: JobID) async throws -> Void
    ) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(93)
            let ended = try await under.store.add(.paid(minutes: 5))
            _ = try await under.store.finish(try await under.store.claimOne(), .rendered(seconds: 90))
            let running = try await under.store.add(.paid(minutes: 5))
            _ = try await under.store.claimOne()
            #expect(try await under.credit() == "80 10")
            try await body(under, ended, running)
            #expect(try await under.credit() == "80 10")
            try await under.expectSound()
        }
    }

    @Test("refuse every change by hand", arguments: StoreKind.databases)
    func refusals(kind: StoreKind) async throws {
        try await Self.prepared(kind) { under, ended, running in
            var statements = [
                "UPDATE ledger_entries SET amount = amount + 1", "UPDATE ledger_entries SET note = 'x'",
                "DELETE FROM ledger_entries", "DELETE FROM ledger_entries WHERE op = 'hold'",
                "UPDATE accounts SET balance = balance + 1 WHERE owner = 'ann'",
                "UPDATE accounts SET balance = balance + 1, last_entry = last_entry + 1 WHERE owner = 'ann'",
                """
                UPDATE accounts SET balance = balance + 93000000,
                    last_entry = (SELECT min(seq) FROM ledger_entries) WHERE owner = 'ann' AND kind = 'available'
                """,
                """
                UPDATE accounts SET balance = balance - 7000000,
                    last_entry = (SELECT max(seq) FROM ledger_entries) WHERE owner = 'ann' AND kind = 'held'
                """,
                "UPDATE accounts SET kind = 'issued' WHERE owner = 'ann' AND kind = 'held'",
                "UPDATE accounts SET guarded = 0 WHERE owner = 'ann'",
                "UPDATE accounts SET owner = 'bob' WHERE owner = ''", "DELETE FROM accounts WHERE owner = 'ann'",
                """
                INSERT INTO accounts (owner, kind, guarded, balance, last_entry) VALUES ('eve', 'available', 1, 5, 0)
                """,
                """
                INSERT INTO accounts (owner, kind, guarded, balance, last_entry) VALUES ('eve', 'available', 0, 0, 0)
                """,
                """
                INSERT INTO accounts (owner, kind, guarded, balance, last_entry) VALUES ('ann', 'available', 1, 0, 0)
                """,
                "UPDATE usage_events SET quantity = 0", "DELETE FROM usage_events",
                "INSERT INTO usage_events SELECT * FROM usage_events",
                // A running job cannot lose its hold, nor get one as if it had none.
                "DELETE FROM jobs WHERE id = '\(running)'", "UPDATE jobs SET hold = NULL WHERE id = '\(running)'",
                "UPDATE jobs SET price = 1 WHERE id = '\(running)'",
                "UPDATE jobs SET billing = 'off' WHERE id = '\(running)'",
                "UPDATE jobs SET owner = 'bob' WHERE id = '\(running)'",
                """
                UPDATE jobs SET state = 'failed', finished_at = 1, failure = '{}', lease_owner = NULL,
                    lease_until = NULL WHERE id = '\(running)'
                """,
                "UPDATE jobs SET settlement = 'settle/' || substr(hold, 6), charge = 0 WHERE id = '\(running)'",
                // One that has ended neither lives again nor costs anything else.
                "UPDATE jobs SET state = 'queued', finished_at = NULL WHERE id = '\(ended)'",
                "UPDATE jobs SET state = 'failed' WHERE id = '\(ended)'",
                "UPDATE jobs SET charge = 4000000 WHERE id = '\(ended)'",
                "UPDATE jobs SET settlement = NULL, charge = NULL WHERE id = '\(ended)'",
                // What is paid for here does not start without a hold.
                """
                INSERT INTO jobs (id, kind, owner, tier, state, payload, ingress, attempt, max_attempts, interruptions,
                    epoch, cancel_requested, created_at, available_at, cost_seconds, memory_bytes, base_memory_bytes,
                    size_class, start_tag, order_key, is_overflow, needs_admission, billing, price)
                SELECT 'x' || id, kind, owner, tier, 'queued', payload, ingress, 0, max_attempts, 0, 0, 0, created_at,
                    available_at, cost_seconds, memory_bytes, base_memory_bytes, size_class, start_tag, order_key, 0,
                    0, 'internal', price FROM jobs WHERE id = '\(running)'
                """,
            ]
            if kind == .postgres {
                statements += [
                    "TRUNCATE ledger_entries CASCADE", "TRUNCATE accounts", "TRUNCATE usage_events",
                ]
            }
            for statement in statements {
                await #expect(throws: StoreError.self, "\(statement)") { _ = try await under.query(statement) }
            }
        }
    }

    private static let entry = """
        INSERT INTO ledger_entries (
            idempotency_key, op, debit_account, credit_account, amount, job, settles, reverses, created_at)
        """

    @Test("refuse entries that nothing bears out", arguments: StoreKind.databases)
    func entries(kind: StoreKind) async throws {
        try await Self.prepared(kind) { under, ended, running in
            try await under.grant(1, to: "bob")
            func account(_ owner: String, _ kind: String) -> String {
                "(SELECT id FROM accounts WHERE owner = '\(owner)' AND kind = '\(kind)')"
            }
            let (free, held) = (account("ann", "available"), account("ann", "held"))
            let (issued, revenue) = (account("", "issued"), account("", "revenue"))
            func hold(_ job: JobID) -> String { "(SELECT hold FROM jobs WHERE id = '\(job)')" }
            func seq(_ job: JobID) -> String {
                "(SELECT seq FROM ledger_entries WHERE idempotency_key = \(hold(job)))"
            }
            func settle(_ job: JobID) -> String { "'settle/' || substr(\(hold(job)), 6)" }
            let grant = "(SELECT min(seq) FROM ledger_entries)"
            let values = [
                // More than there is, from the wrong account, without an amount, in parts of a millionth.
                "'adjust/a', 'adjust', \(free), \(account("", "adjust")), 80000001, NULL, NULL, NULL, 0",
                "'grant/a', 'grant', \(held), \(free), 1, NULL, NULL, NULL, 0",
                "'grant/a', 'grant', \(account("bob", "available")), \(free), 1, NULL, NULL, NULL, 0",
                "'grant/a', 'grant', \(issued), \(free), 0, NULL, NULL, NULL, 0",
                "'grant/a', 'grant', \(issued), \(free), -1, NULL, NULL, NULL, 0",
                "'grant/a', 'grant', \(issued), \(free), 1000000000000001, NULL, NULL, NULL, 0",
                "'a', 'grant', \(issued), \(free), 1, NULL, NULL, NULL, 0",
                "'gift/a', 'gift', \(issued), \(free), 1, NULL, NULL, NULL, 0",
                "'grant/a', 'grant', \(issued), 999999, 1, NULL, NULL, NULL, 0",
                // Another hold, one for nobody, and one of another amount.
                "\(hold(running)), 'hold', \(free), \(held), 10000000, '\(running)', NULL, NULL, 0",
                "\(hold(ended)), 'hold', \(free), \(held), 10000000, '\(ended)', NULL, NULL, 0",
                "'hold/\(running)/1', 'hold', \(free), \(held), 1, '\(running)', NULL, NULL, 0",
                // A settlement of what runs, a second one, one by another's account.
                "\(settle(running)), 'release', \(held), \(free), 10000000, '\(running)', \(seq(running)), NULL, 0",
                "\(settle(running)), 'capture', \(held), \(revenue), 1, '\(running)', \(seq(running)), NULL, 0",
                "\(settle(ended)), 'capture', \(held), \(revenue), 3000000, '\(ended)', \(seq(ended)), NULL, 0",
                "'settle/\(ended)/1', 'release', \(held), \(free), 10000000, '\(ended)', \(seq(ended)), NULL, 0",
                "'rest/\(ended)/1', 'release_rest', \(held), \(free), 1, '\(ended)', \(seq(ended)), NULL, 0",
                "'settle/\(ended)/1', 'release', \(held), \(free), 1, '\(ended)', \(seq(running)), NULL, 0",
                // A reversal of more than there was, to somebody else, of a hold.
                "'reversal/1/a', 'reversal', \(free), \(issued), 93000001, NULL, NULL, \(grant), 0",
                "'reversal/1/a', 'reversal', \(account("bob", "available")), \(issued), 1, NULL, NULL, \(grant), 0",
                "'reversal/1/a', 'reversal', \(held), \(free), 1, NULL, NULL, \(seq(running)), 0",
            ]
            for row in values {
                await #expect(throws: StoreError.self, "\(row)") {
                    _ = try await under.query("\(Self.entry) VALUES (\(row))")
                }
            }
            let half = kind == .sqlite ? "0.5" : "0.4"
            await #expect(throws: StoreError.self) {
                _ = try await under.query(
                    "\(Self.entry) VALUES ('grant/h', 'grant', \(issued), \(free), \(half), NULL, NULL, NULL, 0)")
            }
        }
    }

    @Test("need a job's end and its settlement together", arguments: StoreKind.databases)
    func together(kind: StoreKind) async throws {
        try await Self.prepared(kind) { under, _, running in
            // The job says that it was settled, and no entry does: refused when it is to be committed.
            await #expect(throws: StoreError.self) {
                _ = try await under.query(
                    """
                    UPDATE jobs SET state = 'succeeded', finished_at = 1, result = '{}', lease_owner = NULL,
                        lease_until = NULL, charge = 0, settlement = 'settle/' || substr(hold, 6)
                    WHERE id = '\(running)'
                    """)
            }
            let state = try await under.store.state(running)
            #expect(state == .running)
        }
    }
}
