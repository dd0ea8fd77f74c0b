import Foundation
import PoolTestSupport
import TestSupport
import Testing

/// `make transfer-faults TRANSFERS=… SEED=…` does more of it.
@Suite("Transfers", .enabled(if: ObjectStore.areThere, "\(ObjectStore.absence)"))
struct TransferCampaignTests {
    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }

    private static func withCertificate<Value: Sendable>(
        _ body: (TestCertificate) async throws -> Value
    ) async throws -> Value {
        let folder = NSTemporaryDirectory() + "reelpool-transfers-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(try TestCertificate(in: folder))
    }

    @Test("on which things go wrong are whole, or fail as they should, and leave nothing")
    func campaign() async throws {
        let transfers = Int(Self.number("REELPOOL_TRANSFERS") ?? 320)
        let seed = Self.number("REELPOOL_SEED") ?? newSeed()
        print("\(transfers) transfers, seed \(seed)")
        let begin = ContinuousClock.now
        let summaries = try await Self.withCertificate { certificate in
            async let one = TransferCampaign(transfers: transfers / 2, seed: seed).run(in: .seaweedfs, certificate)
            let other = try await TransferCampaign(transfers: transfers - transfers / 2, seed: seed &+ 500_009)
                .run(in: .juicefs, certificate)
            return [try await one, other]
        }
        let all = TransferCampaign.Summary(
            results: summaries.flatMap(\.results), problems: summaries.flatMap(\.problems))
        print(all.text)
        print("seed \(seed), \(Int((ContinuousClock.now - begin) / .seconds(1))) s")
        for problem in all.problems { Issue.record("seed \(seed): \(problem)") }
        #expect(all.results.count == transfers)
        #expect(all.results.count { !$0.faults.isEmpty } >= transfers * 15 / 16, "things have to go wrong")
        #expect(all.results.count(where: \.isWhole) > transfers / 3)
        #expect(all.results.count { !$0.isWhole } > 0)
    }

    /// What a campaign says when protection is taken away.
    private static func problems(_ campaign: TransferCampaign) async throws -> [String] {
        try await withCertificate { try await campaign.run(in: .seaweedfs, $0).problems }
    }

    @Test("of which nobody checked the bytes would be noticed")
    func uncheckedBodies() async throws {
        let faults = ["pass", "flip"]
        var campaign = TransferCampaign(transfers: 3, seed: 1, trades: [.small], faults: faults)
        #expect(try await Self.problems(campaign) == [], "they are checked")
        campaign.weakness = .unchecked
        let noticed = try await Self.problems(campaign)
        #expect(noticed.count { $0.contains("other bytes") } == 3, "\(noticed)")
    }

    @Test("that mix two versions would be noticed")
    func mixtures() async throws {
        var campaign = TransferCampaign(transfers: 6, seed: 2, trades: [.replaced], faults: ["delay:0.01"])
        #expect(try await Self.problems(campaign) == [], "they say which version they are of")
        campaign.weakness = .anyVersion
        let noticed = try await Self.problems(campaign)
        #expect(noticed.count { $0.contains("other bytes") } > 0, "\(noticed)")
    }
}
