import Foundation
import Model
import PoolTestSupport
import TestSupport
import Testing

/// Top-ups: signed events over HTTP to a real daemon.
@Suite("Stripe's events")
struct StripeTests {
    @Test("make credit of what was paid, once, and take it back in parts")
    func topUp() async throws {
        try await StripeShop.with { shop in
            try await shop.order(["sessions": ["cs_1": [["price_small", 2], ["price_large", 1], ["price_mug", 3]]]])
            #expect(try await shop.outcome(StripeShop.checkout("cs_1", status: "unpaid")) == "200 ignored")
            #expect(try await shop.free() == "0")
            let paid = StripeShop.checkout("cs_1")
            #expect(try await shop.outcome(paid) == "200 granted")
            #expect(try await shop.free() == "75.5")
            #expect(try await shop.outcome(paid) == "200 already")
            let later = StripeShop.checkout("cs_1", type: "checkout.session.async_payment_succeeded")
            #expect(try await shop.outcome(later) == "200 already")
            #expect(try await shop.free() == "75.5")
            #expect(try await shop.outcome(StripeShop.refunded("cs_1", 200)) == "200 refunded")
            #expect(try await shop.free() == "60.4")
            #expect(try await shop.outcome(StripeShop.refunded("cs_1", 200)) == "200 already")
            #expect(try await shop.outcome(StripeShop.refunded("cs_1", 1000)) == "200 refunded")
            #expect(try await shop.free() == "0")
            let statement = try await shop.pool.get("/v1/credits/ann/statement").json
            let keys = statement["entries"]?.arrayValue?.compactMap { $0["operation"]?.stringValue }
            #expect(keys == ["reversal", "reversal", "grant"])
        }
    }

    @Test("are believed only with a signature of now, by any of the secrets in use")
    func signatures() async throws {
        try await StripeShop.with(command: ["worker", "--kinds", "noop"]) { shop in
            let now = StripeShop.now()
            let payload = StripeShop.checkout("cs_1", items: [("price_small", 1)])
            let right = try await StripeShop.code(payload, at: now)
            let other = try await StripeShop.code(payload, at: now, secret: "whsec_another_secret_of_old")
            let old = try await StripeShop.code(payload, at: now - 400)
            let early = try await StripeShop.code(payload, at: now + 600)
            let wrong = [
                "t=\(now),v1=\(other)", "t=\(now - 400),v1=\(old)", "t=\(now + 600),v1=\(early)",
                "t=\(now - 400),v1=\(right)", "t=\(now),v0=\(right)", "v1=\(right)", "t=\(now)", "",
                "t=\(now),t=\(now),v1=\(right)", "t=\(now),v1=\(right.dropLast())\(right.hasSuffix("0") ? 1 : 0)",
                "t=\(now),v1=\(right.dropLast(2))", "t=\(now),v1=", "t=x,v1=\(right)",
            ]
            for header in wrong {
                let answer = try await shop.send(payload, signature: header)
                #expect(answer.status == 400 && answer.json["code"] == "invalid_signature", "\(header): \(answer.body)")
            }
            let changed = try await shop.send(payload + " ", signature: "t=\(now),v1=\(right)")
            #expect(changed.status == 400)
            #expect(try await shop.free() == "0")
            // While a secret is changed there are two codes, and codes of schemes to come.
            let both = "t=\(now),v1=\(other),v1=\(right),v0=\(other),v2=x"
            #expect(try await shop.send(payload, signature: both).json["outcome"] == "granted")
            // Word for word once more.
            #expect(try await shop.send(payload, signature: both).json["outcome"] == "already")
            #expect(try await shop.free() == "10")
        }
    }

    @Test("that come many times at once grant once")
    func together() async throws {
        try await StripeShop.with { shop in
            try await shop.order(["sessions": ["cs_1": [["price_large", 2]]]])
            let payloads = (0..<8).map { number in
                StripeShop.checkout(
                    "cs_1",
                    type: number % 2 == 0 ? "checkout.session.completed" : "checkout.session.async_payment_succeeded")
            }
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for payload in payloads { group.addTask { try await shop.outcome(payload) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == "200 granted" }.count == 1, "\(outcomes)")
            #expect(outcomes.filter { $0 == "200 already" }.count == 7, "\(outcomes)")
            #expect(try await shop.free() == "111")
        }
    }

    @Test("of a refund that comes first are kept for their payment")
    func refundFirst() async throws {
        try await StripeShop.with { shop in
            let kept = try await shop.outcome(StripeShop.refunded("cs_1", 500))
            #expect(kept == "200 kept")
            let payload = StripeShop.checkout("cs_1", items: [("price_small", 4)])
            #expect(try await shop.outcome(payload) == "200 granted")
            #expect(try await shop.free() == "20")
        }
    }

    @Test("of a refund take what is free, and say in the log what had been spent")
    func short() async throws {
        try await StripeShop.with { shop in
            let payload = StripeShop.checkout("cs_1", items: [("price_small", 4)])
            #expect(try await shop.outcome(payload) == "200 granted")
            let database = "REELPOOL_DATABASE=sqlite:\(shop.pool.folder)/jobs.db"
            let words = [database, Fixture.program, "credits", "adjust", "ann", "--by", "-35", "--key", "spent"]
            _ = try await blocking { try Command.output("env", words) }
            #expect(try await shop.outcome(StripeShop.refunded("cs_1", 500)) == "200 refunded")
            #expect(try await shop.free() == "0")
            let line = try shop.pool.logged().first { $0["short"]?.stringValue == "15" }
            #expect(line?["level"] == "warning" && line?["credits"] == "5")
        }
    }

    @Test("wait for Stripe's interface, and for prices that are not configured yet")
    func later() async throws {
        try await StripeShop.with { shop in
            let bought: JSONValue = [
                "cs_1": [["price_small", 1], ["price_small", 2], ["price_large", 1], ["price_small", 3]],
                "cs_2": [["price_new", 1]],
            ]
            try await shop.order(["sessions": bought, "failures": 1, "page": 2])
            let payload = StripeShop.checkout("cs_1")
            #expect(try await shop.outcome(payload) == "503 transfer_failed")
            #expect(try await shop.free() == "0")
            #expect(try await shop.outcome(payload) == "200 granted")
            #expect(try await shop.asked() == 3, "one that failed, and two pages")
            #expect(try await shop.free() == "115.5")
            #expect(try await shop.outcome(StripeShop.checkout("cs_2")) == "422 unknown_price")
            #expect(try await shop.outcome(StripeShop.checkout("cs_3")) == "503 transfer_failed")
            try await shop.order(["key": "rk_of_somebody_else"])
            #expect(try await shop.outcome(StripeShop.checkout("cs_1b")) == "503 transfer_failed")
            #expect(try await shop.free() == "115.5")
        }
    }

    @Test("that concern no credit are taken, and those that no repetition mends are told an operator")
    func others() async throws {
        try await StripeShop.with { shop in
            let cases: [(String, String)] = [
                (StripeShop.event("customer.created", ["id": "cus_1"]), "200 ignored"),
                (StripeShop.checkout("cs_1", more: ["mode": "subscription"]), "200 ignored"),
                (StripeShop.checkout("cs_2", items: [("price_mug", 2)]), "200 ignored"),
                (StripeShop.checkout("cs_3", owner: nil, items: [("price_small", 1)]), "200 unusable"),
                (
                    StripeShop.checkout("cs_4", owner: String(repeating: "x", count: 201), items: [("price_small", 1)]),
                    "200 unusable"
                ),
                (StripeShop.event("charge.refunded", ["id": "ch_1", "payment_intent": .null]), "200 ignored"),
                ("{}", "400 invalid_json"), ("nothing", "400 invalid_json"),
                (
                    StripeShop.checkout(
                        "cs_5", owner: nil, items: [("price_small", 1)],
                        more: ["metadata": ["owner": "b/o b"], "payment_intent": .null]), "200 granted"
                ),
                (
                    StripeShop.checkout("cs_6", status: "no_payment_required", items: [("price_small", 1)]),
                    "200 granted"
                ),
            ]
            for (payload, outcome) in cases { #expect(try await shop.outcome(payload) == outcome, "\(payload)") }
            #expect(try await shop.free() == "10")
            #expect(try await shop.free("b%2Fo%20b") == "10")
            let errors = try shop.pool.logged().filter { $0["level"] == "error" }
            #expect(errors.compactMap { $0["code"]?.stringValue } == ["unknown_owner", "invalid_entry"])
            #expect(errors.first?["session"] == "cs_3")
            let large = try await shop.send(String(repeating: " ", count: (1 << 20) + 1), signature: "t=1,v1=00")
            #expect(large.status == 413)
        }
    }

    @Test("are nowhere taken without a secret")
    func absent() async throws {
        try await RunningPool.with(command: ["serve"]) { pool in
            let answer = try await pool.post("/v1/stripe/webhook")
            #expect(answer.status == 404)
        }
    }
}
