import Foundation
import Model
import SQLStore
import StorePostgres
import Synchronization
import TestSupport
import Testing
import WorkerCore

/// Servers, connections and networks as they are.
@Suite("A Postgres server", .enabled(if: StoreKind.hasServer, "REELPOOL_TEST_POSTGRES names no server"))
struct PostgresServerTests {
    private func address() throws -> String { try #require(StoreKind.serverAddress) }

    @Test("is there, so that all suites were run against it as well")
    func isThere() async throws {
        #expect(StoreKind.available.contains(.postgres))
        let database = try PostgresDatabase(.init(uri: try address()))
        let rows = try await database.transaction(.read) { try $0.execute("SHOW server_version_num", []) }
        var row = try #require(rows.first)
        #expect(try Int(row.text()) ?? 0 >= 130_000)
        await database.close()
    }

    private final class Finished: Sendable { let ids = Mutex<[JobID]>([]) }
    private final class Count: Sendable { let value = Atomic<Int>(0) }

    /// Work going on while connections are cut; what was answered must be what is there.
    private func work(
        _ under: StoreUnderTest, _ stores: [any JobStore], disturb: @escaping @Sendable () async throws -> Void
    )
        async throws
    {
        let finished = Finished()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, store) in stores.enumerated() {
                group.addTask {
                    for round in 0..<60 {
                        let jobs = (0..<2).map { key in
                            NewJob.new(owner: "o\(number)") { $0.idempotencyKey = "\(number)/\(round)/\(key)" }
                        }
                        let arrivals = try await store.insert(jobs)
                        #expect(arrivals.allSatisfy { if case .inserted = $0 { true } else { false } })
                        let claimed = try await store.claim(2, worker: "w\(number)")
                        let endings = claimed.map { AttemptEnding(lease: $0.lease, outcome: .succeeded("{}")) }
                        let outcomes = try await store.finish(endings, worker: "w\(number)")
                        #expect(outcomes.allSatisfy { $0 == .accepted(.succeeded) }, "\(outcomes)")
                        finished.ids.withLock { $0 += claimed.map(\.id) }
                    }
                }
            }
            group.addTask { try await disturb() }
            try await group.waitForAll()
        }
        let all = finished.ids.withLock { $0 }
        #expect(Set(all).count == all.count, "no job was given out twice")
        #expect(try await under.number("SELECT count(*) FROM jobs") == stores.count * 120)
        #expect(try await under.number("SELECT count(*) FROM jobs WHERE state = 'succeeded'") == all.count)
        #expect(try await under.number("SELECT count(*) FROM notices") == all.count)
        #expect(
            try await under.number("SELECT count(*) FROM jobs WHERE lease_owner IS NOT NULL") == 0, "no claim was lost")
        try await Invariants.checkAtRest(under, runningLimit: 1_000_000, "after \(all.count) jobs")
    }

    @Test("may end connections at any moment: nothing is lost, and nothing done twice")
    func terminated() async throws {
        try await StoreUnderTest.with(.postgres) { under in
            let stores = try [under.store, under.another(), under.another()]
            let admin = try PostgresDatabase(.init(uri: try address(), connections: 1))
            let ended = Count()
            try await work(under, stores) {
                // On a busy machine connections come back more slowly.
                for round in 0..<400 where round < 40 || ended.value.load(ordering: .relaxed) < 40 {
                    let rows = try await admin.transaction(.write) {
                        try $0.execute(
                            """
                            SELECT CASE WHEN application_name = $1 THEN pg_terminate_backend(pid) END
                            FROM pg_stat_activity WHERE application_name = $1
                            """, [.text(under.name)])
                    }
                    ended.value.add(rows.count, ordering: .relaxed)
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            #expect(ended.value.load(ordering: .relaxed) >= 40)
            await admin.close()
            for store in stores.dropFirst() { await store.close() }
        }
    }

    @Test(
        "that crashes and starts again is waited for: nothing is lost, and nothing done twice", .timeLimit(.minutes(5)))
    func restarted() async throws {
        let folder = NSTemporaryDirectory() + "reelpool-restart-\(UUID().uuidString)"
        let script = "\(Fixture.repository)/scripts/servers.sh"
        @Sendable func servers(_ arguments: String...) throws -> String {
            let result = try Command.run("env", ["REELPOOL_SERVERS_FOLDER=\(folder)", script] + arguments)
            #expect(result.status == 0, "\(result.errors)")
            return result.text
        }
        _ = try servers("start", "postgres")
        defer { _ = try? servers("stop", "postgres") }
        let line = try servers("env")
        let uri = try #require(line.firstMatch(of: /REELPOOL_TEST_POSTGRES=(\S+)/)).1
        try await StoreUnderTest.with(address: String(uri)) { under in
            let stores = try [under.store, under.another()]
            try await work(under, stores) {
                for _ in 0..<2 {
                    try await Task.sleep(for: .milliseconds(100))
                    _ = try servers("restart", "postgres")
                }
            }
            for store in stores.dropFirst() { await store.close() }
        }
    }

    @Test("that ends the listening connection is listened to again", .timeLimit(.minutes(2)))
    func listening() async throws {
        try await StoreUnderTest.with(.postgres) { under in
            let stream = await under.store.wakeUps()
            var iterator = stream.makeAsyncIterator()
            #expect(await iterator.next() != nil, "it listens")
            _ = try await under.query(
                """
                SELECT CASE WHEN application_name = $1 AND pid <> pg_backend_pid() THEN pg_terminate_backend(pid) END
                FROM pg_stat_activity
                """, .text(under.name))
            #expect(await iterator.next() != nil, "it listens again")
            try await under.store.add(.new())
            #expect(await iterator.next() != nil)
        }
    }

    @Test("is spoken to under TLS when the address says so")
    func tls() async throws {
        let database = try PostgresDatabase(.init(uri: try address() + "?sslmode=require", connections: 1))
        let rows = try await database.transaction(.read) {
            try $0.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl", [])
        }
        var row = try #require(rows.first)
        #expect(try row.text().hasPrefix("TLS"))
        await database.close()
    }

    @Test("whose password is wrong, or that is not there, is an error without the password")
    func secrets() async throws {
        let port = try #require(try address().firstMatch(of: /:(\d+)\//)).1
        for uri in [
            "postgresql://reelpool:hunter2@127.0.0.1:\(port)/postgres",
            "postgresql://reelpool:hunter2@127.0.0.1:1/postgres",
            "postgresql://reelpool:hunter2@127.0.0.1:\(port)/hunter2?connect_timeout=2",
        ] {
            let database = try PostgresDatabase(.init(uri: uri, connections: 1, patienceSeconds: 0.1))
            let error = await #expect(throws: StoreError.self) {
                try await SQLJobStore(database, policy: .test).migrate()
            }
            #expect(error?.code == .storeUnavailable)
            #expect(error?.detail?.isEmpty == false)
            #expect(!String(reflecting: error).contains("hunter2"), "\(String(reflecting: error))")
            await database.close()
        }
        let error = #expect(throws: StoreError.self) {
            _ = try PostgresDatabase(.init(uri: "postgresql://reelpool:hunter2@[::1/postgres?nonsense=hunter2"))
        }
        #expect(!String(reflecting: error).contains("hunter2"))
    }

    @Test("stops a statement that takes too long, and the next goes on")
    func timeout() async throws {
        let database = try PostgresDatabase(.init(uri: try address(), connections: 1, statementSeconds: 0.2))
        await #expect(throws: StoreError.self) {
            try await database.transaction(.read) { try $0.execute("SELECT pg_sleep(60)", []) }
        }
        #expect(try await database.transaction(.read) { try $0.execute("SELECT 1", []) }.count == 1)
        await database.close()
    }

    @Test("gives up transactions that block each other, and they are run again")
    func deadlock() async throws {
        try await StoreUnderTest.with(.postgres) { under in
            _ = try await under.query("CREATE TABLE pair (id bigint PRIMARY KEY, value bigint NOT NULL)")
            _ = try await under.query("INSERT INTO pair VALUES (1, 0), (2, 0)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for order in [[1, 2], [2, 1]] as [[Int64]] {
                    group.addTask {
                        for _ in 0..<3 {
                            try await under.database.transaction(.write) { session in
                                for id in order {
                                    try session.execute(
                                        "UPDATE pair SET value = value + 1 WHERE id = $1", [.integer(id)])
                                    try session.execute("SELECT pg_sleep(0.05)", [])
                                }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await under.number("SELECT CAST(sum(value) AS bigint) FROM pair") == 12)
        }
    }
}
