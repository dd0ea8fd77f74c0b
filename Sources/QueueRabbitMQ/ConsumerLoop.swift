internal import CRabbitMQ
internal import WorkerCore

/// What a consumer's thread does.
final class ConsumerLoop {
    /// A queue and its channel, while there is one.
    private struct Lane {
        let queue: ConsumedQueue
        var channel: amqp_channel_t?
        var session: UInt64 = 0
        /// Delivered and not acknowledged, in order.
        var outstanding: [UInt64] = []
        var retries: Retries
        var openAt: Instant

        var tag: String { "reelpool-\(session)" }
    }

    private let settings: ConsumerSettings
    private let orders: Mailbox<ConsumerOrder>
    private let inbox: Inbox
    private let status: StatusBox
    private let log: QueueLog
    private var lanes: [Lane]
    private var nextSession: UInt64 = 1
    private var nextChannel: amqp_channel_t = 1
    private var isStopping = false
    private var closing: [CheckedContinuation<Void, Never>] = []

    init(
        _ settings: ConsumerSettings, orders: Mailbox<ConsumerOrder>, inbox: Inbox, status: StatusBox,
        log: @escaping QueueLog
    ) {
        (self.settings, self.orders, self.inbox, self.status, self.log) = (settings, orders, inbox, status, log)
        lanes = settings.queues.map { Lane(queue: $0, retries: Retries(settings.reconnect), openAt: .now) }
    }

    func run() {
        var retries = Retries(settings.reconnect)
        var addressIndex = 0
        while closing.isEmpty {
            let started = Instant.now
            do throws(QueueError) {
                guard !settings.addresses.isEmpty else { throw QueueError(.invalidAddress, "there is no address") }
                let address = settings.addresses[addressIndex % settings.addresses.count]
                addressIndex += 1
                try serve(address)
            } catch {
                status.change { $0.lastError = error.message }
                log(.disconnected(error))
            }
            for index in lanes.indices { drop(index) }
            status.change { $0.isConnected = false }
            if Instant.now - started > .seconds(10) { retries.succeeded() }
            if closing.isEmpty { pause(seconds: retries.nextPauseSeconds()) }
        }
        try? follow(orders.shut(), on: nil)
        for done in closing { done.resume() }
    }

    private func serve(_ address: RabbitMQAddress) throws(QueueError) {
        let connection = try AMQPConnection(
            address, name: settings.name, heartbeatSeconds: settings.heartbeatSeconds)
        nextChannel = 1
        for index in lanes.indices { lanes[index].openAt = .now }
        status.change {
            $0.isConnected = true
            $0.isBlocked = false
            $0.connections += 1
        }
        log(.connected(address.description))
        while true {
            try follow(orders.takeAll(), on: connection)
            if !closing.isEmpty { return try finish(connection) }
            if !isStopping { try openLanes(on: connection) }
            let drained = try receive(on: connection)
            let nextOpening = lanes.lazy.filter { $0.channel == nil }.map(\.openAt.millisecondsLeft).min() ?? 1000
            orders.wait(
                socket: connection.descriptor, milliseconds: drained ? min(1000, isStopping ? 1000 : nextOpening) : 0)
        }
    }

    // MARK: Orders

    private func follow(_ orders: [ConsumerOrder], on connection: AMQPConnection?) throws(QueueError) {
        for order in orders {
            switch order {
            case .settle(let tickets):
                if let connection { try settle(tickets, on: connection) }
            case .stopConsuming:
                isStopping = true
                if let connection { try stopConsuming(on: connection) }
            case .close(let done):
                isStopping = true
                closing.append(done)
            }
        }
    }

    private func stopConsuming(on connection: AMQPConnection) throws(QueueError) {
        for index in lanes.indices {
            guard let channel = lanes[index].channel else { continue }
            do throws(QueueError) {
                try connection.cancelConsumer(channel: channel, tag: lanes[index].tag)
            } catch {
                guard case .channelClosed = error.kind else { throw error }
                drop(index)
            }
        }
        status.change { $0.consumedQueues = 0 }
    }

    /// Acknowledges; whether the broker has seen it shows only when the channel is closed in good order.
    private func settle(_ tickets: [Inbox.Ticket], on connection: AMQPConnection) throws(QueueError) {
        for index in lanes.indices {
            let lane = lanes[index]
            guard let channel = lane.channel else { continue }
            let tags = Set(tickets.lazy.filter { $0.session == lane.session }.map(\.tag))
            guard !tags.isEmpty else { continue }
            // As most batches are settled whole, one acknowledgement covers all up to its last.
            let covered = lane.outstanding.prefix { tags.contains($0) }
            if let last = covered.last { try connection.acknowledge(channel: channel, tag: last, multiple: true) }
            var rest: [UInt64] = []
            var count = covered.count
            for tag in lane.outstanding.dropFirst(covered.count) {
                if tags.contains(tag) {
                    try connection.acknowledge(channel: channel, tag: tag, multiple: false)
                    count += 1
                } else {
                    rest.append(tag)
                }
            }
            lanes[index].outstanding = rest
            let settled = count
            status.change { $0.acknowledged += settled }
        }
    }

    /// Everything accepted was acknowledged by now. The answers to closing say that the broker has read it all.
    private func finish(_ connection: AMQPConnection) throws(QueueError) {
        for index in lanes.indices {
            guard let channel = lanes[index].channel else { continue }
            lanes[index].channel = nil
            try? connection.closeChannel(channel)
        }
        try connection.close()
    }

    // MARK: Channels

    private func openLanes(on connection: AMQPConnection) throws(QueueError) {
        for index in lanes.indices where lanes[index].channel == nil && lanes[index].openAt <= .now {
            let channel = nextChannel
            nextChannel = nextChannel % 2000 + 1
            lanes[index].session = nextSession
            nextSession += 1
            do throws(QueueError) {
                try open(lanes[index], channel: channel, on: connection)
                lanes[index].channel = channel
                lanes[index].outstanding = []
                lanes[index].retries.succeeded()
                inbox.open(lanes[index].session)
                countLanes()
            } catch {
                // A queue that is not there, or differs, is this queue's matter alone.
                guard case .channelClosed = error.kind else { throw error }
                unavailable(index, error)
            }
        }
    }

    private func open(_ lane: Lane, channel: amqp_channel_t, on connection: AMQPConnection) throws(QueueError) {
        try connection.openChannel(channel)
        for declaration in lane.queue.declarations { try connection.declare(declaration, channel: channel) }
        try connection.consume(lane.queue.name, channel: channel, prefetch: lane.queue.prefetch, tag: lane.tag)
    }

    private func unavailable(_ index: Int, _ error: QueueError) {
        drop(index)
        lanes[index].openAt = Instant.now.advanced(by: .seconds(lanes[index].retries.nextPauseSeconds()))
        status.change { $0.lastError = error.message }
        log(.queueUnavailable(queue: lanes[index].queue.name, error))
    }

    private func drop(_ index: Int) {
        inbox.drop(lanes[index].session)
        lanes[index].channel = nil
        lanes[index].outstanding = []
        countLanes()
    }

    private func countLanes() {
        let count = lanes.count { $0.channel != nil }
        status.change { $0.consumedQueues = count }
    }

    // MARK: Messages

    /// - Returns: `false` when there may be more at once.
    private func receive(on connection: AMQPConnection) throws(QueueError) -> Bool {
        var arrived: [Inbox.Item] = []
        defer { if !arrived.isEmpty { inbox.put(arrived) } }
        for _ in 0..<1000 {
            guard let event = try connection.nextEvent() else { return true }
            switch event {
            case .delivered(let channel, let tag, var delivery):
                guard let index = lanes.firstIndex(where: { $0.channel == channel }) else { continue }
                delivery.queue = lanes[index].queue.name
                lanes[index].outstanding.append(tag)
                arrived.append(Inbox.Item(session: lanes[index].session, tag: tag, delivery: delivery))
                let again = delivery.isRedelivered
                status.change {
                    $0.deliveries += 1
                    if again { $0.redeliveries += 1 }
                }
            case .consumerCancelled(let channel):
                guard let index = lanes.firstIndex(where: { $0.channel == channel }) else { continue }
                log(.consumerCancelled(queue: lanes[index].queue.name))
                let session = lanes[index].session
                arrived.removeAll { $0.session == session }
                try? connection.closeChannel(channel)
                unavailable(index, QueueError(.channelClosed(404), "the queue \(lanes[index].queue.name) is gone"))
            case .channelClosed(let channel, let error):
                guard let index = lanes.firstIndex(where: { $0.channel == channel }) else { continue }
                let session = lanes[index].session
                arrived.removeAll { $0.session == session }
                unavailable(index, error)
            case .blocked(let reason):
                status.change { $0.isBlocked = true }
                log(.blocked(reason))
            case .unblocked:
                status.change { $0.isBlocked = false }
                log(.unblocked)
            case .returned, .confirmed: break
            }
        }
        return false
    }

    private func pause(seconds: Double) {
        let end = Instant.now.advanced(by: .seconds(seconds))
        while closing.isEmpty, end.millisecondsLeft > 0 {
            orders.wait(milliseconds: end.millisecondsLeft)
            try? follow(orders.takeAll(), on: nil)
        }
    }
}
