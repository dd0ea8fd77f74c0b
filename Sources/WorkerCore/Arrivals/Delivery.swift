/// A value in a message's header table, as AMQP 0-9-1 types it.
package enum HeaderValue: Sendable, Equatable {
    case void
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case double(Double)
    case decimal(scale: UInt8, value: UInt32)
    case text(String)
    /// Also a text that is not UTF-8.
    case bytes([UInt8])
    /// Seconds since 1970.
    case timestamp(UInt64)
    case array([HeaderValue])
    case table([String: HeaderValue])

    package var textValue: String? {
        if case .text(let text) = self { text } else { nil }
    }
}

/// What a message says about itself besides its body: AMQP 0-9-1's basic class.
package struct MessageProperties: Sendable, Equatable {
    package var contentType: String?
    package var contentEncoding: String?
    package var headers: [String: HeaderValue] = [:]
    /// 2 is kept on disk by a durable queue.
    package var deliveryMode: UInt8?
    package var priority: UInt8?
    package var correlationID: String?
    package var replyTo: String?
    /// Milliseconds, in decimal.
    package var expiration: String?
    package var messageID: String?
    /// Seconds since 1970.
    package var timestamp: UInt64?
    package var type: String?
    package var appID: String?

    package init() {}
}

/// A message that a queue handed to this process.
package struct Delivery: Sendable, Equatable {
    package var queue: String
    package var exchange: String
    package var routingKey: String
    /// It was handed out before, here or elsewhere.
    package var isRedelivered: Bool
    package var properties: MessageProperties
    package var body: [UInt8]
    /// Larger than `body` when only the beginning was kept.
    package var bodySize: Int

    package init(
        queue: String, exchange: String = "", routingKey: String = "", isRedelivered: Bool = false,
        properties: MessageProperties = MessageProperties(), body: [UInt8], bodySize: Int? = nil
    ) {
        (self.queue, self.exchange, self.routingKey) = (queue, exchange, routingKey)
        (self.isRedelivered, self.properties, self.body) = (isRedelivered, properties, body)
        self.bodySize = bodySize ?? body.count
    }
}

/// What is to become of a delivery.
package enum DeliveryDecision: Sendable, Equatable {
    /// It is in the store, as a new job or as one that was there: it may be acknowledged.
    case accepted
    /// No retry will make it a job: it goes to the quarantine, with why.
    case quarantine(QuarantineReason)
    /// The store cannot take it now. It stays unacknowledged and is offered again after a pause.
    case later
}

package struct QuarantineReason: Sendable, Equatable {
    /// Stable, for counting.
    package var code: String
    /// For people.
    package var detail: String

    package init(code: String, detail: String) { (self.code, self.detail) = (code, detail) }
}

/// Takes deliveries in batches, and answers in their order. What it answers `accepted` is acknowledged afterwards.
package typealias DeliveryHandler = @Sendable ([Delivery]) async -> [DeliveryDecision]
