import Model
import TestSupport
import Testing
import WorkerCore

@Suite("What becomes of a failed attempt")
struct FailurePolicyTests {
    private static let policy = FailurePolicy(backoff: Backoff(baseSeconds: 4, capSeconds: 60))

    private static func outcome(
        _ code: FailureCode, attempt: Int = 1, isOverflow: Bool = false, largest: Int64 = 0
    ) -> AttemptEnding.Outcome {
        var job = JobRecord.example
        (job.attempt, job.maxAttempts, job.isOverflow) = (attempt, 3, isOverflow)
        return policy.outcome(
            of: Failure(code: code, message: "why"), job: job,
            circumstances: .init(largestBudgetBytes: largest, memoryCapBytes: 1 << 30, random: 0.5))
    }

    @Test(
        "that another would not mend: none follows",
        arguments: [
            FailureCode.notMedia, .invalidEdit, .noDecoder, .encryptedMedia, .tooManyPixels, .wallTimeLimit,
            .noProgress,
        ])
    func permanent(code: FailureCode) {
        guard case .failed = Self.outcome(code) else {
            Issue.record("\(Self.outcome(code))")
            return
        }
    }

    @Test("by a dependency: again after a pause, until attempts are used up")
    func transient() {
        guard case .retry(_, let pause, false, nil) = Self.outcome(.readFailed, attempt: 2) else {
            Issue.record("no retry")
            return
        }
        #expect(pause == 4, "half of a bound that doubled once")
        guard case .dead = Self.outcome(.readFailed, attempt: 3) else {
            Issue.record("a fourth attempt")
            return
        }
    }

    @Test("by a crash: once more, elsewhere")
    func crash() {
        guard case .retry(_, 0, true, nil) = Self.outcome(.crashed) else {
            Issue.record("no second attempt elsewhere")
            return
        }
        guard case .dead = Self.outcome(.crashed, attempt: 2) else {
            Issue.record("a third attempt")
            return
        }
    }

    @Test("by its memory cap: once more on one thread, where a worker offers more")
    func memory() {
        guard case .retry(_, 0, false, .some(let overflow)) = Self.outcome(.memoryLimit, largest: 8 << 30) else {
            Issue.record("no overflow retry")
            return
        }
        #expect(overflow.memoryBytes == 8 << 30)
        for outcome in [
            Self.outcome(.memoryLimit, largest: 1 << 30),
            Self.outcome(.memoryLimit, isOverflow: true, largest: 8 << 30),
        ] {
            guard case .failed = outcome else {
                Issue.record("\(outcome)")
                continue
            }
        }
    }

    @Test("by a drain: again, and not counted; by its owner: never")
    func stopped() {
        guard case .interrupted = Self.outcome(.drained, attempt: 3), case .cancelled = Self.outcome(.cancelled) else {
            Issue.record("neither")
            return
        }
    }

    @Test("is decided for every code there is", arguments: FailureCode.allCases)
    func everyCode(code: FailureCode) {
        // A category without a disposition does not compile; a code without a category neither.
        let outcomes = (1...3).map { Self.outcome(code, attempt: $0, largest: 8 << 30) }
        guard case .retry = outcomes[2] else { return }
        #expect(code == .memoryLimit, "the last attempt is the last")
    }
}

@Suite("A pause between attempts")
struct BackoffTests {
    @Test("doubles its bound up to a cap")
    func bounds() {
        let backoff = Backoff(baseSeconds: 2, capSeconds: 60)
        #expect((1...8).map { backoff.pauseSeconds(afterAttempt: $0, unit: 1) } == [2, 4, 8, 16, 32, 60, 60, 60])
        #expect(backoff.pauseSeconds(afterAttempt: 5000, unit: 1) == 60)
        #expect(backoff.pauseSeconds(afterAttempt: 3, unit: 0) == 0)
    }
}

@Suite("The order of jobs")
struct FairShareTests {
    private struct Queue {
        var virtualTime = 0.0
        var finishes: [String: Double] = [:]
        var waiting: [(owner: String, tags: FairShare.Tags)] = []

        mutating func arrive(_ owner: String, tier: Tier = Tier(0), cost: Double = 60) {
            let tags = FairShare.tags(
                virtualTime: virtualTime, ownerFinish: finishes[owner], costSeconds: cost, tier: tier)
            finishes[owner] = tags.finish
            waiting.append((owner, tags))
        }

        mutating func take() -> String? {
            guard let best = waiting.indices.min(by: { waiting[$0].tags.order < waiting[$1].tags.order }) else {
                return nil
            }
            let job = waiting.remove(at: best)
            virtualTime = max(virtualTime, job.tags.start)
            return job.owner
        }
    }

    @Test("lets an owner who floods wait behind himself")
    func flood() {
        var queue = Queue()
        for _ in 0..<1000 { queue.arrive("flooder") }
        for _ in 0..<100 { _ = queue.take() }
        queue.arrive("other")
        let position = (1...900).first { _ in queue.take() == "other" }
        #expect(position ?? 900 <= 2)
    }

    @Test("alternates between owners who both have much to do")
    func alternates() {
        var queue = Queue()
        for _ in 0..<50 {
            queue.arrive("a")
            queue.arrive("b")
        }
        let taken = (0..<40).compactMap { _ in queue.take() }
        #expect(abs(taken.count { $0 == "a" } - 20) <= 1)
    }

    @Test("counts work, not jobs")
    func work() {
        var queue = Queue()
        for _ in 0..<200 {
            queue.arrive("long", cost: 300)
            queue.arrive("short", cost: 60)
        }
        let taken = (0..<120).compactMap { _ in queue.take() }
        let long = taken.count { $0 == "long" }
        #expect((18...22).contains(long), "\(long) long ones")
    }

    @Test("puts higher tiers first, and lets none starve")
    func tiers() {
        var queue = Queue()
        queue.arrive("viral", tier: .highest)
        queue.arrive("free")
        #expect(queue.take() == "viral", "the higher tier goes first")
        // From here on there is always somebody new of the highest tier; each brings a minute of work.
        var waited = 0
        queue.arrive("v0", tier: .highest)
        while let owner = queue.take(), owner != "free", waited < 1000 {
            waited += 1
            queue.arrive("v0", tier: .highest)
        }
        #expect((20...40).contains(waited), "half an hour of work, \(waited) jobs")
    }
}

extension JobRecord {
    /// Some job; tests change what matters to them.
    static var example: JobRecord {
        JobRecord(
            id: JobID("00000000-0000-4000-8000-000000000001").unsafelyUnwrapped, kind: .render, owner: "owner",
            tier: Tier(0), state: .running, payload: "{}", ingress: .native, reply: nil, progressRoute: nil,
            requestID: nil, attempt: 1, maxAttempts: 3, interruptions: 0, epoch: 1, leaseOwner: "w", leaseUntil: 0,
            isCancelRequested: false, createdAt: 0, availableAt: 0, expiresAt: nil, startedAt: 0, finishedAt: nil,
            costSeconds: 1, memoryBytes: 0, caps: JobCaps(), avoidedWorkers: [], isOverflow: false, result: nil,
            failure: nil)
    }
}
