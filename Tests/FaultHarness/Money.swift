import Foundation
import Model
import SQLStore
import WorkerCore

/// What work costs here, who can pay for it, and whether every credit is where it belongs in the end.
struct Money {
    /// Of these one sends as many jobs as the next.
    static let payers = (0..<5).map { "o\($0)" }
    /// Has never had any credit.
    static let poor = "poor"
    private static let purse: Int64 = 1_000_000_000_000
    static let card = """
        {"version": 1, "kinds": {"noop": {"per_job": "1"}, "probe": {"per_job": "0.25"}, "render": {"per_minute":
        {"audio": "1", "720p": "2", "1080p": "3", "1440p": "4", "2160p": "8"}}}}
        """

    let store: SQLJobStore

    func endow() async throws {
        guard let amount = MicroCredits(Self.purse) else { throw HarnessError("no such amount") }
        for owner in Self.payers { _ = try await store.grant(amount, to: owner, key: "purse/\(owner)", note: nil) }
    }

    /// What was asked for by whom has no credit ends so: its sources may have been looked at, no work was begun. Only looks
    /// that failed by what we did to them are counted as attempts.
    static func isRefusal(_ record: JobRecord, _ attempts: [AttemptRecord]) -> Bool {
        record.state == .failed && record.failure?.code == .insufficientCredit && record.startedAt == nil
            && record.attempt <= attempts.count { $0.failure != nil }
    }

    func look(_ records: [JobRecord], _ summary: inout Summary) async throws {
        if let fault = try await store.verify() {
            summary.problems.append("the books are wrong: not so that \(fault.rule) (\(fault.row))")
        }
        var spent: [String: Int64] = [:]
        for record in records {
            let entries = try await store.entries(of: record.id).map { "\($0.operation.rawValue) \($0.amount)" }
            let expected = Self.movements(of: record)
            if entries != expected {
                summary.problems.append("\(record.id) is \(record.state), and moved \(entries), not \(expected)")
            }
            spent[record.owner, default: 0] += record.charge?.value ?? 0
        }
        for owner in Self.payers + [Self.poor] {
            let given = owner == Self.poor ? 0 : Self.purse
            let balance = try await store.balance(of: owner)
            if balance.held != .zero || balance.available.value != given - spent[owner, default: 0] {
                summary.problems.append("\(owner) spent \(spent[owner, default: 0]), and has \(balance)")
            }
        }
        summary.spent = spent.values.reduce(0, +)
    }

    /// What succeeded is charged, and nothing else is.
    private static func movements(of record: JobRecord) -> [String] {
        guard record.owner != poor else { return [] }
        guard let held = record.quote?.amount, held > .zero else { return ["a price"] }
        guard record.state == .succeeded else { return ["hold \(held)", "release \(held)"] }
        guard let charge = record.charge, let rest = held.subtracting(charge), charge > .zero else {
            return ["hold \(held)", "a charge"]
        }
        return ["hold \(held)", "capture \(charge)"] + (rest > .zero ? ["release_rest \(rest)"] : [])
    }
}
