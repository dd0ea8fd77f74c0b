import Model
import PoolTestSupport
import QueueRabbitMQ
import Testing
import WorkerCore

@Suite("A publisher", .enabled(if: Servers.hasRabbitMQ, "REELPOOL_TEST_RABBITMQ names no server"))
struct PublisherTests {
    private static func publisher(_ declarations: [Declaration] = []) throws -> RabbitPublisher {
        RabbitPublisher(
            PublisherSettings(addresses: [try Servers.shared.rabbit], name: "test", declarations: declarations))
    }

    private static func message(to queue: String, _ text: String = "x") -> OutgoingMessage {
        OutgoingMessage(routingKey: queue, properties: MessageProperties(), body: Array(text.utf8))
    }

    @Test("knows of every message whether a queue took it, also among many at once")
    func returned() async throws {
        let queue = uniqueName("returned")
        let publisher = try Self.publisher([.queue(name: queue, arguments: [:])])
        let outcomes = await withTaskGroup(of: (Int, QueueError.Kind?).self) { group in
            for number in 0..<500 {
                group.addTask {
                    // Every seventh goes nowhere.
                    let name = number.isMultiple(of: 7) ? "\(queue).nowhere" : queue
                    do throws(QueueError) {
                        try await publisher.publish(Self.message(to: name, "\(number)"))
                        return (number, nil)
                    } catch {
                        return (number, error.kind)
                    }
                }
            }
            var outcomes: [Int: QueueError.Kind?] = [:]
            for await (number, kind) in group { outcomes[number] = kind }
            return outcomes
        }
        for number in 0..<500 {
            #expect(outcomes[number] == (number.isMultiple(of: 7) ? .unroutable : .some(nil)), "\(number)")
        }
        #expect(publisher.status.returned == 72 && publisher.status.confirmed == 428)
        await publisher.close()
        await #expect(throws: QueueError.self) { try await publisher.publish(Self.message(to: queue)) }
    }

    @Test("says no when there is no broker, in the time it was given")
    func unreachable() async throws {
        var address = try Servers.shared.rabbit
        address.port = 1
        var settings = PublisherSettings(addresses: [address], name: "test")
        settings.confirmSeconds = 0.3
        let publisher = RabbitPublisher(settings)
        let error = await #expect(throws: QueueError.self) { try await publisher.publish(Self.message(to: "x")) }
        #expect(error?.kind == .timedOut)
        #expect(error?.code == .brokerUnavailable)
        try await eventually("the reason is known") { publisher.status.lastError != nil }
        await publisher.close()
    }

    @Test("uses the next address when one does not answer")
    func nextAddress() async throws {
        let queue = uniqueName("next")
        var dead = try Servers.shared.rabbit
        dead.port = 1
        let publisher = RabbitPublisher(
            PublisherSettings(
                addresses: [dead, try Servers.shared.rabbit], name: "test",
                declarations: [.queue(name: queue, arguments: [:])]))
        try await publisher.publish(Self.message(to: queue))
        await publisher.close()
    }

    @Test("is refused with a wrong password, and the password is in no message")
    func wrongPassword() async throws {
        var address = try Servers.shared.rabbit
        address.password = "wrong-secret"
        let publisher = RabbitPublisher(PublisherSettings(addresses: [address], name: "test"))
        try await eventually("it is refused") { publisher.status.lastError?.contains("ACCESS_REFUSED") == true }
        #expect(publisher.status.lastError?.contains("wrong-secret") == false)
        #expect(!"\(address)".contains("wrong-secret"))
        await publisher.close()
    }
}

@Suite("A broker's address")
struct AddressTests {
    @Test("has all its parts, decoded")
    func parts() throws {
        let address = try RabbitMQAddress(url: "amqp://us%40er:p%3Aw@host.example:5673/v%2Fh")
        #expect(address.user == "us@er" && address.password == "p:w" && address.host == "host.example")
        #expect(address.port == 5673 && address.virtualHost == "v/h" && address.tls == nil)
        let secure = try RabbitMQAddress(url: "amqps://u:p@h?cacertfile=/ca.pem&certfile=/c.pem&keyfile=/k.pem")
        #expect(secure.port == 5671 && secure.virtualHost == "/" && secure.tls?.authorities == "/ca.pem")
        #expect(secure.tls?.certificate?.key == "/k.pem" && secure.tls?.verifiesPeer == true)
        #expect(try RabbitMQAddress(url: "amqp://[::1]:1/").host == "::1")
    }

    @Test(
        "is refused when it is none",
        arguments: ["", "http://h", "amqp://", "amqp://h:99999", "amqp://h/%zz", "amqp://h?typo=1", "amqp://h/%00"])
    func invalid(url: String) {
        let error = #expect(throws: QueueError.self) { try RabbitMQAddress(url: url) }
        #expect(error?.kind == .invalidAddress)
    }
}
