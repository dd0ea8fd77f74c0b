internal import CRabbitMQ
internal import WorkerCore

/// What a publisher's thread does.
final class PublisherLoop {
    private static let channel: amqp_channel_t = 1
    /// A returned message tells by this header which one it is.
    private static let sequenceHeader = "x-reelpool-sequence"
    private static let maximumUnconfirmed = 2000

    private let settings: PublisherSettings
    private let orders: Mailbox<PublisherOrder>
    private let status: StatusBox
    private let log: QueueLog

    private var waiting: [PublishRequest] = []
    private var unconfirmed: [UInt64: PublishRequest] = [:]
    /// Lowest first; some may be confirmed already.
    private var order: [UInt64] = []
    private var returned: [UInt64: String] = [:]
    private var sequence: UInt64 = 0
    private var isBlocked = false
    private var closing: [CheckedContinuation<Void, Never>] = []
    private var lastError: QueueError?

    init(_ settings: PublisherSettings, orders: Mailbox<PublisherOrder>, status: StatusBox, log: @escaping QueueLog) {
        (self.settings, self.orders, self.status, self.log) = (settings, orders, status, log)
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
                lost(error)
                if Instant.now - started > .seconds(10) { retries.succeeded() }
                pause(seconds: retries.nextPauseSeconds())
            }
        }
        take(orders.shut())
        fail(waiting, QueueError(.closing, "the publisher is closed"))
        for done in closing { done.resume() }
    }

    private func serve(_ address: RabbitMQAddress) throws(QueueError) {
        let connection = try AMQPConnection(
            address, name: settings.name, heartbeatSeconds: settings.heartbeatSeconds)
        try connection.openChannel(Self.channel)
        for declaration in settings.declarations { try connection.declare(declaration, channel: Self.channel) }
        try connection.confirmPublishes(channel: Self.channel)
        (sequence, isBlocked) = (0, false)
        status.change {
            $0.isConnected = true
            $0.connections += 1
        }
        log(.connected(address.description))
        while true {
            take(orders.takeAll())
            expire()
            if !isBlocked { try sendWaiting(connection) }
            var events = 0
            while events < 1000, let event = try connection.nextEvent() {
                try handle(event)
                events += 1
            }
            if !closing.isEmpty, unconfirmed.isEmpty, waiting.isEmpty {
                try? connection.closeChannel(Self.channel)
                try? connection.close()
                status.change { $0.isConnected = false }
                return
            }
            let mayWait =
                events < 1000 && (waiting.isEmpty || isBlocked || unconfirmed.count >= Self.maximumUnconfirmed)
            orders.wait(socket: connection.descriptor, milliseconds: mayWait ? nextWait : 0)
        }
    }

    /// Often enough for heartbeats and deadlines.
    private var nextWait: Int {
        let oldest = order.first.flatMap { unconfirmed[$0] } ?? waiting.first
        return min(1000, (oldest?.deadline.millisecondsLeft ?? 1000) + 1)
    }

    private func take(_ orders: [PublisherOrder]) {
        for order in orders {
            switch order {
            case .publish(let request): waiting.append(request)
            case .close(let done): closing.append(done)
            }
        }
    }

    private func sendWaiting(_ connection: AMQPConnection) throws(QueueError) {
        let count = min(waiting.count, 200, Self.maximumUnconfirmed - unconfirmed.count)
        guard count > 0 else { return }
        let batch = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        for (index, request) in batch.enumerated() {
            sequence += 1
            // From here on it may have happened.
            unconfirmed[sequence] = request
            order.append(sequence)
            var message = request.message
            message.properties.headers[Self.sequenceHeader] = .integer(Int64(sequence))
            do {
                try connection.publish(message, channel: Self.channel)
            } catch {
                waiting.insert(contentsOf: batch[(index + 1)...], at: 0)
                throw error
            }
            status.change { $0.published += 1 }
        }
    }

    private func handle(_ event: AMQPEvent) throws(QueueError) {
        switch event {
        case .confirmed(let tag, let multiple, let isTaken):
            if multiple {
                while let first = order.first, first <= tag {
                    order.removeFirst()
                    settle(first, isTaken: isTaken)
                }
            } else {
                settle(tag, isTaken: isTaken)
                while let first = order.first, unconfirmed[first] == nil { order.removeFirst() }
            }
        case .returned(let reason, let properties):
            guard case .integer(let number)? = properties.headers[Self.sequenceHeader] else { return }
            returned[UInt64(clamping: number)] = reason
            status.change { $0.returned += 1 }
        case .blocked(let reason):
            isBlocked = true
            status.change { $0.isBlocked = true }
            log(.blocked(reason))
        case .unblocked:
            isBlocked = false
            status.change { $0.isBlocked = false }
            log(.unblocked)
        case .channelClosed(_, let error):
            throw error
        case .delivered, .consumerCancelled:
            break
        }
    }

    /// The broker has answered for one message. A message that no queue took is returned first, and then confirmed.
    private func settle(_ tag: UInt64, isTaken: Bool) {
        let reason = returned.removeValue(forKey: tag)
        guard let request = unconfirmed.removeValue(forKey: tag) else { return }
        if let reason {
            request.done.resume(returning: .failure(QueueError(.unroutable, "no queue takes it: \(reason)")))
        } else if isTaken {
            status.change { $0.confirmed += 1 }
            request.done.resume(returning: .success(()))
        } else {
            request.done.resume(returning: .failure(QueueError(.notConfirmed, "the broker could not keep it")))
        }
    }

    private func expire() {
        let now = Instant.now
        while let first = order.first {
            if let request = unconfirmed[first] {
                guard request.deadline <= now else { break }
                unconfirmed[first] = nil
                request.done.resume(returning: .failure(QueueError(.timedOut, "the broker did not confirm in time")))
            }
            order.removeFirst()
        }
        let late = waiting.filter { $0.deadline <= now }
        guard !late.isEmpty else { return }
        waiting.removeAll { $0.deadline <= now }
        let why = isBlocked ? "the broker takes no messages now" : lastError?.message ?? "there is no connection"
        fail(late, QueueError(.timedOut, why))
    }

    private func fail(_ requests: [PublishRequest], _ error: QueueError) {
        for request in requests { request.done.resume(returning: .failure(error)) }
    }

    /// What was sent may have arrived; what was not waits for the next connection.
    private func lost(_ error: QueueError) {
        fail(order.compactMap { unconfirmed[$0] }, QueueError(.connectionLost, error.message))
        (unconfirmed, order, returned) = ([:], [], [:])
        lastError = error
        status.change {
            $0.isConnected = false
            $0.isBlocked = false
            $0.lastError = error.message
        }
        log(.disconnected(error))
    }

    private func pause(seconds: Double) {
        let end = Instant.now.advanced(by: .seconds(seconds))
        repeat {
            take(orders.takeAll())
            expire()
            guard closing.isEmpty else { return }
            orders.wait(milliseconds: min(end.millisecondsLeft, nextWait))
        } while end.millisecondsLeft > 0
    }
}
