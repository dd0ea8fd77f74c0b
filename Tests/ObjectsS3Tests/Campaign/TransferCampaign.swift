import Foundation
import Model
import PoolTestSupport
import S3
import SQLStore
import TestSupport
import Testing
import WorkerCore

/// Many transfers on which things go wrong, several at a time, and a look at everything that is left.
struct TransferCampaign: Sendable {
    private static let atATime = 24

    var transfers: Int
    var seed: UInt64
    var trades = Trade.round
    var weakness = Weakness.none
    /// In place of those that the seed decides.
    var faults: [String]?

    struct Summary: Sendable {
        var results: [FaultyTransfer.Result] = []
        var problems: [String] = []
    }

    func run(in store: ObjectStore, _ certificate: TestCertificate) async throws -> Summary {
        var summary = Summary()
        try await Bench.with(store) { bench in
            let site = try await blocking {
                let block = randomBytes(9 * mebibyte + 8192, seed: seed)
                return try TransferSite(bench, certificate, seed: seed, block: block)
            }
            summary = try await run(at: site)
        }
        return summary
    }

    private func run(at site: TransferSite) async throws -> Summary {
        var summary = Summary()
        var next = 0
        try await withThrowingTaskGroup(of: FaultyTransfer.Result.self) { group in
            while next < transfers || !group.isEmpty {
                if next < transfers, next - summary.results.count < Self.atATime {
                    // Claimed one after the other, so that each has its own job.
                    let transfer = try await FaultyTransfer(
                        next, trades[next % trades.count], site, seed: seed &+ UInt64(next) &* 1009,
                        weakness: weakness, faults: faults)
                    group.addTask { try await transfer.run() }
                    next += 1
                } else if let result = try await group.next() {
                    summary.results.append(result)
                    try await Self.settle(result, site)
                }
            }
        }
        summary.problems = summary.results.compactMap { result in
            guard case .wrong(let what) = result.end else { return nil }
            let transfer = result.transfer
            return "\(site.store.rawValue) \(transfer.number), \(transfer.trade.rawValue): \(what) after "
                + result.faults.joined(separator: " ")
        }
        summary.problems += try await leftovers(summary, site)
        return summary
    }

    private static func settle(_ result: FaultyTransfer.Result, _ site: TransferSite) async throws {
        guard let job = result.transfer.job else { return }
        let lease = Lease(job: job.id, epoch: job.epoch)
        if case .whole = result.end {
            try await site.bench.end(lease, .succeeded("{}"))
        } else {
            try await site.bench.end(lease, Bench.failed)
        }
    }

    /// What a store has that it should not, and does not have that it should, after what a daemon does every few seconds.
    private func leftovers(_ summary: Summary, _ site: TransferSite) async throws -> [String] {
        // An hour later, for what an unanswered request may still have begun.
        let later = try Bench(site.store, site.bench.ledger, now: { Bench.now() + 3_600_000 })
        let expected = Set(
            summary.results.compactMap { result -> String? in
                guard result.transfer.trade.isOutput, case .whole = result.end else { return nil }
                return result.transfer.place.key
            })
        var (uploads, visible): ([String], Set<String>) = ([], [])
        var records = 0
        try? await eventually("nothing is left", within: .seconds(30)) {
            try await site.bench.sweep(later.objects)
            (uploads, visible) = try await blocking { (try site.leftUploads(), try site.visible()) }
            records = try await site.bench.ledger.leftUploads(limit: 1000).count
            return uploads.isEmpty && visible == expected && records == 0
        }
        func trades(_ keys: some Sequence<String>) -> String {
            keys.map { key in
                let result = summary.results.first { $0.transfer.place.key == key }
                return result.map { "\($0.transfer.number) \($0.end) after \($0.faults)" } ?? key
            }.joined(separator: "; ")
        }
        var problems: [String] = []
        let name = site.store.rawValue
        if !uploads.isEmpty { problems.append("\(name): uploads are left: \(trades(uploads))") }
        if visible != expected {
            problems.append(
                "\(name): of failed outputs there are: \(trades(visible.subtracting(expected))); "
                    + "and not there are: \(trades(expected.subtracting(visible)))")
        }
        if !uploads.isEmpty || visible != expected { problems += later.reports.all.suffix(10) }
        if records > 0 { problems.append("\(name): \(records) uploads are still on record") }
        return problems
    }
}

extension TransferCampaign.Summary {
    /// What happened, by fault and by kind of transfer.
    var text: String {
        var lines = ["| fault | times | in transfers | of these whole | failed |", "|---|---|---|---|---|"]
        let kinds = Set(results.flatMap(\.faults).map(Self.kind)).sorted()
        for kind in kinds {
            let hit = results.filter { $0.faults.contains { Self.kind($0) == kind } }
            let times = results.reduce(0) { $0 + $1.faults.count { Self.kind($0) == kind } }
            lines.append("| \(kind) | \(times) | \(hit.count) | \(hit.count(where: \.isWhole)) | \(Self.codes(hit)) |")
        }
        lines += ["", "| transfers | number | whole | failed | slowest, s |", "|---|---|---|---|---|"]
        for trade in Trade.allCases {
            let some = results.filter { $0.transfer.trade == trade }
            let slowest = ((some.map(\.seconds).max() ?? 0) * 10).rounded() / 10
            lines.append(
                "| \(trade.rawValue) | \(some.count) | \(some.count(where: \.isWhole)) | \(Self.codes(some)) | \(slowest) |"
            )
        }
        return lines.joined(separator: "\n")
    }

    private static func kind(_ fault: String) -> String {
        let words = fault.split(separator: ":")
        return words.first == "status" || words.first == "lost" ? words.prefix(2).joined(separator: " ") : "\(words[0])"
    }

    private static func codes(_ results: [FaultyTransfer.Result]) -> String {
        var counts: [String: Int] = [:]
        for result in results {
            switch result.end {
            case .whole: break
            case .failed(let code): counts[code.rawValue, default: 0] += 1
            case .wrong: counts["WRONG", default: 0] += 1
            }
        }
        return counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}

extension FaultyTransfer.Result {
    var isWhole: Bool { if case .whole = end { true } else { false } }
}
