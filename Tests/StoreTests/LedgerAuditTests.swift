import Model
import SQLStore
import Testing
import WorkerCore

/// Books that somebody has spoilt, after taking away what the database has against it: each kind of damage is named.
// One at a time: each has connections of its own, and a server has so many.
@Suite("An audit", .serialized)
struct LedgerAuditTests {
    struct Damage: Sendable, CustomTestStringConvertible {
        var rule: String
        var statements: [String]
        var testDescription: String { rule }
    }

    private static let ann = "(SELECT id FROM accounts WHERE owner = 'ann' AND kind = 'available')"
    private static let held = "(SELECT id FROM accounts WHERE owner = 'ann' AND kind = 'held')"
    private static let revenue = "(SELECT id FROM accounts WHERE kind = 'revenue')"
    private static let hold = """
        (SELECT h.seq FROM ledger_entries h JOIN jobs j ON j.hold = h.idempotency_key WHERE j.state = '%')
        """
    private static func seq(_ state: String) -> String { hold.replacing("%", with: state) }
    private static func insert(_ values: String) -> String {
        """
        INSERT INTO ledger_entries (
            idempotency_key, op, debit_account, credit_account, amount, job, settles, reverses, created_at)
        VALUES (\(values))
        """
    }

    static let damages: [Damage] = [
        Damage(
            rule: "a balance is the sum of its entries",
            statements: ["UPDATE accounts SET balance = balance + 1 WHERE owner = 'ann' AND kind = 'available'"]),
        Damage(
            rule: "a balance is the sum of its entries",
            statements: ["DELETE FROM ledger_entries WHERE op = 'release_rest'"]),
        Damage(
            rule: "an entry has two accounts, of one owner or the system's",
            statements: ["UPDATE ledger_entries SET debit_account = 999 WHERE op = 'grant'"]),
        Damage(
            rule: "a hold is settled at most once",
            statements: [
                insert(
                    "'settle/x', 'capture', \(held), \(revenue), 1, (SELECT id FROM jobs WHERE state = 'succeeded'), "
                        + "\(seq("succeeded")), NULL, 0"),
                "UPDATE accounts SET balance = balance - 1 WHERE owner = 'ann' AND kind = 'held'",
            ]),
        Damage(
            rule: "what settles a hold comes to as much as the hold",
            statements: [
                "DELETE FROM ledger_entries WHERE op = 'release_rest'",
                "UPDATE accounts SET balance = balance - 8000000 WHERE owner = 'ann' AND kind = 'available'",
                "UPDATE accounts SET balance = balance + 8000000 WHERE owner = 'ann' AND kind = 'held'",
            ]),
        Damage(
            rule: "an open hold is of a job that has not ended",
            statements: ["DELETE FROM jobs WHERE state = 'running'"]),
        Damage(
            rule: "a job that is paid for here has a hold before it may start",
            statements: [
                """
                UPDATE jobs SET state = 'running', finished_at = NULL, settlement = NULL, charge = NULL, hold = NULL,
                    lease_owner = 'w', lease_until = 1 WHERE state = 'failed'
                """
            ]),
        Damage(
            rule: "a job that has not ended is not settled",
            statements: [
                """
                UPDATE jobs SET state = 'running', finished_at = NULL, lease_owner = 'w', lease_until = 1
                WHERE state = 'failed'
                """
            ]),
        Damage(
            rule: "a job that has ended is settled as it ended",
            statements: ["UPDATE jobs SET charge = 0 WHERE state = 'succeeded'"]),
        Damage(
            rule: "a job that has ended is settled as it ended",
            statements: ["UPDATE jobs SET state = 'failed' WHERE state = 'succeeded'"]),
        Damage(
            rule: "no more of an entry is reversed than there was",
            statements: [
                insert(
                    "'reversal/1/x', 'reversal', \(ann), (SELECT id FROM accounts WHERE kind = 'issued'), 101000000, "
                        + "NULL, NULL, (SELECT seq FROM ledger_entries WHERE op = 'grant'), 0"),
                insert(
                    "'grant/x', 'grant', (SELECT id FROM accounts WHERE kind = 'issued'), \(ann), 101000000, NULL, "
                        + "NULL, NULL, 0"),
            ]),
        Damage(
            rule: "a measurement is there once",
            statements: [
                """
                INSERT INTO usage_events (job, epoch, owner, kind, metric, quantity, measured_at)
                SELECT job, epoch, owner, kind, metric, quantity, measured_at FROM usage_events LIMIT 1
                """
            ]),
    ]

    /// A job that was charged 2 of 10, one that was charged nothing, one that runs.
    private static func prepare(_ under: StoreUnderTest) async throws {
        try await under.grant(100)
        for outcome in [.rendered(seconds: 60), .failed(.broken)] as [AttemptEnding.Outcome] {
            try await under.store.add(.paid(minutes: 5))
            _ = try await under.store.finish(try await under.store.claimOne(), outcome)
        }
        try await under.store.add(.paid(minutes: 5))
        _ = try await under.store.claimOne()
        try await under.expectSound()
    }

    /// Takes away what refuses damage; in SQLite, where constraints stay, by tables of the same columns.
    private static func disarm(_ under: StoreUnderTest) async throws {
        try await under.database.transaction(.write) { session in
            guard under.database.dialect.hasFunctions else {
                let triggers = try session.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'", [])
                for var trigger in triggers {
                    // All are asked to go by name: a name of ours needs no quotes.
                    let name = try trigger.text()
                    try session.execute("DROP TRIGGER \(name)", [])
                }
                // It refers to jobs, and no audit looks at it.
                try session.execute("DROP TABLE attempts", [])
                for table in ["jobs", "ledger_entries", "accounts", "usage_events"] {
                    try session.execute("CREATE TABLE free_\(table) AS SELECT * FROM \(table)", [])
                }
                for table in ["jobs", "ledger_entries", "accounts", "usage_events"] {
                    try session.execute("DROP TABLE \(table)", [])
                    try session.execute("ALTER TABLE free_\(table) RENAME TO \(table)", [])
                }
                return
            }
            for table in ["jobs", "ledger_entries", "accounts", "usage_events"] {
                try session.execute("ALTER TABLE \(table) DISABLE TRIGGER ALL", [])
                let constraints = try session.execute(
                    """
                    SELECT 'ALTER TABLE ' || CAST(conrelid AS regclass) || ' DROP CONSTRAINT ' || quote_ident(conname)
                        || ' CASCADE' FROM pg_constraint
                    WHERE conrelid = CAST('\(table)' AS regclass) AND contype IN ('c', 'f', 'u')
                    """, [])
                for var constraint in constraints { try session.execute(try constraint.text(), []) }
            }
            for index in ["ledger_one_settlement", "ledger_one_rest"] { try session.execute("DROP INDEX \(index)", []) }
        }
    }

    @Test("names what is wrong", arguments: StoreKind.databases, damages.indices)
    func damage(kind: StoreKind, index: Int) async throws {
        let damage = Self.damages[index]
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await Self.prepare(under)
            // Every one of them is refused while the guards stand.
            await #expect(throws: StoreError.self, "\(damage.rule)") {
                try await under.database.transaction(.write) { session in
                    for statement in damage.statements { try session.execute(statement, []) }
                }
            }
            try await under.expectSound()
            try await Self.disarm(under)
            try await under.expectSound("without guards")
            try await under.database.transaction(.write) { session in
                for statement in damage.statements { try session.execute(statement, []) }
            }
            let fault = try await under.ledger.verify()
            #expect(fault?.rule == damage.rule, "\(String(describing: fault))")
            #expect(fault?.row.isEmpty == false)
        }
    }
}
