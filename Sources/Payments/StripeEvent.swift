internal import Model
internal import WorkerCore

/// What of Stripe's events concerns credit. Source: Stripe API reference, "The Event object", "The Checkout Session object",
/// "The Charge object".
struct StripeEvent {
    enum Content {
        case checkout(Checkout)
        case refund(ChargeRefund)
        /// With the reason why.
        case nothing(String)
    }

    struct Checkout {
        var session: String
        var paymentIntent: String?
        var owner: String?
        /// All of what was bought; `nil` where the event does not say.
        var items: [Item]?
    }

    typealias Item = (price: String, quantity: Int64)

    /// For people who look for it at Stripe.
    var id: String
    var type: String
    var content: Content

    /// - Throws: `invalid_json` for what is no event.
    init(_ message: [UInt8]) throws(Failure) {
        guard let json = try? JSONValue(parsing: message), let id = json["id"]?.stringValue,
            let type = json["type"]?.stringValue, let object = json["data"]?["object"]
        else { throw Failure(code: .invalidJSON, message: "the message is no event of Stripe's") }
        (self.id, self.type) = (id, type)
        switch type {
        case "checkout.session.completed", "checkout.session.async_payment_succeeded":
            content = try Self.checkout(object)
        case "charge.refunded": content = try Self.refund(object)
        default: content = .nothing("events of type \(type) concern no credit")
        }
    }

    private static func checkout(_ object: JSONValue) throws(Failure) -> Content {
        guard let session = object["id"]?.stringValue else {
            throw Failure(code: .invalidJSON, message: "a checkout without an id")
        }
        // Subscriptions are paid again and again, by other events.
        if let mode = object["mode"]?.stringValue, mode != "payment" {
            return .nothing("a checkout of mode \(mode) is no top-up")
        }
        guard let status = object["payment_status"]?.stringValue, ["paid", "no_payment_required"].contains(status)
        else { return .nothing("the checkout is not paid yet") }
        let owner = [object["client_reference_id"]?.stringValue, object["metadata"]?["owner"]?.stringValue]
            .lazy.compactMap { $0 }.first { !$0.isEmpty }
        return .checkout(
            Checkout(
                session: session, paymentIntent: name(object["payment_intent"]), owner: owner,
                items: items(object["line_items"])))
    }

    private static func refund(_ charge: JSONValue) throws(Failure) -> Content {
        guard let intent = name(charge["payment_intent"]) else { return .nothing("the charge is no checkout's") }
        guard let charged = charge["amount"]?.integerValue, let refunded = charge["amount_refunded"]?.integerValue,
            let refund = ChargeRefund(paymentIntent: intent, charged: charged, refunded: min(refunded, charged))
        else { throw Failure(code: .invalidJSON, message: "a refund without its amounts") }
        return .refund(refund)
    }

    /// An object's id, which stands there alone unless it was expanded.
    private static func name(_ json: JSONValue?) -> String? {
        guard let name = json?.stringValue ?? json?["id"]?.stringValue, !name.isEmpty else { return nil }
        return name
    }

    /// - Returns: `nil` unless the list is there, and whole.
    private static func items(_ list: JSONValue?) -> [Item]? {
        guard let list, list["has_more"]?.boolValue == false else { return nil }
        return page(list)?.items
    }

    /// Of a list of line items: those on this page, and the id that the next page comes after.
    static func page(_ list: JSONValue) -> (items: [Item], next: String?)? {
        guard let data = list["data"]?.arrayValue else { return nil }
        var items: [Item] = []
        for line in data {
            let count = line["quantity"] ?? .null
            guard let price = name(line["price"]), let quantity = count.isNull ? 1 : count.integerValue, quantity >= 0
            else { return nil }
            items.append((price, quantity))
        }
        guard list["has_more"]?.boolValue == true else { return (items, nil) }
        guard let last = data.last?["id"]?.stringValue else { return nil }
        return (items, last)
    }
}
