import PoolTestSupport
import QueueRabbitMQ
import Testing
import WorkerCore

@Suite("A consumer", .enabled(if: Servers.hasRabbitMQ, "REELPOOL_TEST_RABBITMQ names no server"))
struct ConsumerTests {
    @Test("hands over each message whole, and acknowledges it when it was accepted")
    func accepted() async throws {
        let broker = try Broker("accepted")
        var properties = MessageProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.priority = 7
        properties.correlationID = "c"
        properties.replyTo = "r"
        properties.messageID = "m"
        properties.timestamp = 1_767_225_600
        properties.type = "t"
        properties.appID = "a"
        properties.headers = [
            "text": .text("é"), "number": .integer(-5), "yes": .bool(true), "real": .double(0.5), "none": .void,
            "when": .timestamp(12), "raw": .bytes([0, 255]), "list": .array([.integer(1), .text("x"), .array([])]),
            "table": .table(["a": .table(["b": .integer(2)])]), "decimal": .decimal(scale: 2, value: 314),
        ]
        let large = [UInt8]((0..<700_000).map { UInt8(truncatingIfNeeded: $0) })
        try await broker.send(large, properties: properties)
        try await broker.send([], properties: properties)

        let taken = Collected<Delivery>()
        let consumer = broker.consumer()
        let work = Task {
            await consumer.run { batch in
                await taken.add(contentsOf: batch)
                return batch.map { _ in .accepted }
            }
        }
        try await eventually("both come") { await taken.count == 2 }
        consumer.stop()
        await work.value
        let first = try #require(await taken.values.first)
        #expect(first.body == large && first.bodySize == large.count)
        #expect(first.queue == broker.queue && first.routingKey == broker.queue && !first.isRedelivered)
        var received = first.properties
        received.headers["x-reelpool-sequence"] = nil
        properties.deliveryMode = 2
        #expect(received == properties)
        #expect(await taken.values.last?.body == [])
        #expect(consumer.status.acknowledged == 2)
        #expect(try await broker.drain(broker.queue).isEmpty, "they were acknowledged")
        await broker.publisher.close()
    }

    @Test("acknowledges nothing before its handler has accepted it, and takes no more than the prefetch")
    func notBefore() async throws {
        let broker = try Broker("notbefore")
        for number in 0..<10 { try await broker.send("\(number)") }
        let taken = Collected<String>()
        let gate = Gate()
        let consumer = broker.consumer(broker.settings(prefetch: 4))
        let work = Task {
            await consumer.run { batch in
                await taken.add(contentsOf: batch.map(\.text))
                await gate.wait()
                return batch.map { _ in .later }
            }
        }
        try await eventually("the prefetch is used") { consumer.status.deliveries == 4 }
        // Ends in the middle of its work; nothing was accepted.
        consumer.stop()
        await gate.open()
        await work.value
        #expect(consumer.status.acknowledged == 0 && consumer.status.deliveries == 4)
        #expect(Set(try await broker.drain(broker.queue).map(\.text)) == Set((0..<10).map(String.init)))
        await broker.publisher.close()
    }

    @Test("settles what is in hand before it ends, so that it does not come again")
    func settlesAtEnd() async throws {
        let broker = try Broker("atend")
        for number in 0..<50 { try await broker.send("\(number)") }
        let (gate, entered) = (Gate(), Gate())
        let taken = Collected<String>()
        let consumer = broker.consumer()
        let work = Task {
            await consumer.run { batch in
                await entered.open()
                await gate.wait()
                await taken.add(contentsOf: batch.map(\.text))
                return batch.map { _ in .accepted }
            }
        }
        await entered.wait()
        work.cancel()
        await gate.open()
        await work.value
        let left = try await broker.drain(broker.queue).map(\.text)
        #expect(await Set(taken.values).isDisjoint(with: left))
        #expect(await Set(taken.values).union(left) == Set((0..<50).map(String.init)))
        #expect(await !taken.values.isEmpty)
        await broker.publisher.close()
    }

    @Test("offers again what the store cannot take, with pauses, and loses nothing")
    func later() async throws {
        let broker = try Broker("later")
        for number in 0..<20 { try await broker.send("\(number)") }
        let (offered, accepted) = (Collected<Int>(), Collected<String>())
        let events = Collected<QueueEvent>()
        let isUp = Gate()
        let consumer = broker.consumer { event in Task { await events.add(event) } }
        let work = Task {
            await consumer.run { batch in
                await offered.add(batch.count)
                guard await isUp.isOpen else { return batch.map { _ in .later } }
                await accepted.add(contentsOf: batch.map(\.text))
                return batch.map { _ in .accepted }
            }
        }
        try await eventually("it is tried several times") { await offered.count >= 4 }
        #expect(consumer.status.acknowledged == 0 && consumer.status.isHoldingBack)
        await isUp.open()
        try await eventually("all are taken") { await accepted.count == 20 }
        try await eventually("all are acknowledged") { consumer.status.acknowledged == 20 }
        #expect(!consumer.status.isHoldingBack)
        #expect(await Set(accepted.values).count == 20)
        #expect(
            await events.values.contains { event in
                if case .holdingBack(_, let pause) = event { pause >= 0.05 } else { false }
            })
        consumer.stop()
        await work.value
        #expect(try await broker.drain(broker.queue).isEmpty)
        await broker.publisher.close()
    }

    @Test("puts what is no job into the quarantine, once, with why, and goes on")
    func quarantined() async throws {
        let broker = try Broker("bad")
        var properties = MessageProperties()
        properties.headers = ["tenant": .text("t"), "CC": .array([.text("elsewhere")])]
        properties.messageID = "m-1"
        properties.expiration = "600000"
        try await broker.send(Array("bad".utf8), properties: properties)
        try await broker.send("good")
        let accepted = Collected<String>()
        let consumer = broker.consumer()
        let work = Task {
            await consumer.run { batch in
                await accepted.add(contentsOf: batch.map(\.text).filter { $0 == "good" })
                return batch.map {
                    $0.text == "bad"
                        ? .quarantine(QuarantineReason(code: "not_json", detail: "byte 0: not a value")) : .accepted
                }
            }
        }
        try await eventually("both are settled") { consumer.status.acknowledged == 2 }
        consumer.stop()
        await work.value
        let aside = try await broker.drain(broker.quarantine)
        #expect(aside.map(\.text) == ["bad"])
        let headers = try #require(aside.first).properties.headers
        #expect(headers["x-reelpool-reason"] == .text("not_json"))
        #expect(headers["x-reelpool-detail"] == .text("byte 0: not a value"))
        #expect(headers["x-reelpool-queue"] == .text(broker.queue))
        #expect(headers["tenant"] == .text("t") && headers["CC"] == nil)
        #expect(aside.first?.properties.messageID == "m-1" && aside.first?.properties.expiration == nil)
        #expect(await accepted.values == ["good"])
        #expect(try await broker.drain(broker.queue).isEmpty)
        await broker.publisher.close()
    }

    @Test("keeps the beginning of what is far too large, and says so")
    func tooLarge() async throws {
        let broker = try Broker("large")
        try await broker.send([UInt8](repeating: 0x20, count: 5 << 20))
        let aside = Collected<Delivery>()
        let consumer = broker.consumer()
        let work = Task {
            await consumer.run { batch in
                await aside.add(contentsOf: batch)
                return batch.map { _ in .quarantine(QuarantineReason(code: "too_large", detail: "")) }
            }
        }
        try await eventually("it is settled") { consumer.status.acknowledged == 1 }
        consumer.stop()
        await work.value
        #expect(await aside.values.first?.bodySize == 5 << 20)
        let kept = try #require(try await broker.drain(broker.quarantine).first)
        #expect(kept.body.count == 4 << 20)
        #expect(kept.properties.headers["x-reelpool-whole-size"] == .integer(5 << 20))
        await broker.publisher.close()
    }

    @Test("of several queues is not held up by one that is not there")
    func severalQueues() async throws {
        let broker = try Broker("several")
        let missing = uniqueName("missing")
        let events = Collected<QueueEvent>()
        let own = ConsumedQueue(
            broker.queue, declarations: Topology.native(queue: broker.queue, quarantine: broker.quarantine))
        let taken = Collected<String>()
        let consumer = broker.consumer(broker.settings(queues: [ConsumedQueue(missing), own])) { event in
            Task { await events.add(event) }
        }
        // Before the consumer makes its queue: one that two make at once may refuse its first message.
        try await broker.send("1")
        let work = Task {
            await consumer.run { batch in
                await taken.add(contentsOf: batch.map { "\($0.queue) \($0.text)" })
                return batch.map { _ in .accepted }
            }
        }
        try await eventually("the other's message comes") { await taken.values == ["\(broker.queue) 1"] }
        #expect(!consumer.status.isReady)
        try await eventually("it is said which is missing") {
            await events.values.contains { event in
                if case .queueUnavailable(missing, let error) = event {
                    error.kind == .channelClosed(404)
                } else {
                    false
                }
            }
        }
        // As soon as somebody makes it, it is used.
        let maker = RabbitPublisher(
            PublisherSettings(
                addresses: [broker.address], name: "maker", declarations: [.queue(name: missing, arguments: [:])]))
        try await maker.publish(
            OutgoingMessage(routingKey: missing, properties: MessageProperties(), body: Array("2".utf8)))
        try await eventually("its message comes") { await taken.values.contains("\(missing) 2") }
        #expect(consumer.status.isReady)
        consumer.stop()
        await work.value
        await maker.close()
        await broker.publisher.close()
    }
}

/// Closed until it is opened.
actor Gate {
    private(set) var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func open() {
        isOpen = true
        waiting.forEach { $0.resume() }
        waiting = []
    }

    func wait() async {
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}
