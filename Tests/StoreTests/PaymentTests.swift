import Model
import SQLStore
import TestSupport
import Testing
import WorkerCore

/// Payments that become credit, and refunds that take it back.
// One at a time: each has connections of its own, and a server has so many.
@Suite("Payments", .serialized)
struct PaymentTests {
    private static func paid(
        _ session: String = "cs_1", intent: String? = "pi_1", owner: String = "ann", credits: MicroCredits = 100
    ) -> PaidSession {
        PaidSession(session: session, paymentIntent: intent, owner: owner, credits: credits)
    }

    private static func refund(
        _ refunded: Int64, of charged: Int64 = 1000, intent: String = "pi_1"
    ) throws -> ChargeRefund {
        try #require(ChargeRefund(paymentIntent: intent, charged: charged, refunded: refunded))
    }

    @Test("grant once for a session, however often and whatever they would grant later", arguments: StoreKind.databases)
    func once(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            guard case .entered(let entry, nil) = try await under.payments.payIn(Self.paid()) else {
                Issue.record("nothing was granted")
                return
            }
            #expect(try await under.payments.payIn(Self.paid()) == .already(entry))
            #expect(try await under.payments.payIn(Self.paid(credits: 50)) == .already(entry))
            #expect(try await under.payments.payIn(Self.paid(intent: nil)) == .already(entry))
            #expect(try await under.credit() == "100 0")
            let free = Self.paid("cs_2", intent: nil, credits: 7)
            guard case .entered(let second, nil) = try await under.payments.payIn(free) else {
                Issue.record("nothing was granted for what cost nothing")
                return
            }
            #expect(try await under.payments.payIn(free) == .already(second))
            #expect(try await under.credit() == "107 0")
            let line = try #require(try await under.ledger.statement(of: "ann", before: nil, limit: 9).last)
            #expect(line.entry.key == "grant/stripe:cs_1" && line.entry.operation == .grant)
            try await under.expectSound()
        }
    }

    @Test("that cannot be are refused, and leave nothing", arguments: StoreKind.databases)
    func invalid(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let long = String(repeating: "x", count: 201)
            let wrong = [
                Self.paid(credits: 0), Self.paid(owner: ""), Self.paid(owner: long), Self.paid(""), Self.paid(long),
                Self.paid(intent: long),
            ]
            for paid in wrong {
                let outcome = try await under.payments.payIn(paid)
                #expect(outcome == .invalid, "\(paid)")
            }
            let kept = try await under.number("SELECT count(*) FROM stripe_payments")
            #expect(kept == 0)
            #expect(ChargeRefund(paymentIntent: "p", charged: 0, refunded: 0) == nil)
            #expect(ChargeRefund(paymentIntent: "p", charged: 5, refunded: 6) == nil)
            #expect(ChargeRefund(paymentIntent: "p", charged: 5, refunded: -1) == nil)
        }
    }

    @Test("that come many times at once grant once", arguments: StoreKind.databases)
    func together(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let stores = try (0..<4).map { _ in try under.anotherPayments() }
            let outcomes = try await withThrowingTaskGroup(of: PayInOutcome.self) { group in
                for index in 0..<16 {
                    let store = stores[index % stores.count]
                    // With the payment's name or without: two ways to the same row.
                    let paid = Self.paid("cs_\(index % 2)", intent: "pi_\(index % 2)")
                    group.addTask { try await store.store.payIn(paid) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let new = outcomes.filter { if case .entered = $0 { true } else { false } }
            #expect(new.count == 2 && outcomes.allSatisfy { $0 != .invalid })
            #expect(try await under.credit() == "200 0")
            for store in stores { await store.close() }
            try await under.expectSound()
        }
    }

    @Test(
        "that were granted by hand are not granted again, and are refunded all the same", arguments: StoreKind.databases
    )
    func byHand(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let outcome = try await under.ledger.grant(90, to: "ann", key: Self.paid().key, note: nil)
            guard case .entered(let entry) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(try await under.payments.payIn(Self.paid()) == .already(entry))
            #expect(try await under.payments.refund(Self.refund(1000)) == .taken(90, short: 0))
            #expect(try await under.credit() == "0 0")
        }
    }

    @Test("given back in parts take back in parts, each total once and in any order", arguments: StoreKind.databases)
    func parts(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.payments.payIn(Self.paid())
            #expect(try await under.payments.refund(Self.refund(250)) == .taken(25, short: 0))
            #expect(try await under.payments.refund(Self.refund(250)) == .already)
            #expect(try await under.payments.refund(Self.refund(600)) == .taken(35, short: 0))
            // An earlier event that comes late.
            #expect(try await under.payments.refund(Self.refund(400)) == .already)
            #expect(try await under.credit() == "40 0")
            #expect(try await under.payments.refund(Self.refund(1000)) == .taken(40, short: 0))
            #expect(try await under.payments.refund(Self.refund(1000)) == .already)
            #expect(try await under.credit() == "0 0")
            let notes = try await under.ledger.statement(of: "ann", before: nil, limit: 9).map(\.entry.note)
            #expect(notes.first == "Stripe: 1000 of 1000 refunded")
            try await under.expectSound()
        }
    }

    @Test("given back in uneven parts come to the whole, not to a millionth more", arguments: StoreKind.databases)
    func rounding(kind: StoreKind) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        var totals: Set<Int64> = [999]
        for _ in 0..<20 { totals.insert(Int64.random(in: 1..<999, using: &random)) }
        let order = totals.sorted()
        try await StoreUnderTest.with(kind) { under in
            let amount = try #require(MicroCredits(text: "100.000007"))
            _ = try await under.payments.payIn(Self.paid(credits: amount))
            var sum = MicroCredits.zero
            for total in order {
                guard case .taken(let taken, 0) = try await under.payments.refund(Self.refund(total, of: 999)) else {
                    Issue.record("seed \(seed), total \(total)")
                    return
                }
                sum = sum.adding(taken) ?? .zero
            }
            #expect(sum == amount, "seed \(seed)")
            #expect(try await under.credit() == "0 0", "seed \(seed)")
        }
    }

    @Test("given back when they were spent take what is free, and note the rest", arguments: StoreKind.databases)
    func short(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind, .priced()) { under in
            _ = try await under.payments.payIn(Self.paid())
            _ = try await under.ledger.adjust("ann", by: -70, key: "spent", note: nil)
            _ = try await under.store.add(.paid(minutes: 5))
            #expect(try await under.credit() == "20 10")
            #expect(try await under.payments.refund(Self.refund(500)) == .taken(20, short: 30))
            let line = try #require(try await under.ledger.statement(of: "ann", before: nil, limit: 1).first)
            #expect(line.entry.note == "Stripe: 500 of 1000 refunded; 30 had been spent")
            #expect(try await under.credit() == "0 10")
            // What came of another payment does not answer for what was short.
            _ = try await under.payments.payIn(Self.paid("cs_2", intent: "pi_2", credits: 8))
            #expect(try await under.payments.refund(Self.refund(500)) == .already)
            #expect(try await under.payments.refund(Self.refund(600)) == .taken(8, short: 2))
            #expect(try await under.payments.refund(Self.refund(700)) == .taken(0, short: 10))
            #expect(try await under.number("SELECT short FROM stripe_payments WHERE session = 'cs_1'") == 42_000_000)
            try await under.expectSound()
        }
    }

    @Test("that were reversed by hand are not taken back twice", arguments: StoreKind.databases)
    func reversed(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            guard case .entered(let entry, _) = try await under.payments.payIn(Self.paid()) else {
                Issue.record("nothing was granted")
                return
            }
            _ = try await under.ledger.reverse(entry, amount: 80, key: "by hand", note: nil)
            try await under.grant(500)
            #expect(try await under.payments.refund(Self.refund(1000)) == .taken(20, short: 0))
            #expect(try await under.credit() == "500 0")
        }
    }

    @Test("that are given back before they are known come to nothing", arguments: StoreKind.databases)
    func before(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            #expect(try await under.payments.refund(Self.refund(300)) == .kept)
            #expect(try await under.payments.refund(Self.refund(300)) == .already)
            #expect(try await under.payments.refund(Self.refund(500)) == .kept)
            guard case .entered(_, let refund) = try await under.payments.payIn(Self.paid()) else {
                Issue.record("nothing was granted")
                return
            }
            #expect(refund == .taken(50, short: 0))
            #expect(try await under.credit() == "50 0")
            #expect(try await under.payments.refund(Self.refund(1000)) == .taken(50, short: 0))
            #expect(try await under.credit() == "0 0")
            try await under.expectSound()
        }
    }

    @Test("and refunds at once end the same in whatever order", arguments: StoreKind.databases)
    func race(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            let stores = try (0..<3).map { _ in try under.anotherPayments() }
            for round in 0..<5 {
                let (session, intent) = ("cs_\(round)", "pi_\(round)")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (index, store) in stores.enumerated() {
                        group.addTask { _ = try await store.store.payIn(Self.paid(session, intent: intent)) }
                        let refund = try Self.refund(Int64(index + 1) * 200, intent: intent)
                        group.addTask { _ = try await store.store.refund(refund) }
                    }
                    try await group.waitForAll()
                }
                #expect(try await under.credit() == "\((round + 1) * 40) 0")
            }
            for store in stores { await store.close() }
            try await under.expectSound()
        }
    }

    @Test("stay on record as they are", arguments: StoreKind.databases)
    func guards(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.payments.payIn(Self.paid())
            _ = try await under.payments.refund(Self.refund(500))
            let statements = [
                "DELETE FROM stripe_payments", "UPDATE stripe_payments SET refunded = 400",
                "UPDATE stripe_payments SET refunded = 1001", "UPDATE stripe_payments SET entry = 7",
                "UPDATE stripe_payments SET entry = NULL", "UPDATE stripe_payments SET session = 'cs_9'",
                "UPDATE stripe_payments SET payment_intent = 'pi_9'",
                "INSERT INTO stripe_payments (charged) VALUES (1)",
                "INSERT INTO stripe_payments (payment_intent, entry) VALUES ('pi_3', 1)",
                "INSERT INTO stripe_payments (payment_intent) VALUES ('pi_1')",
            ]
            for statement in statements {
                await #expect(throws: StoreError.self, "\(statement)") { _ = try await under.query(statement) }
            }
            #expect(try await under.payments.refund(Self.refund(500)) == .already)
        }
    }

    @Test("of an erased owner are refunded from what his pseudonym has", arguments: StoreKind.databases)
    func erased(kind: StoreKind) async throws {
        try await StoreUnderTest.with(kind) { under in
            _ = try await under.payments.payIn(Self.paid())
            guard case .erased(let pseudonym) = try await under.ledger.erase("ann") else {
                Issue.record("not erased")
                return
            }
            #expect(try await under.payments.refund(Self.refund(1000)) == .taken(100, short: 0))
            #expect(try await under.credit(pseudonym) == "0 0")
            try await under.expectSound()
        }
    }
}

/// The same store with connections of its own.
struct OtherPayments: Sendable {
    let store: SQLJobStore
    func close() async { await store.close() }
}

extension StoreUnderTest {
    var payments: any PaymentStore { SQLJobStore(database, policy: .test) }

    func anotherPayments() throws -> OtherPayments {
        OtherPayments(store: SQLJobStore(try anotherDatabase(), policy: .test))
    }
}
