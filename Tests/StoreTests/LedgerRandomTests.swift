import Foundation
import Model
import SQLStore
import StoreEdge
import TestSupport
import Testing
import WorkerCore

/// Anything in any order, compared with a model at every answer; `make ledger-faults` does very much more of it.
@Suite("The ledger, whatever is done")
struct LedgerRandomTests {
    private static let environment = ProcessInfo.processInfo.environment
    static let operations = environment["REELPOOL_LEDGER_OPERATIONS"].flatMap(Int.init) ?? 600
    static let seed = environment["REELPOOL_SEED"].flatMap(UInt64.init) ?? .random(in: 1...1_000_000)
    /// Each of them in a store of its own; the seed of one that fails is that of a run's first.
    static let rounds: [(seed: UInt64, operations: Int)] = stride(from: 0, to: operations, by: 2000).enumerated()
        .map { (seed &+ UInt64($0), min(2000, operations - $1)) }

    /// What differs from the model after so many operations.
    private func run(
        _ kind: StoreKind, operations: Int, seed: UInt64, _ wrap: (any JobStore) -> any JobStore = { $0 }
    ) async throws -> [String] {
        try await StoreUnderTest.with(kind, LedgerClient.policy) { under in
            let others = try (0..<2).map { _ in try under.another(LedgerClient.policy) }
            var client = LedgerClient(
                stores: ([under.store] + others).map(wrap), under: under, random: SeededGenerator(seed: seed))
            for number in 1...operations {
                try await client.step()
                if number.isMultiple(of: 100) { try await client.look() }
                if !client.seen.differences.isEmpty { break }
            }
            try await client.look()
            for store in others { await store.close() }
            return client.seen.differences
        }
    }

    @Test("is as the model says", arguments: StoreKind.databases)
    func sequence(kind: StoreKind) async throws {
        for round in Self.rounds {
            let differences = try await run(kind, operations: round.operations, seed: round.seed)
            #expect(differences.isEmpty, "seed \(round.seed): \(differences.first ?? "")")
            if !differences.isEmpty { break }
        }
    }

    /// The control: without the fence by epoch the very same test must fail.
    @Test("is not, once stale workers are believed", arguments: StoreKind.databases)
    func withoutFence(kind: StoreKind) async throws {
        let differences = try await run(kind, operations: 1500, seed: Self.seed) { UnfencedStore(base: $0) }
        #expect(!differences.isEmpty, "seed \(Self.seed)")
    }

    @Test("is sound while many do it at once", arguments: StoreKind.databases)
    func together(kind: StoreKind) async throws {
        for round in Self.rounds { try await together(kind, operations: round.operations, seed: round.seed) }
    }

    private func together(_ kind: StoreKind, operations: Int, seed: UInt64) async throws {
        try await StoreUnderTest.with(kind, LedgerClient.policy) { under in
            let other = try under.another(LedgerClient.policy)
            let stores = [under.store, other]
            let rounds = max(1, operations / 6)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<6 {
                    let random = SeededGenerator(seed: seed &+ UInt64(number) &* 7919)
                    group.addTask {
                        // Its model knows nothing of the others: only what is there in the end is looked at.
                        var client = LedgerClient(stores: stores, under: under, random: random)
                        client.seen.grants = number * 1_000_000
                        for _ in 0..<rounds { try await client.step() }
                    }
                }
                try await group.waitForAll()
            }
            try await under.expectSound("seed \(seed)")
            try await Invariants.check(under, runningLimit: 4, "seed \(seed)")
            // What was given, less what jobs cost, is what is left; and what runs is what is held.
            for owner in LedgerClient.owners {
                let given = try await under.number(
                    """
                    SELECT CAST(coalesce(sum(CASE WHEN c.owner = $1 THEN e.amount ELSE -e.amount END), 0) AS bigint)
                    FROM ledger_entries e JOIN accounts d ON d.id = e.debit_account
                    JOIN accounts c ON c.id = e.credit_account
                    WHERE e.op IN ('grant', 'adjust') AND (c.owner = $1 OR d.owner = $1)
                    """, .text(owner))
                let cost = try await under.number(
                    "SELECT CAST(coalesce(sum(charge), 0) AS bigint) FROM jobs WHERE owner = $1", .text(owner))
                let holding = try await under.number(
                    """
                    SELECT CAST(coalesce(sum(price), 0) AS bigint) FROM jobs
                    WHERE owner = $1 AND hold IS NOT NULL AND finished_at IS NULL
                    """, .text(owner))
                let balance = try await under.ledger.balance(of: owner)
                #expect(Int(balance.available.value + balance.held.value) == given - cost, "seed \(seed)")
                #expect(Int(balance.held.value) == holding, "seed \(seed)")
            }
            await other.close()
        }
    }
}
