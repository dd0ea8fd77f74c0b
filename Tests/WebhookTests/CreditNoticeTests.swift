import Envelopes
import Foundation
import Model
import SQLStore
import StoreSQLite
import Testing
import WorkerCore

/// That each job is paid for on one side only, whatever is configured and however it ends.
@Suite("Credit that comes back")
struct CreditNoticeTests {
    private static let rates = RateCard(version: 4, prices: [.noop: .perJob(MicroCredits(2_500_000) ?? .zero)])
    private static let price = "2.5"

    /// One way to bill a door, one to end, and what is charged.
    struct Case: Sendable, CustomTestStringConvertible {
        var ingress: Ingress
        var billing: Billing
        var charged: Set<FailureCategory>
        var testDescription: String { "\(ingress) \(billing) \(charged.map(\.rawValue))" }
    }

    private static let cases: [Case] = Ingress.allCases.flatMap { ingress in
        Billing.allCases.flatMap { billing in
            ([[], [.invalidInput], Set(FailureCategory.allCases)] as [Set<FailureCategory>]).map {
                Case(ingress: ingress, billing: billing, charged: $0)
            }
        }
    }

    private static let endings: [AttemptEnding.Outcome] = [
        .succeeded("{}"), .failed(Failure(code: .damagedMedia, message: "broken")),
        .failed(Failure(code: .memoryLimit, message: "too large")), .dead(Failure(code: .crashed, message: "crashed")),
        .cancelled(Failure(code: .cancelled, message: "stopped")),
    ]

    private static func store(_ folder: String, _ test: Case) async throws -> SQLJobStore {
        let told = CreditNotices(
            url: "https://app.example/credit", tellsProgress: true,
            charges: ChargePolicy(chargedFailures: test.charged))
        var policy = StorePolicy(
            ownerLimits: [:], backoff: Backoff(baseSeconds: 1, capSeconds: 1), noticesOfEnded: told.notices(ofEnded:))
        (policy.rates, policy.charges) = (rates, ChargePolicy(chargedFailures: test.charged))
        let store = SQLJobStore(try SQLiteDatabase(path: "\(folder)/jobs.db"), policy: policy)
        try await store.migrate()
        _ = try await store.grant(MicroCredits(1_000_000_000) ?? .zero, to: "ann", key: "start", note: nil)
        return store
    }

    /// As each door reads it.
    private static func arrival(_ test: Case, _ index: Int) throws -> NewJob {
        var rules = TaskRules()
        rules.billing = BillingRules([test.ingress: test.billing], rates: rates)
        let source: EnvelopeReader.Source
        let delivery: Delivery
        switch test.ingress {
        case .taskiq:
            source = .init(dialect: .taskiq, rules: rules)
            let body = #"{"task_id":"t\#(index)","task_name":"noop","args":[],"kwargs":{},"labels":{"owner":"ann"}}"#
            delivery = Delivery(queue: "q", body: Array(body.utf8))
        case .celery:
            source = .init(dialect: .celery, rules: rules)
            var made = Delivery(queue: "q", body: Array(#"[[],{"owner":"ann"},{}]"#.utf8))
            made.properties.headers = ["id": .text("t\(index)"), "task": .text("noop")]
            delivery = made
        case .native, .http, .cli:
            source = .init(ingress: test.ingress, rules: rules)
            let body = #"{"version":1,"idempotency_key":"t\#(index)","kind":"noop","owner":"ann","payload":{}}"#
            delivery = Delivery(queue: "q", body: Array(body.utf8))
        }
        return try EnvelopeReader(fallback: source).read(delivery, now: 0)
    }

    @Test("is told for what was paid elsewhere or held here, and never for both", arguments: cases)
    func oneSide(test: Case) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/reelpool-notices-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try await Self.store(folder, test)
        for (index, ending) in Self.endings.enumerated() {
            let job = try Self.arrival(test, index)
            #expect(job.ingress == test.ingress && job.billing == test.billing)
            _ = try await store.insert([job])
            let claimed = try await store.claim(
                ClaimRequest(worker: "w", kinds: [.noop], limit: 1, memoryBytes: 1, leaseSeconds: 60))
            _ = try await store.finish(
                claimed.map { AttemptEnding(lease: Lease(job: $0.id, epoch: $0.epoch), outcome: ending) }, worker: "w")
            let notices = try await store.takeNotices(limit: 9, seconds: 60)
            let told = try notices.map { try JSONValue(parsing: $0.body) }
            let moves = try await store.entries(of: job.id).map(\.operation)
            let category = ending.failure?.category
            let isCharged = category.map { test.charged.contains($0) } ?? true
            switch test.billing {
            case .off: #expect(moves.isEmpty && told.isEmpty)
            case .external:
                #expect(moves.isEmpty && told.count == (isCharged ? 0 : 2))
                #expect(told.allSatisfy { Self.type(of: $0).hasSuffix("refunded") })
            case .internal:
                #expect(moves == [.hold, isCharged ? .capture : .release] && told.count == (isCharged ? 0 : 2))
                #expect(told.allSatisfy { Self.type(of: $0).hasSuffix("released") })
            }
            for notice in told {
                let facts = notice["job"] ?? notice["credit"] ?? .null
                #expect(facts["job_id"] == .string(job.id.text) && facts["task_id"] == .string("t\(index)"))
                #expect(facts["owner"] == "ann" && facts["failure"]?["category"] == .text(category?.rawValue))
                #expect(facts["credits"] == (test.billing == .internal ? .string(Self.price) : .null))
            }
        }
        #expect(try await store.verify() == nil)
        await store.close()
    }

    private static func type(of notice: JSONValue) -> String {
        (notice["credit"]?["type"] ?? notice["type"])?.stringValue ?? ""
    }

    @Test("is the same each time it is told, and known by the job's own id")
    func identity() throws {
        var record = JobRecord.ended(project: "p1")
        (record.billing, record.state) = (.external, .dead)
        record.failure = Failure(code: .crashed, message: "crashed", detail: "for operators")
        let told = CreditNotices(url: "https://app.example/c", tellsProgress: true, charges: .onlySuccess)
        let notices = told.notices(ofEnded: record)
        #expect(notices.map(\.channel) == [WebhookNotice.channel, ForeignResults.channel])
        let sent = try [1, 2].map { id in
            try #require(
                WebhookNotice(Notice(id: id, job: record.id, channel: "webhook", body: notices[0].body, tries: 0)))
        }
        #expect(sent[0].body == sent[1].body && sent[0].id == record.id.text)
        let body = try JSONValue(parsing: sent[0].body)
        #expect(body["type"] == "credit.refunded" && body["id"] == .string(record.id.text))
        let write = try #require(CreditNotices.write(forBody: notices[1].body))
        let channels = write.operations.compactMap { operation -> String? in
            if case .publish(let channel, _) = operation { channel } else { nil }
        }
        #expect(channels == ["reelpool:job:\(record.id)", "project:p1:events"])
        #expect(!notices.contains { $0.body.contains("for operators") })
        // Nobody was debited for a retry of it.
        record.retryOf = record.id
        #expect(told.notices(ofEnded: record).isEmpty)
    }

    @Test("was never taken, where an owner could not pay: his job's last word is told all the same")
    func unpaid() throws {
        var record = JobRecord.ended(project: "p1")
        record.billing = .internal
        record.failure = Failure(code: .insufficientCredit, message: "too dear")
        let told = CreditNotices(url: "https://app.example/c", tellsProgress: true, charges: .onlySuccess)
        let notices = told.notices(ofEnded: record)
        #expect(notices.map(\.channel) == [ForeignResults.channel])
        let write = try #require(CreditNotices.write(forBody: notices[0].body))
        #expect(write.rule == .above && write.epoch == 3 && write.state == "failed")
        let events = try write.operations.compactMap { operation -> JSONValue? in
            guard case .publish(let channel, let value) = operation, channel == "project:p1:events" else { return nil }
            return try JSONValue(parsing: value)
        }
        #expect(events.first?["type"] == "export_failed" && events.first?["error"]?["code"] == "insufficient_credit")
    }

    @Test("belongs to somebody: what is paid for here is refused without an owner", arguments: Ingress.allCases)
    func ownerless(ingress: Ingress) throws {
        var rules = TaskRules()
        rules.billing = BillingRules([ingress: .internal], rates: Self.rates)
        var delivery = Delivery(queue: "q", body: Array(#"[[],{},{}]"#.utf8))
        var source = EnvelopeReader.Source(ingress: ingress, rules: rules)
        switch ingress {
        case .celery:
            delivery.properties.headers = ["id": .text("t"), "task": .text("noop")]
            source = .init(dialect: .celery, rules: rules)
        case .taskiq:
            delivery.body = Array(#"{"task_id":"t","task_name":"noop","args":[],"kwargs":{},"labels":{}}"#.utf8)
            source = .init(dialect: .taskiq, rules: rules)
        case .native, .http, .cli:
            delivery.body = Array(#"{"version":1,"idempotency_key":"t","kind":"noop","payload":{}}"#.utf8)
        }
        let reader = EnvelopeReader(fallback: source)
        #expect { try reader.read(delivery, now: 0) } throws: { ($0 as? EnvelopeError)?.reason == .missingOwner }
    }
}

extension AttemptEnding.Outcome {
    fileprivate var failure: Failure? {
        switch self {
        case .succeeded: nil
        case .failed(let failure), .interrupted(let failure), .dead(let failure), .cancelled(let failure): failure
        case .retry(let failure, _, _, _): failure
        }
    }
}

extension JobRecord {
    fileprivate static func ended(project: String) -> JobRecord {
        let id = JobID("0e984725-c51c-4bf4-9960-e1c80e27aba0")
        guard let id else { preconditionFailure("an id of a test") }
        return JobRecord(
            id: id, kind: .render, owner: "ann", tier: Tier(0), state: .failed, payload: "{}", ingress: .native,
            reply: nil, progressRoute: ProgressRoute(project: project).json.text, requestID: nil, attempt: 1,
            maxAttempts: 1, interruptions: 0, epoch: 3, leaseOwner: nil, leaseUntil: nil, isCancelRequested: false,
            createdAt: 1, availableAt: 1, expiresAt: nil, startedAt: 2, finishedAt: 3, costSeconds: 1, memoryBytes: 0,
            caps: JobCaps(), avoidedWorkers: [], isOverflow: false, result: nil, failure: nil)
    }
}
