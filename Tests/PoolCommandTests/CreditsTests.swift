import Foundation
import Model
import SQLStore
import StoreSQLite
import TestSupport
import Testing
import WorkerCore

/// A database with books in it, and the commands that keep them.
private struct Books {
    /// Of a job that was charged: entries 1 to 3, carl's.
    static let job = "6bb20c94-7d4c-4bd0-b3b1-1fb7b4cf34ba"

    let folder: String

    var database: String { "\(folder)/jobs.db" }

    func run(_ arguments: String...) async throws -> CommandResult { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> CommandResult {
        let place = ["-i", "PATH=/usr/bin:/bin", "REELPOOL_DATABASE=sqlite:\(database)"]
        return try await Self.command("env", place + [Fixture.program, "credits"] + arguments)
    }

    /// Any program, on a thread that may wait for it.
    static func command(_ program: String, _ arguments: [String]) async throws -> CommandResult {
        try await OwnThread.run(named: "test") { try Command.run(program, arguments) }
    }

    func json(_ arguments: String...) async throws -> JSONValue {
        let result = try await run(arguments + ["--json"])
        try #require(result.status == 0, "\(result.errors)")
        return try JSONValue(parsing: result.text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// A refusal: exit status, and the code on standard error.
    func refusal(_ arguments: String...) async throws -> String {
        let result = try await run(arguments + ["--json"])
        let error = try? JSONValue(parsing: result.errors.trimmingCharacters(in: .whitespacesAndNewlines))
        return "\(result.status) \(error?["error"]?["code"]?.stringValue ?? result.errors)"
    }

    static func with(_ body: (Books, SQLJobStore) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-books-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let books = Books(folder: folder)
        var policy = StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 1, capSeconds: 1))
        policy.rates = RateCard(version: 1, prices: [.render: .perJob(try #require(MicroCredits(text: "3")))])
        let store = SQLJobStore(try SQLiteDatabase(path: books.database), policy: policy)
        try await store.migrate()
        _ = try await store.grant(try #require(MicroCredits(text: "10")), to: "carl", key: "seed", note: nil)
        try await books.render(Books.job, owner: "carl", store)
        do {
            try await body(books, store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    /// A job from its arrival to its end.
    func render(_ id: String, owner: String, _ store: SQLJobStore) async throws {
        var job = NewJob(
            id: try #require(JobID(id)), kind: .render, owner: owner, payload: "{}", ingress: .http)
        job.billing = .internal
        #expect(try await store.insert([job]) == [.inserted(job.id)])
        let claim = ClaimRequest(
            worker: "w", instance: "1", kinds: [.render], limit: 1, memoryBytes: 1 << 40, leaseSeconds: 600)
        let claimed = try #require(try await store.claim(claim).first)
        let ending = AttemptEnding(
            lease: Lease(job: claimed.id, epoch: claimed.epoch),
            outcome: .succeeded(#"{"duration_seconds":60,"elapsed_seconds":2.5}"#))
        #expect(try await store.finish([ending], worker: "w") == [.accepted(.succeeded)])
    }
}

@Suite("reelpool credits")
struct CreditsTests {
    @Test("does all that its page shows, as it stands")
    func page() async throws {
        let blocks = try Document("docs/credits.md").blocks("sh").filter { $0.contains("reelpool credits") }
        #expect(blocks.count == 1)
        try await Books.with { books, _ in
            let folder = (Fixture.program as NSString).deletingLastPathComponent
            let script =
                "cd '\(books.folder)'\nPATH=\(folder):$PATH\nexport REELPOOL_DATABASE=sqlite:jobs.db\n\(blocks[0])"
            let result = try await Books.command(
                "env", ["-i", "PATH=/usr/bin:/bin", "bash", "-euo", "pipefail", "-c", script])
            #expect(result.status == 0, "\(result.text)\(result.errors)")
            let lines = result.text.split(separator: "\n").map(String.init)
            #expect(lines.prefix(2) == ["entry 4: ann has 100 free, 0 held", "ann has 100 free, 0 held"])
            #expect(lines.contains("entry 5: ann has 97.5 free, 0 held") && lines.contains("entry 6"))
            #expect(lines.contains { $0.contains("reversal") && $0.contains("77.5") }, "\(result.text)")
            #expect(lines.contains { $0.contains("capture") && $0.contains("revenue") }, "\(result.text)")
            #expect(lines.contains("nothing is wrong with the books"))
            #expect(lines.contains { $0.hasSuffix(" measurements in november.csv") })
            #expect(lines.last?.hasPrefix("erased; the books go on as erased-") == true)
        }
    }

    @Test("enters once for a key, and refuses with a code what cannot be")
    func refusals() async throws {
        try await Books.with { books, _ in
            let first = try await books.json("grant", "ann", "100", "--key", "a", "--note", "hello")
            let again = try await books.json("grant", "ann", "100", "--key", "a")
            #expect(first["is_new"] == true && again["is_new"] == false && first["entry"] == again["entry"])
            #expect(again["balance"] == ["owner": "ann", "available": "100", "held": "0"])
            let entry = "\(try #require(first["entry"]?.integerValue))"
            let cases: [([String], String)] = [
                (["grant", "ann", "50", "--key", "a"], "65 key_taken"),
                (["grant", "ann", "0", "--key", "b"], "65 invalid_entry"),
                (["grant", "ann", "1.0000001", "--key", "b"], "65 invalid_entry"),
                (["grant", "ann", "1e3", "--key", "b"], "65 invalid_entry"),
                (["grant", "", "1", "--key", "b"], "65 invalid_entry"),
                (["grant", "ann", "1", "--key", String(repeating: "k", count: 201)], "65 invalid_entry"),
                (["adjust", "ann", "--by", "-100.5", "--key", "b"], "72 insufficient_credit"),
                (["reverse", "1", "--amount", "11", "--key", "b"], "65 exceeds_entry"),
                (["reverse", "2", "--key", "b"], "65 not_reversible"),
                (["reverse", "999", "--key", "b"], "65 not_reversible"),
                (["history", "no-job"], "65 invalid_task"),
                (["export", "--day", "2026-02-30", "-o", "x.csv"], "65 invalid_task"),
                (["export", "--from", "2026-02-03", "--to", "2026-02-01", "-o", "x.csv"], "65 range_reversed"),
                (["export", "--day", "today", "-o", "\(books.folder)/none/x.csv"], "74 output_not_writable"),
                (["erase", "nobody", "--yes"], "65 unknown_owner"),
            ]
            for (arguments, refusal) in cases {
                let result = try await books.run(arguments + ["--json"])
                let error = try? JSONValue(parsing: result.errors.trimmingCharacters(in: .whitespacesAndNewlines))
                let code = error?["error"]?["code"]?.stringValue
                #expect("\(result.status) \(code ?? result.errors)" == refusal, "\(arguments)")
            }
            for wrong in [
                ["erase", "ann"], ["grant", "ann", "1"], ["export", "-o", "x"], ["statement", "ann", "--limit", "0"],
                ["export", "--day", "today", "--from", "2026-01-01", "-o", "x"],
                ["export", "--to", "2026-01-01", "-o", "x"],
            ] {
                #expect(try await books.run(wrong).status == 64, "\(wrong)")
            }
            #expect(try await books.json("balance", "ann")["available"] == "100", "nothing of that was done")
            #expect(try await books.json("reverse", entry, "--key", "c")["is_new"] == true)
            #expect(try await books.refusal("reverse", entry, "--amount", "1", "--key", "d") == "65 exceeds_entry")
            #expect(try await books.json("balance", "ann")["available"] == "0")
            #expect(try await books.json("verify")["is_sound"] == true)
        }
    }

    @Test("shows a statement in pages, and a job's money")
    func statement() async throws {
        try await Books.with { books, _ in
            let all = try await books.json("statement", "carl")["entries"]?.arrayValue ?? []
            #expect(all.compactMap { $0["operation"]?.stringValue } == ["capture", "hold", "grant"])
            #expect(
                all.compactMap { $0["balance"] } == [
                    ["available": "7", "held": "0"], ["available": "7", "held": "3"], ["available": "10", "held": "0"],
                ])
            let second = try await books.json("statement", "carl", "--limit", "1", "--before", "3")["entries"]?
                .arrayValue
            #expect(second == [all[1]])
            let history = try await books.json("history", Books.job)["entries"]?.arrayValue ?? []
            #expect(history.compactMap { $0["operation"]?.stringValue } == ["hold", "capture"])
            let table = try await books.run("statement", "carl").text
            #expect(table.hasPrefix("ENTRY ") && table.contains(Books.job))
            #expect(try await books.run("statement", "nobody").text == "nothing has moved nobody's credit\n")
            #expect(try await books.run("history", UUID().uuidString.lowercased()).text.contains("has moved no credit"))
        }
    }

    @Test("finds the first row that breaks a rule, and ends with 1")
    func verify() async throws {
        try await Books.with { books, store in
            #expect(try await books.run("verify").status == 0)
            await store.close()
            // Past the guards, as a careless hand or a broken disk would.
            let spoil = """
                DROP TRIGGER ledger_entries_unchanged; UPDATE ledger_entries SET amount = 9000000 WHERE seq = 1;
                """
            let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])"
            let done = try await Books.command("python3", ["-c", script, books.database, spoil])
            try #require(done.status == 0, "\(done.errors)")
            let result = try await books.run("verify")
            #expect(result.status == 1 && result.text.hasPrefix("WRONG: a balance is the sum of its entries"))
            let json = try JSONValue(
                parsing: try await books.run("verify", "--json").text.trimmingCharacters(in: .whitespacesAndNewlines))
            #expect(json["is_sound"] == false && json["row"]?.stringValue?.isEmpty == false)
        }
    }

    @Test("exports what was measured as CSV that other readers understand")
    func export() async throws {
        try await Books.with { books, store in
            let odd = "a,\"b\"\u{301}\r\nc"
            _ = try await store.grant(try #require(MicroCredits(text: "10")), to: odd, key: "odd", note: nil)
            try await books.render(UUID().uuidString, owner: odd, store)
            let file = "\(books.folder)/usage.csv"
            for _ in 0..<2 {
                let report = try await books.json("export", "--from", "2020-01-01", "--to", "2999-12-31", "-o", file)
                let text = String(decoding: try bytes(ofFile: file), as: UTF8.self)
                let script = """
                    import csv, json, sys
                    print(json.dumps(list(csv.reader(open(sys.argv[1], newline=''), strict=True))))
                    """
                let read = try await Books.command("python3", ["-c", script, file])
                let rows = try JSONValue(parsing: read.text.trimmingCharacters(in: .whitespacesAndNewlines))
                let lines = (rows.arrayValue ?? []).map { ($0.arrayValue ?? []).compactMap(\.stringValue) }
                #expect(
                    lines.first == [
                        "measured_at", "number", "job", "attempt", "owner", "kind", "metric", "quantity",
                    ])
                #expect(report["rows"] == .integer(lines.count - 1) && lines.count > 4)
                #expect(lines.allSatisfy { $0.count == 8 } && text.hasSuffix("\r\n"))
                #expect(
                    lines.dropFirst().map { $0[1] }
                        == lines.dropFirst().map { $0[1] }.sorted { Int($0) ?? 0 < Int($1) ?? 0 })
                #expect(lines.contains { $0[2] == Books.job && $0[6] == "media_milliseconds" && $0[7] == "60000" })
                #expect(lines.contains { $0[4] == odd })
                let printed = try await books.run(["export", "--from", "2020-01-01", "--to", "2999-12-31", "-o", "-"])
                #expect(printed.text == text, "the same, wherever it goes")
            }
            #expect(try await books.json("export", "--day", "yesterday", "-o", file)["rows"] == 0)
            let day = try await books.json("export", "--from", "2026-02-28", "--to", "2026-03-01", "-o", file)
            #expect(day["from"] == "2026-02-28T00:00:00.000Z" && day["to"] == "2026-03-02T00:00:00.000Z")
        }
    }

    @Test("erases an owner who has nothing under way")
    func erase() async throws {
        try await Books.with { books, store in
            var job = NewJob(
                id: try #require(JobID(UUID().uuidString)), kind: .render, owner: "carl", payload: "{}", ingress: .http)
            job.billing = .internal
            _ = try await store.insert([job])
            #expect(try await books.refusal("erase", "carl", "--yes") == "65 owner_busy")
            _ = try await store.cancel(job.id)
            let name = try #require(try await books.json("erase", "carl", "--yes")["pseudonym"]?.stringValue)
            #expect(try await books.json("balance", name)["available"] == "7")
            #expect(try await books.json("balance", "carl")["available"] == "0")
            #expect(try await books.json("verify")["is_sound"] == true)
            let export = try await books.run(["export", "--from", "2020-01-01", "--to", "2999-12-31", "-o", "-"]).text
            #expect(export.contains(name) && !export.contains("carl"))
        }
    }

    @Test("says what is wrong with its database")
    func databases() throws {
        try withTemporaryFolder { folder in
            func run(_ database: String) throws -> CommandResult {
                try Command.run(
                    "env",
                    [
                        "-i", "PATH=/usr/bin:/bin", "REELPOOL_DATABASE=\(database)", Fixture.program, "credits",
                        "balance", "a",
                    ])
            }
            #expect(try run("mysql://x").status == 78)
            let missing = try run("sqlite:\(folder)/none.db")
            #expect(missing.status == 65 && missing.errors.contains("[file_not_found]"))
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/none.db"))
            try write("", to: "\(folder)/empty.db")
            let old = try run("sqlite:\(folder)/empty.db")
            #expect(old.status == 74 && old.errors.contains("[store_unavailable]"), "\(old.errors)")
            let away = try run("postgresql://reelpool:secret-pass-1@127.0.0.1:1/x?connect_timeout=1")
            #expect(away.status == 74 && !away.errors.contains("secret-pass-1"), "\(away.errors)")
        }
    }
}
