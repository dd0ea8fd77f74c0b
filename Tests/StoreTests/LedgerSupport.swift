import Model
import SQLStore
import Testing
import WorkerCore

extension MicroCredits: ExpressibleByIntegerLiteral {
    /// Whole credits.
    package init(integerLiteral value: Int64) {
        guard let amount = MicroCredits(value * 1_000_000) else { preconditionFailure("an amount of a test") }
        self = amount
    }
}

extension RateCard {
    /// A render is 2 a minute and at least 1, a proxy 3, a probe nothing; an analysis has no price.
    static let test = RateCard(
        version: 1,
        prices: [
            .render: .perMinute([.upTo1080: 2, .audio: 1], minutes: .measured, least: 1), .proxy: .perJob(3),
            .probe: .perJob(0),
        ])
}

extension StorePolicy {
    static func priced(
        charging: Set<FailureCategory> = [], running: Int = 1000, _ change: (inout StorePolicy) -> Void = { _ in }
    ) -> StorePolicy {
        var policy = StorePolicy.limited(running: running)
        policy.rates = .test
        policy.charges = ChargePolicy(chargedFailures: charging)
        change(&policy)
        return policy
    }
}

extension NewJob {
    /// A render that may come to so many minutes, paid for here: 2 credits for each.
    static func paid(
        minutes: Int64 = 5, owner: String = "ann", _ change: (inout NewJob) -> Void = { _ in }
    ) -> NewJob {
        .new(.render, owner: owner) { job in
            job.billing = .internal
            job.bound = MediaBound(resolution: .upTo1080, milliseconds: minutes * 60_000)
            change(&job)
        }
    }
}

extension StoreUnderTest {
    func grant(_ amount: MicroCredits, to owner: String = "ann") async throws {
        let outcome = try await ledger.grant(amount, to: owner, key: "test-\(JobID.new())", note: nil)
        guard case .entered = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    /// Available and held, as text.
    func credit(_ owner: String = "ann") async throws -> String {
        let balance = try await ledger.balance(of: owner)
        return "\(balance.available) \(balance.held)"
    }

    /// What happened to a job's money.
    func moves(_ job: JobID) async throws -> [String] {
        try await ledger.entries(of: job).map { "\($0.operation.rawValue) \($0.amount)" }
    }

    func expectSound(_ comment: Comment? = nil) async throws {
        let fault = try await ledger.verify()
        #expect(fault == nil, comment)
    }
}

extension AttemptEnding.Outcome {
    /// A success that measured so much, as workers tell it.
    static func rendered(seconds: Double) -> Self {
        .succeeded(
            """
            {"report":{"duration_seconds":\(seconds),"elapsed_seconds":1.5,"size_bytes":1000,
            "video":{"width":1920,"height":1080,"frames":50}},"outputs":{"a.mp4":"/a.mp4"}}
            """)
    }
}
