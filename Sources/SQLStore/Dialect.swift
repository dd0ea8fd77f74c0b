/// Where the two databases differ in what they understand. Everything else is the same text for both.
package struct Dialect: Sendable {
    /// Milliseconds since 1970 by the database's clock; the same throughout a statement.
    package var now: String
    /// After a `SELECT` of jobs: takes their locks, and waits for them. `%` stands for the table.
    package var lock: String
    /// The same, but leaves out rows that others hold.
    package var lockFree: String
    /// Where a text lies in another, from 1 on; 0 when it does not.
    package var position: String
    /// A column that numbers its rows in the order in which they come.
    package var identity: String
    /// Text that is compared byte by byte.
    package var textType: String
    /// Run first in the transaction that migrates: it may take its time, and others that migrate wait.
    package var migrationStart: [String]
    /// Run after tables are made: how the database keeps them.
    package var storage: @Sendable (_ tables: [String]) -> [String]
    /// Whether it has functions with rights of their own, so that not every caller need have them.
    package var hasFunctions: Bool
    /// A row when there is a table of migrations.
    package var isMigrated: String
    /// A member of a JSON object that is kept as text, as text.
    package var member: @Sendable (_ expression: String, _ name: String) -> String
    /// Joins `groups g` with the first rows of `jobs j` of each group; the conditions may name both.
    package var firstOfEach: @Sendable (_ groups: String, _ conditions: String, _ limit: String) -> String

    package static let postgres = Dialect(
        now: "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint)",
        lock: " FOR UPDATE OF %", lockFree: " FOR UPDATE OF % SKIP LOCKED",
        position: "strpos", identity: "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", textType: #"text COLLATE "C""#,
        // Any number will do that nothing else in the database uses: "reel" in bytes.
        migrationStart: [
            "SET LOCAL statement_timeout = 0",
            "SELECT pg_advisory_xact_lock(1919247724, hashtext(current_schema()))",
        ],
        // Rows change often and are found by narrow indexes over the few that are alive: clean up early.
        storage: { tables in
            tables.map { table in
                """
                ALTER TABLE \(table) SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, \
                autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)
                """
            }
        },
        hasFunctions: true,
        isMigrated: """
            SELECT tablename FROM pg_catalog.pg_tables
            WHERE schemaname = current_schema() AND tablename = 'schema_migrations'
            """,
        member: { expression, name in "(CAST(\(expression) AS json) ->> '\(name)')" },
        firstOfEach: { groups, conditions, limit in
            """
            \(groups) g CROSS JOIN LATERAL (SELECT j.seq, j.order_key FROM jobs j WHERE \(conditions) \
            ORDER BY j.order_key, j.seq LIMIT \(limit)) j
            """
        })

    package static let sqlite = Dialect(
        now: "CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)",
        // A transaction that writes has the whole database for itself.
        lock: "", lockFree: "",
        position: "instr", identity: "INTEGER PRIMARY KEY AUTOINCREMENT", textType: "TEXT",
        migrationStart: [], storage: { _ in [] }, hasFunctions: false,
        isMigrated: "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
        // A dollar sign would be taken for a parameter's.
        member: { expression, name in "json_extract(\(expression), char(36) || '.\(name)')" },
        firstOfEach: { groups, conditions, limit in
            // A list in JSON is the only thing that SQLite works out once for each group and then follows.
            """
            \(groups) g CROSS JOIN json_each((SELECT json_group_array(seq) FROM (SELECT j.seq AS seq FROM jobs j \
            WHERE \(conditions) ORDER BY j.order_key, j.seq LIMIT \(limit)))) e CROSS JOIN jobs j ON j.seq = e.value
            """
        })

    func lock(_ table: String) -> String { lock.replacing("%", with: table) }
    func lockFree(_ table: String) -> String { lockFree.replacing("%", with: table) }
}
