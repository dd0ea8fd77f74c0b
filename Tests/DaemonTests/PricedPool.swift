import Foundation
import Model
import PoolTestSupport
import SQLStore
import StoreSQLite
import TestSupport
import Testing
import WorkerCore

/// A pool where work has prices, and its books.
struct PricedPool: Sendable {
    let pool: RunningPool
    let store: SQLJobStore

    /// A minute of 720p is 2 credits, a job that does nothing 1; looking at something is free.
    private static let card = """
        {"version": 9, "kinds": {"noop": {"per_job": "1"}, "probe": {"per_job": "0"},
        "render": {"per_minute": {"720p": "2", "1080p": "3", "2160p": "8"}}}}
        """

    static func with(_ settings: [String: String] = [:], _ body: (PricedPool) async throws -> Void) async throws {
        let rates = FileManager.default.temporaryDirectory.path + "/reelpool-rates-\(UUID().uuidString).json"
        try card.write(toFile: rates, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: rates) }
        let own = ["REELPOOL_RATES": rates, "REELPOOL_KINDS": "noop,probe,render"]
        try await RunningPool.with(own.merging(settings) { $1 }) { pool in
            // As another process has it, which is what an operator's command is.
            let policy = StorePolicy(ownerLimits: [:], backoff: Backoff(baseSeconds: 1, capSeconds: 1))
            let store = SQLJobStore(
                try SQLiteDatabase(path: "\(pool.folder)/jobs.db", options: .init(busySeconds: 30)), policy: policy)
            do {
                try await body(PricedPool(pool: pool, store: store))
                let fault = try await store.verify()
                #expect(fault == nil)
                await store.close()
            } catch {
                await store.close()
                throw error
            }
        }
    }

    func grant(_ credits: Int64, to owner: String = "tester") async throws {
        let amount = try #require(MicroCredits(credits * 1_000_000))
        _ = try await store.grant(amount, to: owner, key: UUID().uuidString, note: nil)
    }

    /// Available and held.
    func credit(_ owner: String = "tester") async throws -> String {
        let balance = try await store.balance(of: owner)
        return "\(balance.available) \(balance.held)"
    }

    func moves(_ id: String) async throws -> [String] {
        let job = try #require(JobID(id))
        return try await store.entries(of: job).map { "\($0.operation.rawValue) \($0.amount)" }
    }

    /// What happened, but for what a capture left of its hold: that depends on how long the output came to be exactly.
    func operations(_ id: String) async throws -> [String] {
        let job = try #require(JobID(id))
        return try await store.entries(of: job).map(\.operation.rawValue).filter { $0 != "release_rest" }
    }

    /// A recording again and again, at a size that it names, so that its price is known without a look.
    static func edit(minutes: Int) -> JSONValue {
        guard var members = RunningPool.longEdit(minutes: minutes).objectValue else { return .null }
        members["settings"] = ["resolution": "720p"]
        return .object(members)
    }
}
