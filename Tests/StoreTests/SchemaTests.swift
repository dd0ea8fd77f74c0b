import Model
import SQLStore
import Testing
import WorkerCore

@Suite("The schema")
struct SchemaTests {
    @Test("is made once, by however many start at once, and stays", arguments: StoreKind.databases)
    func together(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let id = try await under.store.add(.new())
            try await under.database.transaction(.write) { session in
                let tables = [
                    "attempts", "notices", "uploads", "jobs", "kinds", "owner_shares", "workers", "schema_migrations",
                    "ledger_entries", "accounts", "usage_events", "stripe_payments", "chunks", "chunk_sets",
                ]
                for table in tables { try session.execute("DROP TABLE \(table)", []) }
            }
            try await under.dropFunctions()
            let stores = try (0..<4).map { _ in try under.another() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for store in stores + [under.store] { group.addTask { try await store.migrate() } }
                try await group.waitForAll()
            }
            #expect(try await under.number("SELECT count(*) FROM schema_migrations") == 5)
            #expect(try await under.store.job(id) == nil)
            let next = try await under.store.add(.new())
            try await under.store.migrate()
            #expect(try await under.store.claimOne().id == next)
            for store in stores { await store.close() }
        }
    }

    @Test("of an earlier version is brought up to date, with all that is in it", arguments: StoreKind.databases)
    func upgrade(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, migrates: false) { under in
            // As version 2 left it: all that the store would run, without the last steps.
            let steps = try await under.store.pendingMigrations()
            #expect(steps.map(\.version) == [0, 1, 2, 3, 4, 5, 5])
            try await under.database.transaction(.write) { session in
                for step in steps where !["credits", "payments", "chunks"].contains(step.name) {
                    for statement in step.run { try session.execute(statement, []) }
                }
                try session.execute(
                    """
                    INSERT INTO jobs (id, kind, owner, tier, state, payload, ingress, attempt, max_attempts, interruptions,
                        epoch, cancel_requested, created_at, available_at, cost_seconds, memory_bytes,
                        base_memory_bytes, size_class, start_tag, order_key, is_overflow, needs_admission)
                    VALUES ('00000000-0000-0000-0000-00000000000a', 'render', 'ann', 0, 'queued', '{}', 'native', 0, 3, 0,
                        0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0)
                    """, [])
                try session.execute(
                    """
                    INSERT INTO owner_shares (kind, owner, finish_tag, active, ready, waiting)
                    VALUES ('render', 'ann', 0, 1, 1, 0)
                    """, [])
            }
            let left = try await under.store.pendingMigrations()
            #expect(left.map(\.name) == ["credits", "payments", "chunks"])
            #expect(left[0].run.contains { $0.contains("CREATE TABLE ledger_entries") })
            #expect(try await under.number("SELECT max(version) FROM schema_migrations") == 2, "a look changes nothing")
            try await under.store.migrate()
            #expect(try await under.store.pendingMigrations().isEmpty)
            let job = try await under.store.claimOne()
            #expect(job.id.text.hasSuffix("a") && job.billing == .off && job.quote == nil)
            #expect(try await under.store.finish(job, .succeeded("{}")) == .accepted(.succeeded))
            #expect(try await under.ledger.verify() == nil)
        }
    }

    @Test("of a newer version is refused", arguments: StoreKind.databases)
    func newer(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.query("INSERT INTO schema_migrations (version, name, applied_at) VALUES (99, 'x', 0)")
            let error = await #expect(throws: StoreError.self) { try await under.store.migrate() }
            #expect(error?.message.contains("newer") == true)
            let look = await #expect(throws: StoreError.self) { try await under.store.pendingMigrations() }
            #expect(look?.message.contains("newer") == true)
        }
    }

    @Test("keeps a transaction whole, or nothing of it", arguments: StoreKind.databases)
    func atomic(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let id = try await under.store.add(.new())
            await #expect(throws: StoreError.self) {
                try await under.database.transaction(.write) { session in
                    try session.execute("DELETE FROM jobs", [])
                    try session.execute("SELECT nonsense", [])
                }
            }
            #expect(try await under.store.state(id) == .queued)
            await #expect(throws: StoreError.self) {
                try await under.database.transaction(.read) { try $0.execute("DELETE FROM jobs", []) }
            }
            #expect(try await under.store.state(id) == .queued)
        }
    }
}
