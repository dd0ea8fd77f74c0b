import Model
import SQLStore
import Synchronization
import Testing
import WorkerCore

/// A database in which one statement is the last of its transaction.
final class CrashingDatabase: SQLDatabase {
    enum Crash: Sendable {
        /// As if the process ended there: nothing of the transaction stays, and nobody tries again.
        case process
        /// The server ends the connection, and the transaction is run again on another.
        case connection
    }

    struct Crashed: Error {}

    private struct State {
        var left: Int?
        var crash = Crash.process
    }

    private let base: any SQLDatabase
    private let state = Mutex(State())

    init(_ base: any SQLDatabase) { self.base = base }

    /// The next transactions end before their statement of this number, counted from 0; or before their commit, when they
    /// have but so many.
    func arm(_ number: Int, _ crash: Crash) { state.withLock { $0 = State(left: number, crash: crash) } }

    /// Whether it came to that.
    func disarm() -> Bool {
        state.withLock { state in
            defer { state.left = nil }
            return state.left == nil
        }
    }

    var dialect: Dialect { base.dialect }

    func transaction<Value: Sendable>(
        _ access: SQLAccess, _ body: @escaping @Sendable (any SQLSession) throws -> Value
    ) async throws(StoreError) -> Value {
        try await base.transaction(access) { [self] session in
            let watched = Session(base: session, database: self)
            let value = try body(watched)
            // Before the commit.
            try step(session)
            return value
        }
    }

    fileprivate func step(_ session: any SQLSession) throws {
        let crash = state.withLock { state -> Crash? in
            guard let left = state.left else { return nil }
            state.left = left == 0 ? nil : left - 1
            return left == 0 ? state.crash : nil
        }
        switch crash {
        case nil: return
        case .process: throw Crashed()
        case .connection: try session.execute("SELECT pg_terminate_backend(pg_backend_pid())", [])
        }
    }

    private struct Session: SQLSession {
        let base: any SQLSession
        let database: CrashingDatabase

        func execute(_ sql: String, _ parameters: [SQLValue]) throws -> [SQLRow] {
            try database.step(base)
            return try base.execute(sql, parameters)
        }

        func wake() { base.wake() }
    }

    func wakeUps() async -> AsyncStream<Void> { await base.wakeUps() }
    func close() async { await base.close() }
}

/// Dispatch and settlement, ended before each of their statements in turn.
// One at a time: each has connections of its own, and a server has so many.
@Suite("The ledger, ended between any two statements,", .serialized)
struct LedgerCrashTests {
    enum Operation: String, CaseIterable, Sendable {
        case dispatch, admission, charge, release, cancellation, requeue, grant
    }

    /// What one round works on.
    private struct Round {
        let operation: Operation
        let under: StoreUnderTest
        let job: NewJob
        var lease: JobRecord?

        init(_ operation: Operation, _ under: StoreUnderTest) async throws {
            (self.operation, self.under) = (operation, under)
            job = .paid(minutes: 5) {
                if operation == .admission { ($0.needsAdmission, $0.bound) = (true, nil) }
            }
            guard operation != .dispatch, operation != .grant else { return }
            try await under.store.add(job)
            switch operation {
            case .admission, .charge, .release: lease = try await under.store.claimOne(admits: true)
            case .requeue: _ = try await under.store.cancel(job.id)
            case .dispatch, .cancellation, .grant: break
            }
        }

        /// Whether this call did it.
        func perform(_ store: SQLJobStore) async throws -> Bool {
            switch operation {
            case .dispatch: return try await store.insert([job]) == [.inserted(job.id)]
            case .admission:
                guard let lease else { return false }
                let bound = MediaBound(resolution: .upTo1080, milliseconds: 300_000)
                return try await store.admit(
                    Admission(lease: lease.lease, costSeconds: 1, memoryBytes: 1, bound: bound))
            case .charge:
                guard let lease else { return false }
                return try await store.finish(lease, .rendered(seconds: 60)) == .accepted(.succeeded)
            case .release:
                guard let lease else { return false }
                return try await store.finish(lease, .failed(.broken)) == .accepted(.failed)
            case .cancellation: return try await store.cancel(job.id) == .cancelled
            case .requeue:
                if case .requeued = try await store.requeue(job.id) { return true }
                return false
            case .grant:
                if case .entered = try await store.grant(5, to: "ann", key: job.id.text, note: nil) { return true }
                return false
            }
        }

        /// What the owner has free is more by so many credits once it was done.
        var difference: Int64 {
            switch operation {
            case .dispatch, .admission, .requeue: -10
            case .charge: 8
            case .release, .cancellation: 10
            case .grant: 5
            }
        }

        /// So that later rounds find nothing of this one.
        func end() async throws {
            for job in try await under.store.jobs(JobFilter(limit: 100)) where !job.state.isFinal {
                _ = try await under.store.cancel(job.id)
            }
        }
    }

    private func free(_ under: StoreUnderTest) async throws -> Int64 {
        try await under.ledger.balance(of: "ann").available.value
    }

    @Test("does all of it or nothing", arguments: StoreKind.databases, Operation.allCases)
    func process(kind: StoreKind, operation: Operation) async throws {
        try await each(kind, operation, .process)
    }

    @Test(
        "does it once when the connection is lost and it is run again",
        .enabled(if: StoreKind.hasServer, "REELPOOL_TEST_POSTGRES names no server"), arguments: Operation.allCases)
    func connection(operation: Operation) async throws { try await each(.postgres, operation, .connection) }

    private func each(_ kind: StoreKind, _ operation: Operation, _ crash: CrashingDatabase.Crash) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            try await under.grant(1000)
            let database = CrashingDatabase(try under.anotherDatabase())
            let store = SQLJobStore(database, policy: .priced())
            var number = 0
            while number < 100 {
                let round = try await Round(operation, under)
                let before = try await free(under)
                database.arm(number, crash)
                let answer = await outcome { try await round.perform(store) }
                guard database.disarm() else {
                    #expect(answer == true)
                    break
                }
                switch crash {
                case .process:
                    #expect(answer == nil, "\(operation) before statement \(number)")
                    #expect(try await free(under) == before)
                    try await under.expectSound("\(operation) before statement \(number)")
                    #expect(try await round.perform(store), "\(operation) again, after statement \(number)")
                case .connection: #expect(answer == true, "\(operation) before statement \(number)")
                }
                #expect(try await free(under) == before + round.difference * 1_000_000)
                #expect(try await round.perform(store) == false, "a second time is none")
                #expect(try await free(under) == before + round.difference * 1_000_000)
                try await under.expectSound("\(operation) after statement \(number)")
                try await round.end()
                number += 1
            }
            #expect((4..<100).contains(number), "\(operation) has \(number) places to end")
            await store.close()
        }
    }

    private func outcome(_ body: () async throws -> Bool) async -> Bool? {
        do { return try await body() } catch { return nil }
    }
}
