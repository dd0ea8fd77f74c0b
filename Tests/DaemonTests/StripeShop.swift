import Foundation
import Model
import PoolTestSupport
import TestSupport

/// A daemon that takes Stripe's events, and what stands in for Stripe: its interface, and its signatures, made by another
/// implementation than the daemon's.
struct StripeShop: Sendable {
    static let secret = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"
    private static let key = "rk_test_51HqLyjWDarjtT1zdp7dc"
    private static let prices = "price_small=10,price_large=55.5,price_mug=0"

    let pool: RunningPool
    let api: HTTPTestServer

    static func with(
        _ settings: [String: String] = [:], command: [String] = ["serve"], _ body: (StripeShop) async throws -> Void
    ) async throws {
        let api = try HTTPTestServer(program: ["python3", "\(Fixture.repository)/Tests/HTTPServer/stripe.py"])
        defer { api.stop() }
        let environment = [
            "REELPOOL_STRIPE_WEBHOOK_SECRET": secret, "REELPOOL_STRIPE_PRICES": prices, "REELPOOL_STRIPE_KEY": key,
            "REELPOOL_STRIPE_URL": api.url(""),
        ].merging(settings) { $1 }
        try await RunningPool.with(environment, command: command) { pool in
            let shop = StripeShop(pool: pool, api: api)
            try await shop.order(["key": .string(key)])
            try await body(shop)
        }
    }

    /// What the interface is to say from now on.
    func order(_ orders: JSONValue) async throws {
        try await blocking { try api.post("/orders", orders.bytes) }
    }

    func asked() async throws -> Int64 {
        let body = try await blocking { try api.get("/count") }
        return try JSONValue(parsing: body)["count"]?.integerValue ?? -1
    }

    // MARK: Events, as Stripe's reference has them

    static func event(_ type: String, _ object: JSONValue) -> String {
        let event: JSONValue = [
            "id": .string("evt_\(UUID().uuidString.prefix(12))"), "object": "event", "type": .string(type),
            "api_version": "2025-09-30.clover", "created": 1_700_000_000, "livemode": false, "pending_webhooks": 1,
            "data": ["object": object],
        ]
        return event.text
    }

    /// - Parameter items: price and quantity; without them the event does not say, as is usual.
    static func checkout(
        _ session: String, owner: String? = "ann", status: String = "paid",
        type: String = "checkout.session.completed", items: [(String, Int64)]? = nil, more: [String: JSONValue] = [:]
    ) -> String {
        var object: [String: JSONValue] = [
            "id": .string(session), "object": "checkout.session", "mode": "payment",
            "payment_status": .string(status), "status": "complete", "client_reference_id": .text(owner),
            "payment_intent": .string("pi_\(session)"), "metadata": [:], "amount_total": 1000, "currency": "eur",
            "customer_details": ["email": "ann@example.com"],
        ]
        if let items {
            object["line_items"] = [
                "object": "list", "has_more": false,
                "data": .array(
                    items.map { price, quantity in
                        ["id": "li_1", "quantity": .integer(quantity), "price": ["id": .string(price)]]
                    }),
            ]
        }
        return event(type, .object(object.merging(more) { $1 }))
    }

    static func refunded(_ session: String, _ refunded: Int64, of charged: Int64 = 1000) -> String {
        event(
            "charge.refunded",
            [
                "id": .string("ch_\(session)"), "object": "charge", "amount": .integer(charged),
                "amount_captured": .integer(charged), "amount_refunded": .integer(refunded),
                "payment_intent": .string("pi_\(session)"), "refunded": .bool(refunded == charged),
                "status": "succeeded",
            ])
    }

    /// `v1` of Stripe's scheme by Python's own HMAC.
    static func code(_ payload: String, at seconds: Int64, secret: String = secret) async throws -> String {
        let script = """
            import hashlib, hmac, sys
            print(hmac.new(sys.argv[1].encode(), (sys.argv[2] + "." + sys.argv[3]).encode(), hashlib.sha256).hexdigest())
            """
        let words = ["-c", script, secret, "\(seconds)", payload]
        let output = try await blocking { try Command.output("python3", words) }
        return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    static func now() -> Int64 { Int64(Date().timeIntervalSince1970) }

    // MARK: Sending

    /// As Stripe does; without a header of its own, signed now.
    @discardableResult
    func send(_ payload: String, signature: String? = nil) async throws -> RunningPool.Answer {
        let header: String
        if let signature {
            header = signature
        } else {
            let now = Self.now()
            header = "t=\(now),v1=\(try await Self.code(payload, at: now))"
        }
        let place = try pool.url() + "/v1/stripe/webhook"
        let file = "\(pool.folder)/\(UUID().uuidString).json"
        try payload.write(toFile: file, atomically: false, encoding: .utf8)
        let words = [
            "-s", "--max-time", "60", "-w", "\n%{http_code}", "-H", "Content-Type: application/json", "-H",
            "Stripe-Signature: \(header)", "--data-binary", "@\(file)", place,
        ]
        let text = try await blocking { String(decoding: try Command.output("curl", words), as: UTF8.self) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return RunningPool.Answer(
            status: Int(lines.last ?? "") ?? 0, body: lines.dropLast().joined(separator: "\n"))
    }

    func outcome(_ payload: String) async throws -> String {
        let answer = try await send(payload)
        return "\(answer.status) \(answer.json["outcome"]?.stringValue ?? answer.json["code"]?.stringValue ?? "")"
    }

    func free(_ owner: String = "ann") async throws -> String {
        try await pool.get("/v1/credits/\(owner)").json["available"]?.stringValue ?? "none"
    }
}
