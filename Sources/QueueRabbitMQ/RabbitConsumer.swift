package import WorkerCore

/// A queue that messages are taken from.
package struct ConsumedQueue: Sendable {
    package var name: String
    /// What is to be there; the queue itself at least, or `existingQueue` when others make it.
    package var declarations: [Declaration]
    /// Deliveries that may be here unacknowledged. As they are acknowledged as soon as they are stored, this is the size of
    /// a batch, and says nothing about how many jobs run.
    package var prefetch: Int

    package init(_ name: String, declarations: [Declaration]? = nil, prefetch: Int = 100) {
        (self.name, self.prefetch) = (name, prefetch)
        self.declarations = declarations ?? [.existingQueue(name: name)]
    }
}

package struct ConsumerSettings: Sendable {
    /// Tried in turn.
    package var addresses: [RabbitMQAddress]
    /// Shown in the broker's list of connections.
    package var name: String
    package var queues: [ConsumedQueue]
    /// Where what is no job goes.
    package var quarantineQueue = Topology.quarantineQueue
    package var heartbeatSeconds = 15
    /// At most so many deliveries go to the handler at once.
    package var batch = 100
    package var reconnect = Backoff(baseSeconds: 0.25, capSeconds: 15)
    /// While the store takes nothing.
    package var holdBack = Backoff(baseSeconds: 0.5, capSeconds: 15)

    package init(addresses: [RabbitMQAddress], name: String, queues: [ConsumedQueue]) {
        (self.addresses, self.name, self.queues) = (addresses, name, queues)
    }
}

/// Takes messages from queues, and acknowledges each after its handler has accepted it; never before.
///
/// A message comes at least once: it comes again whenever a connection, a channel or this process ends before the broker has
/// seen the acknowledgement. A handler that inserts by a key makes that harmless.
/// One connection, one thread that owns it, and a channel for each queue, so that what closes one does not disturb others.
package final class RabbitConsumer: Sendable {
    private let settings: ConsumerSettings
    private let quarantine: Quarantine
    private let orders = Mailbox<ConsumerOrder>()
    private let inbox = Inbox()
    private let statusBox: StatusBox
    private let log: QueueLog

    /// - Parameter publisher: for the quarantine; it outlives the consumer.
    package init(_ settings: ConsumerSettings, publisher: RabbitPublisher, log: @escaping QueueLog = { _ in }) {
        (self.settings, self.log) = (settings, log)
        quarantine = Quarantine(queue: settings.quarantineQueue, publisher: publisher)
        statusBox = StatusBox(expectedQueues: settings.queues.count)
    }

    package var status: ConnectionStatus { statusBox.current }

    /// Works until `stop` is called or its task is cancelled. Then what the handler has in hand is settled, and the rest goes
    /// back to the broker, before this returns. Call it once.
    package func run(_ handler: @escaping DeliveryHandler) async {
        let (settings, orders, inbox, status, log) = (settings, orders, inbox, statusBox, log)
        // The handler's work is not cancelled half-way: this task is nobody's child.
        let work = Task {
            OwnThread.start(named: "amqp-consume") {
                ConsumerLoop(settings, orders: orders, inbox: inbox, status: status, log: log).run()
            }
            while true {
                let batch = await inbox.next(limit: settings.batch)
                guard !batch.isEmpty else { break }
                await self.handle(batch, by: handler)
            }
            await withCheckedContinuation { done in
                if !orders.post(.close(done)) { done.resume() }
            }
        }
        await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            stop()
        }
    }

    /// Takes nothing more; `run` returns when what is in hand is settled.
    package func stop() {
        orders.post(.stopConsuming)
        inbox.finish()
    }

    /// Offers deliveries to the handler until each is settled, or gone with its channel.
    private func handle(_ batch: [Inbox.Item], by handler: DeliveryHandler) async {
        var open = batch
        var retries = Retries(settings.holdBack)
        while true {
            let decisions = await handler(open.map(\.delivery))
            var (done, again): ([Inbox.Item], [Inbox.Item]) = ([], [])
            for (index, item) in open.enumerated() {
                // A handler that says too little has said nothing.
                switch index < decisions.count ? decisions[index] : .later {
                case .accepted: done.append(item)
                case .later: again.append(item)
                case .quarantine(let reason):
                    if await setAside(item.delivery, because: reason) { done.append(item) } else { again.append(item) }
                }
            }
            if !done.isEmpty { orders.post(.settle(done.map { Inbox.Ticket(session: $0.session, tag: $0.tag) })) }
            // What its channel has taken with it will come again by itself.
            open = again.filter { inbox.isLive($0.session) }
            statusBox.change { $0.isHoldingBack = !again.isEmpty }
            if open.isEmpty || inbox.isFinished { break }
            let seconds = retries.nextPauseSeconds()
            log(.holdingBack(deliveries: open.count, pauseSeconds: seconds))
            await pause(seconds: seconds)
            if inbox.isFinished { break }
        }
        statusBox.change { $0.isHoldingBack = false }
    }

    private func setAside(_ delivery: Delivery, because reason: QuarantineReason) async -> Bool {
        do {
            guard try await quarantine.take(delivery, because: reason) else { return true }
            statusBox.change { $0.quarantined += 1 }
            log(.quarantined(queue: delivery.queue, reason: reason.code, detail: reason.detail))
            return true
        } catch {
            let text = "the quarantine: \(error.message)"
            statusBox.change { $0.lastError = text }
            return false
        }
    }

    private func pause(seconds: Double) async {
        let end = Instant.now.advanced(by: .seconds(seconds))
        while !inbox.isFinished, end.millisecondsLeft > 0 {
            try? await Task.sleep(for: .milliseconds(min(100, end.millisecondsLeft)))
        }
    }
}

enum ConsumerOrder: Sendable {
    case settle([Inbox.Ticket])
    case stopConsuming
    case close(CheckedContinuation<Void, Never>)
}
