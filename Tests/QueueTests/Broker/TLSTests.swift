import PoolTestSupport
import QueueRabbitMQ
import Testing
import WorkerCore

@Suite("A connection with TLS", .enabled(if: Servers.hasRabbitMQ, "REELPOOL_TEST_RABBITMQ names no server"))
struct TLSTests {
    private static func address(_ authority: String) throws -> RabbitMQAddress {
        var address = try RabbitMQAddress(url: Servers.shared.rabbitTLSURL)
        address.tls?.authorities = "\(Servers.shared.certificates)/\(authority)"
        return address
    }

    @Test("works with the authority that signed the broker's certificate")
    func trusted() async throws {
        let queue = uniqueName("tls")
        let publisher = RabbitPublisher(
            PublisherSettings(
                addresses: [try Self.address("ca.pem")], name: "test",
                declarations: [.queue(name: queue, arguments: [:])]))
        // Larger than a record of TLS.
        let body = [UInt8](repeating: 7, count: 100_000)
        for _ in 0..<20 {
            try await publisher.publish(
                OutgoingMessage(routingKey: queue, properties: MessageProperties(), body: body))
        }
        let taken = Collected<Int>()
        let consumer = RabbitConsumer(
            ConsumerSettings(
                addresses: [try Self.address("ca.pem")], name: "test", queues: [ConsumedQueue(queue)]),
            publisher: publisher)
        let work = Task {
            await consumer.run { batch in
                await taken.add(contentsOf: batch.map(\.body.count))
                return batch.map { _ in .accepted }
            }
        }
        try await eventually("all come") { await taken.values == [Int](repeating: body.count, count: 20) }
        consumer.stop()
        await work.value
        await publisher.close()
    }

    @Test("is refused", arguments: ["another authority", "another name", "no TLS there", "no such file"])
    func refused(why: String) async throws {
        var address = try Self.address(why == "another authority" ? "other-ca.pem" : "ca.pem")
        switch why {
        // The certificate is for localhost.
        case "another name": address.host = "127.0.0.1"
        case "no TLS there": address.port = try Servers.shared.rabbit.port
        case "no such file": address.tls?.authorities = "/nowhere/ca.pem"
        default: break
        }
        let failures = Collected<QueueError>()
        let publisher = RabbitPublisher(PublisherSettings(addresses: [address], name: "test")) { event in
            if case .disconnected(let error) = event { Task { await failures.add(error) } }
        }
        try await eventually("it is refused") { await failures.count > 0 }
        let error = try #require(await failures.values.first)
        #expect(error.kind == .tls, "\(error)")
        #expect(publisher.status.connections == 0)
        await publisher.close()
    }
}
