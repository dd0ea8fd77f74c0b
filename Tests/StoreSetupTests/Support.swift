import Foundation
import HTTPTransfer
import PoolConfig
import PoolTestSupport
import S3
import StoreSetup
import Synchronization
import TestSupport

extension ObjectStore {
    static let origin = "https://app.example"

    /// What an operator would have in the environment.
    func environment(_ changes: [String: String] = [:]) throws -> [String: String] {
        let credentials = try Self.credentials
        return [
            "REELPOOL_S3_ENDPOINT": try url, "REELPOOL_S3_ACCESS_KEY": credentials.accessKey,
            "REELPOOL_S3_SECRET_KEY": credentials.secretKey, "REELPOOL_S3_BUCKET_RAW": "setup-raw",
            "REELPOOL_S3_BUCKET_EXPORTS": "setup-exports", "REELPOOL_S3_BUCKET_ASSETS": "setup-assets",
            "REELPOOL_S3_BROWSER_ORIGINS": Self.origin,
        ].merging(changes) { $1 }
    }

    func settings(_ changes: [String: String] = [:]) throws -> PoolSettings.ObjectStore {
        try PoolSettings.loadObjectStore(environment: try environment(changes))
    }

    func setUp(_ changes: [String: String] = [:]) throws -> [BucketSetup.Step] {
        let settings = try settings(changes)
        return BucketSetup(try StoreConnection(settings, userAgent: "test"), settings).run(stop: TransferStop())
    }

    private static let ready = Mutex<Set<ObjectStore>>([])

    /// The buckets of `environment`, for all tests: to make some takes SeaweedFS a moment.
    func setUpOnce() throws {
        try Self.ready.withLock { ready in
            guard !ready.contains(self) else { return }
            for step in try setUp() where step.outcome == .failed { throw CommandFailure(description: step.note) }
            ready.insert(self)
        }
    }

    func check(
        _ changes: [String: String] = [:], clockAheadSeconds: Double = 0, run: String = UUID().uuidString
    ) throws -> CheckReport {
        try setUpOnce()
        let settings = try settings(changes)
        var clock = S3Clock.system
        clock.wallSeconds = { S3Clock.system.wallSeconds() + clockAheadSeconds }
        return StoreCheck(
            try StoreConnection(settings, userAgent: "test"), settings, run: run, clock: clock
        ).run(stop: TransferStop())
    }

    /// The program itself, with nothing of the environment but what is given.
    func reelpool(_ words: [String], _ changes: [String: String] = [:]) throws -> CommandResult {
        let variables = try environment(changes).filter { !$0.value.isEmpty }.map { "\($0)=\($1)" }
        return try Command.run("env", ["-i"] + variables + [Fixture.program, "storage"] + words)
    }
}

extension CheckReport {
    func lines(_ outcome: Outcome) -> [Line] { lines.filter { $0.outcome == outcome } }

    /// What is wrong and what to do, of one thing that is wrong in all buckets.
    var complaint: String {
        let wrong = lines(.wrong)
        guard let first = wrong.first, wrong.allSatisfy({ $0.check == first.check }) else {
            return "not one thing is wrong: \(wrong)"
        }
        return "\(first.note ?? "") -> \(first.fix ?? "")"
    }
}
