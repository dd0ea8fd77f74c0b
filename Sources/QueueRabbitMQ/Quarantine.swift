internal import Synchronization
internal import WorkerCore

/// Puts aside what is no job, with why, for people to look at.
///
/// A message is there once, although it may come again when its acknowledgement was lost: what was put aside lately is
/// remembered. Only a process that dies between the two leaves it twice.
final class Quarantine: Sendable {
    private static let remembered = 2000

    private struct Memory {
        var known: Set<Int> = []
        var order: [Int] = []
    }

    private let queue: String
    private let publisher: RabbitPublisher
    private let memory = Mutex(Memory())

    init(queue: String, publisher: RabbitPublisher) { (self.queue, self.publisher) = (queue, publisher) }

    /// Returns when the broker has it; `false` when it was there already.
    func take(_ delivery: Delivery, because reason: QuarantineReason) async throws(QueueError) -> Bool {
        let print = fingerprint(delivery)
        if delivery.isRedelivered, memory.withLock({ $0.known.remove(print) != nil }) { return false }
        try await publisher.publish(message(delivery, because: reason))
        memory.withLock { memory in
            guard memory.known.insert(print).inserted else { return }
            memory.order.append(print)
            if memory.order.count > Self.remembered { memory.known.remove(memory.order.removeFirst()) }
        }
        return true
    }

    private func fingerprint(_ delivery: Delivery) -> Int {
        var hasher = Hasher()
        hasher.combine(delivery.queue)
        hasher.combine(delivery.properties.messageID)
        hasher.combine(delivery.properties.correlationID)
        hasher.combine(delivery.properties.timestamp)
        hasher.combine(delivery.bodySize)
        hasher.combine(delivery.body)
        return hasher.finalize()
    }

    private func message(_ delivery: Delivery, because reason: QuarantineReason) -> OutgoingMessage {
        var properties = delivery.properties
        properties.deliveryMode = 2
        // It is to stay, and to go nowhere else.
        properties.expiration = nil
        for name in ["CC", "BCC", "x-delivery-count", "x-delay"] { properties.headers[name] = nil }
        if let death = properties.headers.removeValue(forKey: "x-death") {
            properties.headers["x-reelpool-death"] = death
        }
        properties.headers["x-reelpool-reason"] = .text(reason.code)
        properties.headers["x-reelpool-detail"] = .text(String(reason.detail.prefix(1000)))
        properties.headers["x-reelpool-queue"] = .text(delivery.queue)
        properties.headers["x-reelpool-exchange"] = .text(delivery.exchange)
        properties.headers["x-reelpool-routing-key"] = .text(delivery.routingKey)
        if let expiration = delivery.properties.expiration {
            properties.headers["x-reelpool-expiration"] = .text(expiration)
        }
        if delivery.bodySize > delivery.body.count {
            properties.headers["x-reelpool-whole-size"] = .integer(Int64(delivery.bodySize))
        }
        return OutgoingMessage(routingKey: queue, properties: properties, body: delivery.body)
    }
}
