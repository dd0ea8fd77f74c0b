import Foundation
import Model
import PoolTestSupport
import SQLStore
import StorePostgres
import StoreSQLite
import Testing
import WorkerCore

/// What the suite is run against: SQLite always, Postgres where there is a server, and the control service that workers
/// without a database come by.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case sqlite = "SQLite"
    case postgres = "Postgres"
    case edge = "the control service"

    static let serverAddress = ProcessInfo.processInfo.environment["REELPOOL_TEST_POSTGRES"]
    static let hasServer = serverAddress != nil
    /// `PostgresServerTests` says by name what is left out for want of a server.
    static let databases: [StoreKind] = hasServer ? [.sqlite, .postgres] : [.sqlite]
    static let available: [StoreKind] = databases + [.edge]

    var testDescription: String { rawValue }
}

/// A store of its own for one test, with a way around it to the tables.
struct StoreUnderTest: Sendable {
    let store: any JobStore
    let database: any SQLDatabase
    /// Its own: the schema and the connections' name in Postgres, the file in SQLite.
    let name: String
    private let open: @Sendable () throws -> any SQLDatabase
    private let service: ControlService?
    private let direct: SQLJobStore

    /// The same store as another process would have it: with connections, and perhaps a policy, of its own.
    func another(_ policy: StorePolicy = .test) throws -> any JobStore {
        let direct = SQLJobStore(try open(), policy: policy)
        return if let service { EdgeStore(direct: direct, queue: try service.queue()) } else { direct }
    }

    static func with<Result: Sendable>(
        _ kind: StoreKind, _ policy: StorePolicy = .test, migrates: Bool = true,
        _ body: (StoreUnderTest) async throws -> Result
    ) async throws -> Result {
        switch kind {
        case .sqlite, .edge:
            let folder = NSTemporaryDirectory() + "reelpool-store-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            return try await withFile(
                folder + "/jobs.sqlite", policy, byService: kind == .edge, migrates: migrates, body)
        case .postgres:
            return try await with(
                address: try #require(StoreKind.serverAddress), policy, migrates: migrates, body)
        }
    }

    static func withFile<Result: Sendable>(
        _ path: String, _ policy: StorePolicy = .test, byService: Bool = false, migrates: Bool = true,
        _ body: (StoreUnderTest) async throws -> Result
    ) async throws -> Result {
        try await run(policy, path, byService: byService, migrates: migrates, body) {
            try SQLiteDatabase(path: path, options: .init(durability: .processDeath, busySeconds: 30))
        }
    }

    /// In a schema of its own.
    static func with<Result: Sendable>(
        address: String, _ policy: StorePolicy = .test, migrates: Bool = true,
        _ body: (StoreUnderTest) async throws -> Result
    ) async throws -> Result {
        let schema = "t" + UUID().uuidString.lowercased().replacing("-", with: "")
        let admin = try PostgresDatabase(.init(uri: address, connections: 1))
        _ = try await admin.transaction(.write) { try $0.execute("CREATE SCHEMA \(schema)", []) }
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(
                try await run(policy, schema, migrates: migrates, body) {
                    let settings = "?options=-csearch_path%3D\(schema)&application_name=\(schema)"
                    return try PostgresDatabase(.init(uri: address + settings, patienceSeconds: 30))
                })
        } catch { outcome = .failure(error) }
        _ = try await admin.transaction(.write) { try $0.execute("DROP SCHEMA \(schema) CASCADE", []) }
        await admin.close()
        return try outcome.get()
    }

    private static func run<Result>(
        _ policy: StorePolicy, _ name: String, byService: Bool = false, migrates: Bool = true,
        _ body: (StoreUnderTest) async throws -> Result, _ open: @escaping @Sendable () throws -> any SQLDatabase
    ) async throws -> Result {
        let database = try open()
        let direct = SQLJobStore(database, policy: policy)
        let service = byService ? try await ControlService(over: direct) : nil
        let store: any JobStore =
            if let service { EdgeStore(direct: direct, queue: try service.queue()) } else { direct }
        let under = StoreUnderTest(
            store: store, database: database, name: name, open: open, service: service, direct: direct)
        let outcome: Swift.Result<Result, any Error>
        do {
            if migrates { try await under.store.migrate() }
            outcome = .success(try await body(under))
        } catch { outcome = .failure(error) }
        await service?.stop()
        await database.close()
        return try outcome.get()
    }

    // MARK: Around the store

    func query(_ sql: String, _ parameters: SQLValue...) async throws -> [SQLRow] {
        try await database.transaction(.write) { try $0.execute(sql, parameters) }
    }

    func number(_ sql: String, _ parameters: SQLValue...) async throws -> Int {
        let rows = try await database.transaction(.write) { try $0.execute(sql, parameters) }
        var row = try #require(rows.first)
        return Int(try row.integer())
    }

    /// The books of the same store.
    var ledger: any LedgerStore { direct }

    /// What its renders are divided into.
    var chunks: any ChunkBoard { direct }

    /// A connection of its own to the same tables.
    func anotherDatabase() throws -> any SQLDatabase { try open() }

    /// Functions stay in Postgres when all tables are gone.
    func dropFunctions() async throws {
        guard database.dialect.hasFunctions else { return }
        let drops = try await query(
            """
            SELECT 'DROP FUNCTION ' || CAST(p.oid AS regprocedure) FROM pg_proc p
            WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
            """)
        for var drop in drops { _ = try await query(try drop.text()) }
    }

    /// As if so much time had gone by: everything that the store has noted happened that much earlier.
    func advance(seconds: Double) async throws {
        let by = SQLValue.integer(Int64(seconds * 1000))
        let moves = [
            """
            UPDATE jobs SET created_at = created_at - $1, available_at = available_at - $1,
                expires_at = expires_at - $1, started_at = started_at - $1, finished_at = finished_at - $1,
                lease_until = lease_until - $1
            """,
            "UPDATE notices SET available_at = available_at - $1",
            "UPDATE workers SET heartbeat_at = heartbeat_at - $1",
            "UPDATE attempts SET started_at = started_at - $1, ended_at = ended_at - $1",
            "UPDATE uploads SET begun_at = begun_at - $1",
            "UPDATE chunks SET until = until - $1, changed_at = changed_at - $1",
        ]
        try await database.transaction(.write) { session in
            for move in moves { try session.execute(move, [by]) }
        }
    }
}

extension StorePolicy {
    /// Every job that ends is told once, and pauses have no chance in them.
    static let test = StorePolicy(
        ownerLimits: [:], backoff: Backoff(baseSeconds: 10, capSeconds: 1000),
        noticesOfEnded: { [NewNotice(channel: "test", body: $0.state.rawValue)] }, random: { 0.5 })

    static func limited(running: Int, queued: Int = 1000) -> StorePolicy {
        var policy = StorePolicy.test
        policy.ownerLimits = Dictionary(
            uniqueKeysWithValues: JobKind.allCases.map { ($0, OwnerLimits(running: running, queued: queued)) })
        return policy
    }
}

// MARK: Words for tests

extension JobID {
    static func new() -> JobID {
        guard let id = JobID(UUID().uuidString) else { preconditionFailure("a UUID is the id of a job") }
        return id
    }
}

extension NewJob {
    static func new(
        _ kind: JobKind = .render, owner: String = "ann", _ change: (inout NewJob) -> Void = { _ in }
    ) -> NewJob {
        var job = NewJob(id: .new(), kind: kind, owner: owner, payload: "{}", ingress: .native)
        change(&job)
        return job
    }
}

extension JobStore {
    /// Inserts one job, which must be new.
    @discardableResult
    func add(_ job: NewJob) async throws -> JobID {
        #expect(try await insert([job]) == [.inserted(job.id)])
        return job.id
    }

    func claim(
        _ limit: Int = 1, worker: String = "w1", instance: String = "1", kinds: [JobKind] = [.render],
        memoryBytes: Int64 = 1 << 40, leaseSeconds: Double = 30, admits: Bool = false
    ) async throws -> [JobRecord] {
        try await claim(
            ClaimRequest(
                worker: worker, instance: instance, kinds: kinds, limit: limit, memoryBytes: memoryBytes,
                leaseSeconds: leaseSeconds, admits: admits))
    }

    func claimOne(worker: String = "w1", admits: Bool = false) async throws -> JobRecord {
        try #require(try await claim(1, worker: worker, admits: admits).first)
    }

    func finish(
        _ job: JobRecord, _ outcome: AttemptEnding.Outcome, worker: String = "w1"
    ) async throws -> FinishOutcome {
        try #require(
            try await finish([AttemptEnding(lease: job.lease, outcome: outcome)], worker: worker).first)
    }

    func state(_ id: JobID) async throws -> JobState? { try await job(id)?.state }

    func heartbeat(
        _ name: String, instance: String = "1", kinds: [JobKind] = [.render], memoryBytes: Int64 = 1 << 40,
        isDraining: Bool = false
    ) async throws {
        try await heartbeat(
            .worker(name, instance: instance, kinds: kinds, memoryBytes: memoryBytes, isDraining: isDraining))
    }
}

extension WorkerRecord {
    static func worker(
        _ name: String, instance: String = "1", kinds: [JobKind] = [.render], memoryBytes: Int64 = 1 << 40,
        isDraining: Bool = false
    ) -> WorkerRecord {
        WorkerRecord(
            name: name, instance: instance, kinds: kinds, slots: 1, busySlots: 0, memoryBytes: memoryBytes,
            isDraining: isDraining, version: "test")
    }
}

extension JobRecord {
    var lease: Lease { Lease(job: id, epoch: epoch) }
}

extension Failure {
    static let broken = Failure(code: .damagedMedia, message: "broken")
    static let away = Failure(code: .readFailed, message: "the store is away")
    static let stopped = Failure(code: .cancelled, message: "stopped")
    static let drained = Failure(code: .drained, message: "drained")
}
