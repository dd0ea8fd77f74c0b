import Foundation
import Model
import PoolTestSupport
import TestSupport
import Testing

@Suite("The command that migrates")
struct MigrateTests {
    private static func run(_ database: String, _ arguments: String...) async throws -> CommandResult {
        let words = ["-i", "REELPOOL_DATABASE=\(database)", Fixture.program, "migrate"] + arguments
        return try await blocking { try Command.run("env", words) }
    }

    private static func withFile(_ body: (_ database: String, _ path: String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-migrate-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body("sqlite:\(folder)/jobs.db", "\(folder)/jobs.db")
    }

    @Test("shows what it would run and runs nothing, then does it, and then has nothing to do")
    func twice() async throws {
        try await Self.withFile { database, path in
            let missing = try await Self.run(database, "--dry-run")
            #expect(missing.status == FailureCategory.invalidInput.exitStatus, "\(missing.errors)")
            #expect(!FileManager.default.fileExists(atPath: path))
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            let shown = try await Self.run(database, "--dry-run")
            #expect(shown.status == 0 && shown.text.contains("CREATE TABLE ledger_entries"), "\(shown.errors)")
            let again = try await Self.run(database, "--dry-run", "--json")
            let steps = try JSONValue(parsing: again.text)["steps"]?.arrayValue ?? []
            let third = try await Self.run(database, "--dry-run", "--json")
            #expect(steps.count > 2 && again.text == third.text)
            let done = try await Self.run(database)
            #expect(done.status == 0 && done.text.contains("took step 3"), "\(done.errors)")
            #expect(try await Self.run(database).text == "the schema is up to date\n")
            let roles = try await Self.run(database, "--worker-role", "anybody")
            #expect(roles.errors.contains("SQLite has no roles"))
        }
    }

    @Test("does it once, from several hosts at a time")
    func together() async throws {
        try await Self.withFile { database, _ in
            try await withThrowingTaskGroup(of: CommandResult.self) { group in
                for _ in 0..<4 { group.addTask { try await Self.run(database) } }
                for try await result in group { #expect(result.status == 0, "\(result.errors)") }
            }
            #expect(try await Self.run(database).text == "the schema is up to date\n")
        }
    }

    @Test("refuses a schema that is newer than itself")
    func newer() async throws {
        try await Self.withFile { database, path in
            _ = try await Self.run(database)
            let program = """
                import sqlite3, sys
                with sqlite3.connect(sys.argv[1]) as store:
                    store.execute("INSERT INTO schema_migrations VALUES (9999, 'later', 0)")
                """
            _ = try await blocking { try Command.output("python3", ["-c", program, path]) }
            for arguments in [[], ["--dry-run"]] as [[String]] {
                let words = ["-i", Fixture.program, "migrate", "--database", database] + arguments
                let result = try await blocking { try Command.run("env", words) }
                #expect(result.errors.contains("newer version of Reelpool") && result.status != 0)
            }
        }
    }

    @Test(
        "gives a role the rights of a worker, and takes what it had besides",
        .enabled(if: Servers.hasPostgres, "no Postgres"))
    func role() async throws {
        let name = uniqueName("migrate").replacing(".", with: "_")
        func psql(_ statement: String) async throws -> String {
            let words = [Servers.shared.postgresURL, "-qtAc", statement]
            return try await blocking { String(decoding: try Command.output("psql", words), as: UTF8.self) }
        }
        _ = try await psql("CREATE SCHEMA \(name); CREATE ROLE \(name)")
        let database = Servers.shared.postgresURL + "?options=-csearch_path%3D\(name)"
        #expect(try await Self.run(database).status == 0)
        _ = try await psql("GRANT ALL ON ALL TABLES IN SCHEMA \(name) TO \(name)")
        let result = try await Self.run(database, "--worker-role", name)
        #expect(result.status == 0 && result.text.contains("\(name) is a worker"), "\(result.errors)")
        func may(_ right: String, _ table: String) async throws -> Bool {
            try await psql("SELECT has_table_privilege('\(name)', '\(name).\(table)', '\(right)')") == "t\n"
        }
        #expect(try await may("SELECT", "jobs"))
        for table in ["accounts", "ledger_entries", "usage_events"] {
            #expect(try await !may("SELECT", table), "\(table)")
            #expect(try await !may("UPDATE", table), "\(table)")
        }
        _ = try await psql("DROP SCHEMA \(name) CASCADE; DROP ROLE \(name)")
    }
}
