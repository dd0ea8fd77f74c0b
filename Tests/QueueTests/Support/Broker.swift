import PoolTestSupport
import QueueRabbitMQ
import WorkerCore

/// What tests do with a broker, besides what they test.
struct Broker: Sendable {
    let address: RabbitMQAddress
    let publisher: RabbitPublisher
    let queue: String
    let quarantine: String

    /// A task queue and a quarantine of the test's own.
    init(_ name: String, of servers: Servers = .shared, confirmSeconds: Double = 60) throws {
        address = try servers.rabbit
        queue = uniqueName(name)
        quarantine = "\(queue).quarantine"
        var settings = PublisherSettings(
            addresses: [address], name: "test", declarations: Topology.quarantine(queue: quarantine))
        settings.declarations += Topology.native(queue: queue, quarantine: quarantine)
        settings.confirmSeconds = confirmSeconds
        publisher = RabbitPublisher(settings)
    }

    func send(_ texts: String..., to queue: String? = nil) async throws {
        for text in texts { try await send(Array(text.utf8), to: queue) }
    }

    func send(_ body: [UInt8], to queue: String? = nil, properties: MessageProperties? = nil) async throws {
        var given = properties ?? MessageProperties()
        given.deliveryMode = 2
        try await publisher.publish(
            OutgoingMessage(routingKey: queue ?? self.queue, properties: given, body: body))
    }

    func settings(queues: [ConsumedQueue]? = nil, prefetch: Int = 100) -> ConsumerSettings {
        let own = ConsumedQueue(
            queue, declarations: Topology.native(queue: queue, quarantine: quarantine), prefetch: prefetch)
        var settings = ConsumerSettings(addresses: [address], name: "test", queues: queues ?? [own])
        settings.quarantineQueue = quarantine
        settings.heartbeatSeconds = 5
        settings.holdBack = Backoff(baseSeconds: 0.05, capSeconds: 0.2)
        return settings
    }

    func consumer(_ settings: ConsumerSettings? = nil, log: @escaping QueueLog = { _ in }) -> RabbitConsumer {
        RabbitConsumer(settings ?? self.settings(), publisher: publisher, log: log)
    }

    /// Everything that is in a queue now: it is taken until `count` have come, and then a marker that follows them.
    func drain(_ queue: String) async throws -> [Delivery] {
        let marker = "end of \(uniqueName("marker"))"
        try await send(marker, to: queue)
        let taken = Collected<Delivery>()
        let consumer = consumer(settings(queues: [ConsumedQueue(queue)]))
        let work = Task {
            await consumer.run { batch in
                await taken.add(contentsOf: batch)
                return batch.map { _ in .accepted }
            }
        }
        try await eventually("the marker comes out of \(queue)") {
            await taken.values.contains { $0.text == marker }
        }
        consumer.stop()
        await work.value
        return await taken.values.filter { $0.text != marker }
    }
}

extension Delivery {
    var text: String { String(decoding: body, as: UTF8.self) }
}
