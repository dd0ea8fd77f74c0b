internal import CHiredis
internal import Synchronization
internal import WorkerCore

/// What comes on a channel.
package enum ChannelEvent: Sendable, Equatable {
    /// From now on messages come. Comes again after every reconnection: what was published meanwhile is lost, so this is
    /// the moment to read what is kept under a key.
    case subscribed
    case message([UInt8])
}

/// Listens to channels, by a connection and a thread of its own.
package final class RedisSubscriber: Sendable {
    /// A reader that is further behind loses the oldest.
    private static let maximumWaiting = 1000

    private let orders = Mailbox<SubscriberOrder>()
    private let nextID = Atomic<UInt64>(0)

    package init(_ settings: RedisSettings) {
        let orders = orders
        OwnThread.start(named: "redis-listen") { SubscriberLoop(settings, orders: orders).run() }
    }

    deinit { orders.post(.close) }

    /// Ends when its reader does, or `close` is called.
    package func events(on channel: String) -> AsyncStream<ChannelEvent> {
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        let (stream, continuation) = AsyncStream.makeStream(
            of: ChannelEvent.self, bufferingPolicy: .bufferingNewest(Self.maximumWaiting))
        let orders = orders
        continuation.onTermination = { _ in orders.post(.unsubscribe(id)) }
        if !orders.post(.subscribe(id, channel, continuation)) { continuation.finish() }
        return stream
    }

    package func close() { orders.post(.close) }
}

private enum SubscriberOrder: Sendable {
    case subscribe(UInt64, String, AsyncStream<ChannelEvent>.Continuation)
    case unsubscribe(UInt64)
    case close
}

/// What the thread does.
private final class SubscriberLoop {
    private let settings: RedisSettings
    private let orders: Mailbox<SubscriberOrder>
    private var readers: [UInt64: (channel: String, stream: AsyncStream<ChannelEvent>.Continuation)] = [:]
    /// Channels that Redis has confirmed.
    private var confirmed: Set<String> = []
    private var isClosing = false

    init(_ settings: RedisSettings, orders: Mailbox<SubscriberOrder>) {
        (self.settings, self.orders) = (settings, orders)
    }

    func run() {
        var failures = 0
        while !isClosing {
            let started = ContinuousClock.now
            try? serve()
            confirmed = []
            guard !isClosing else { break }
            failures = ContinuousClock.now - started > .seconds(5) ? 1 : failures + 1
            let pause = settings.reconnect.pauseSeconds(afterAttempt: failures, unit: .random(in: 0.5..<1))
            orders.wait(milliseconds: Int(pause * 1000) + 20)
            follow(orders.takeAll(), on: nil)
        }
        follow(orders.shut(), on: nil)
        for reader in readers.values { reader.stream.finish() }
    }

    private func serve() throws(RedisError) {
        let connection = try RedisConnection(settings.address, name: settings.name)
        for channel in Set(readers.values.map(\.channel)) { try connection.send(["SUBSCRIBE", channel]) }
        var lastWord = ContinuousClock.now
        while !isClosing {
            let changes = follow(orders.takeAll(), on: connection)
            for words in changes { try connection.send(words) }
            // Silence may be a peer that is gone.
            if ContinuousClock.now - lastWord > .seconds(10) {
                lastWord = .now
                try connection.send(["PING"])
            }
            orders.wait(socket: connection.descriptor, milliseconds: 1000)
            for reply in try connection.received() { tell(reply) }
        }
    }

    /// - Returns: what Redis is to be asked.
    @discardableResult
    private func follow(_ orders: [SubscriberOrder], on connection: RedisConnection?) -> [[String]] {
        var commands: [[String]] = []
        for order in orders {
            switch order {
            case .subscribe(let id, let channel, let stream):
                let isFirst = !readers.values.contains { $0.channel == channel }
                readers[id] = (channel, stream)
                if isFirst {
                    commands.append(["SUBSCRIBE", channel])
                } else if confirmed.contains(channel) {
                    stream.yield(.subscribed)
                }
            case .unsubscribe(let id):
                guard let channel = readers.removeValue(forKey: id)?.channel else { continue }
                guard !readers.values.contains(where: { $0.channel == channel }) else { continue }
                confirmed.remove(channel)
                commands.append(["UNSUBSCRIBE", channel])
            case .close:
                isClosing = true
            }
        }
        return connection == nil ? [] : commands
    }

    private func tell(_ reply: RedisReply) {
        guard case .array(let parts) = reply, parts.count == 3, let channel = parts[1].text else { return }
        let event: ChannelEvent
        switch (parts[0].text, parts[2]) {
        case ("subscribe", _):
            confirmed.insert(channel)
            event = .subscribed
        case ("message", .bytes(let bytes)): event = .message(bytes)
        default: return
        }
        for reader in readers.values where reader.channel == channel { reader.stream.yield(event) }
    }
}
