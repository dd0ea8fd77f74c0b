import PoolTestSupport
import QueueRabbitMQ
import Testing
import WorkerCore

/// What a job store would be: accepts each text once, and counts how often it came.
actor Ledger {
    private(set) var seen: [String: Int] = [:]

    func accept(_ batch: [Delivery]) -> [DeliveryDecision] {
        batch.map { delivery in
            if delivery.text.hasPrefix("bad") {
                return .quarantine(QuarantineReason(code: "not_json", detail: delivery.text))
            }
            seen[delivery.text, default: 0] += 1
            return .accepted
        }
    }

    func has(_ text: String) -> Bool { seen[text] != nil }
    var count: Int { seen.count }
}

@Suite(
    "A broker that fails", .serialized, .enabled(if: Servers.hasRabbitMQ, "REELPOOL_TEST_RABBITMQ names no server"),
    .privateServers("rabbitmq"))
struct BrokerFaultTests {
    /// Publishes until every message is confirmed, as a careful scheduler does.
    private static func send(_ texts: [String], by broker: Broker) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for text in texts {
                group.addTask {
                    while true {
                        do {
                            try await broker.send(text)
                            return
                        } catch {
                            try await Task.sleep(for: .milliseconds(50))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("by being killed loses nothing: all is accepted, what is bad is set aside once")
    func restart() async throws {
        let servers = try PrivateServers.servers
        let broker = try Broker("restart", of: servers)
        let (ledger, gate) = (Ledger(), Gate())
        let consumer = broker.consumer()
        let work = Task {
            await consumer.run { batch in
                // Some are in hand, and not acknowledged, when the broker goes.
                if await ledger.count > 100 { await gate.wait() }
                return await ledger.accept(batch)
            }
        }
        let texts = (0..<400).map { $0.isMultiple(of: 40) ? "bad \($0)" : "good \($0)" }
        let sending = Task { try await Self.send(texts, by: broker) }
        try await eventually("some are accepted") { await ledger.count > 100 }
        // WHY: RabbitMQ 3.10 writes the register of quorum queues half a second late; a queue that is newer than that when
        // the broker is killed stays without a leader.
        try await Task.sleep(for: .seconds(2))
        try await servers.halt("rabbitmq")
        await gate.open()
        try await servers.resume("rabbitmq")
        try await sending.value
        try await eventually("all are accepted") { await ledger.count == 390 }
        try await eventually("it consumes again") { consumer.status.isReady }
        consumer.stop()
        await work.value
        #expect(consumer.status.connections >= 2)
        #expect(try await broker.drain(broker.queue).isEmpty, "nothing is left over")
        let aside = try await broker.drain(broker.quarantine).map(\.text)
        #expect(Set(aside).count == 10)
        // A message that was sent twice, because its confirm was lost, is two messages; each is there once.
        #expect(aside.count <= 10 + (broker.publisher.status.published - 400))
        await broker.publisher.close()
    }

    @Test("by closing connections again and again delivers all the same, and sets aside once")
    func closedConnections() async throws {
        let servers = try PrivateServers.servers
        let broker = try Broker("closed", of: servers)
        let texts = (0..<300).map { $0.isMultiple(of: 30) ? "bad \($0)" : "good \($0)" }
        try await Self.send(texts, by: broker)
        let ledger = Ledger()
        let (events, gate) = (Collected<QueueEvent>(), Gate())
        let consumer = broker.consumer(broker.settings(prefetch: 10)) { event in Task { await events.add(event) } }
        let work = Task {
            await consumer.run { batch in
                // Half of it waits for the connection to be closed under it.
                if await ledger.count > 100 { await gate.wait() }
                return await ledger.accept(batch)
            }
        }
        try await eventually("half is accepted") { await ledger.count > 100 }
        let before = consumer.status.connections
        try await servers.rabbitmqctl("close_all_connections", "--vhost", "/", "test")
        try await eventually("it has connected again") { consumer.status.connections > before }
        await gate.open()
        try await servers.rabbitmqctl("close_all_connections", "--vhost", "/", "test")
        try await eventually("all are accepted") { await ledger.count == 290 }
        try await eventually("it consumes again") { consumer.status.isReady }
        consumer.stop()
        await work.value
        #expect(try await broker.drain(broker.queue).isEmpty)
        #expect(Set(try await broker.drain(broker.quarantine).map(\.text)).count == 10)
        #expect(
            await events.values.contains { event in
                if case .disconnected(let error) = event { error.message.contains("CONNECTION_FORCED") } else { false }
            })
        await broker.publisher.close()
    }

    @Test("by losing a queue is noticed, and the queue is made again")
    func deletedQueue() async throws {
        let servers = try PrivateServers.servers
        let broker = try Broker("deleted", of: servers)
        let (ledger, events) = (Ledger(), Collected<QueueEvent>())
        let consumer = broker.consumer { event in Task { await events.add(event) } }
        try await broker.send("before")
        let work = Task { await consumer.run { await ledger.accept($0) } }
        try await eventually("it works") { await ledger.has("before") }
        try await servers.rabbitmqctl("delete_queue", broker.queue)
        try await eventually("it is noticed") { await events.values.contains(.consumerCancelled(queue: broker.queue)) }
        try await eventually("it is there again") { consumer.status.isReady }
        try await Self.send(["after"], by: broker)
        try await eventually("it works again") { await ledger.has("after") }
        consumer.stop()
        await work.value
        await broker.publisher.close()
    }

    @Test("by closing a channel whose deliveries took too long gives them again, once the store takes them")
    func consumerTimeout() async throws {
        let servers = try PrivateServers.servers
        try await servers.rabbitmqctl("eval", "application:set_env(rabbit, consumer_timeout, 1500).")
        let broker = try Broker("timeout", of: servers)
        try await broker.send("1", "2", "3")
        let (ledger, events, isUp) = (Ledger(), Collected<QueueEvent>(), Gate())
        let consumer = broker.consumer { event in Task { await events.add(event) } }
        let work = Task {
            await consumer.run { batch in
                guard await isUp.isOpen else { return batch.map { _ in .later } }
                return await ledger.accept(batch)
            }
        }
        try await eventually("the channel is closed") {
            await events.values.contains { event in
                if case .queueUnavailable(_, let error) = event { error.kind == .channelClosed(406) } else { false }
            }
        }
        #expect(await ledger.count == 0 && consumer.status.acknowledged == 0)
        // One connection all the time: only the channel was lost.
        #expect(consumer.status.connections == 1)
        await isUp.open()
        try await servers.rabbitmqctl("eval", "application:set_env(rabbit, consumer_timeout, 1800000).")
        try await eventually("all are accepted") { await ledger.count == 3 }
        try await eventually("and acknowledged") { consumer.status.acknowledged >= 3 }
        #expect(consumer.status.redeliveries >= 3)
        consumer.stop()
        await work.value
        #expect(try await broker.drain(broker.queue).isEmpty)
        await broker.publisher.close()
    }

    @Test("by want of disk blocks who publishes and says so, while what comes is accepted")
    func diskAlarm() async throws {
        let servers = try PrivateServers.servers
        let broker = try Broker("disk", of: servers, confirmSeconds: 2)
        for number in 0..<50 { try await broker.send("good \(number)") }
        try await servers.rabbitmqctl("set_disk_free_limit", "1000000GB")
        // The broker says that it is blocked when it is given something.
        let error = await #expect(throws: QueueError.self) {
            for number in 50..<60 { try await broker.send("good \(number)") }
        }
        #expect(error?.kind == .timedOut)
        try await eventually("it is known") { broker.publisher.status.isBlocked }

        let ledger = Ledger()
        let consumer = broker.consumer()
        let work = Task { await consumer.run { await ledger.accept($0) } }
        try await eventually("all that was there is accepted") { await ledger.count >= 50 }
        try await eventually("and acknowledged") { consumer.status.acknowledged >= 50 }
        try await servers.rabbitmqctl("set_disk_free_limit", "50MB")
        try await eventually("it is over") { !broker.publisher.status.isBlocked }
        try await Self.send(["good 99"], by: broker)
        try await eventually("it works again") { await ledger.has("good 99") }
        consumer.stop()
        await work.value
        #expect(try await broker.drain(broker.queue).isEmpty)
        await broker.publisher.close()
    }

    @Test("by stopping for a while is waited for, and heartbeats notice it", .timeLimit(.minutes(3)))
    func frozen() async throws {
        let servers = try PrivateServers.servers
        let broker = try Broker("frozen", of: servers)
        let ledger = Ledger()
        var settings = broker.settings()
        settings.heartbeatSeconds = 2
        let consumer = broker.consumer(settings)
        try await broker.send("1")
        let work = Task { await consumer.run { await ledger.accept($0) } }
        try await eventually("it works") { await ledger.has("1") }
        try await servers.signal("rabbitmq", "STOP")
        try await eventually("it is noticed") { !consumer.status.isConnected }
        try await servers.signal("rabbitmq", "CONT")
        try await Self.send(["2"], by: broker)
        try await eventually("it works again") { await ledger.has("2") }
        consumer.stop()
        await work.value
        await broker.publisher.close()
    }
}
