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
                ]
                for table in tables { try session.execute("DROP TABLE \(table)", []) }
            }
            let stores = try (0..<4).map { _ in try under.another() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for store in stores + [under.store] { group.addTask { try await store.migrate() } }
                try await group.waitForAll()
            }
            #expect(try await under.number("SELECT count(*) FROM schema_migrations") == 2)
            #expect(try await under.store.job(id) == nil)
            let next = try await under.store.add(.new())
            try await under.store.migrate()
            #expect(try await under.store.claimOne().id == next)
            for store in stores { await store.close() }
        }
    }

    @Test("of an earlier version is brought up to date, with all that is in it", arguments: StoreKind.databases)
    func upgrade(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let id = try await under.store.add(.new())
            // As version 1 left it.
            try await under.database.transaction(.write) { session in
                try session.execute("DROP TABLE uploads", [])
                try session.execute("DELETE FROM schema_migrations WHERE version > 1", [])
            }
            try await under.store.migrate()
            let job = try await under.store.claimOne()
            #expect(job.id == id)
            #expect(try await under.store.beginUpload("s3://exports/a", for: Lease(job: id, epoch: job.epoch)))
            #expect(try await under.number("SELECT max(version) FROM schema_migrations") == 2)
        }
    }

    @Test("of a newer version is refused", arguments: StoreKind.databases)
    func newer(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.query("INSERT INTO schema_migrations (version, name, applied_at) VALUES (99, 'x', 0)")
            let error = await #expect(throws: StoreError.self) { try await under.store.migrate() }
            #expect(error?.message.contains("newer") == true)
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
