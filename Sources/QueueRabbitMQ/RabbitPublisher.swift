package import WorkerCore

/// A message to a broker.
package struct OutgoingMessage: Sendable {
    /// "" takes the routing key for a queue's name.
    package var exchange: String
    package var routingKey: String
    package var properties: MessageProperties
    package var body: [UInt8]

    package init(exchange: String = "", routingKey: String, properties: MessageProperties, body: [UInt8]) {
        (self.exchange, self.routingKey, self.properties, self.body) = (exchange, routingKey, properties, body)
    }
}

package struct PublisherSettings: Sendable {
    /// Tried in turn.
    package var addresses: [RabbitMQAddress]
    /// Shown in the broker's list of connections.
    package var name: String
    package var heartbeatSeconds = 15
    /// Made sure of whenever a connection is made.
    package var declarations: [Declaration]
    /// How long a message may wait for a connection and its confirm.
    package var confirmSeconds = 10.0
    package var reconnect = Backoff(baseSeconds: 0.25, capSeconds: 15)

    package init(addresses: [RabbitMQAddress], name: String, declarations: [Declaration] = Topology.quarantine()) {
        (self.addresses, self.name, self.declarations) = (addresses, name, declarations)
    }
}

/// Publishes durably: a message is published when the broker has confirmed it and a queue has taken it.
///
/// It has a connection and a thread of its own. A broker that blocks publishers stops reading from them, and with them their
/// acknowledgements; so nothing is consumed on this connection. Safe to use from anywhere.
package final class RabbitPublisher: Sendable {
    private let orders = Mailbox<PublisherOrder>()
    private let statusBox = StatusBox()
    private let settings: PublisherSettings

    /// Starts connecting at once.
    package init(_ settings: PublisherSettings, log: @escaping QueueLog = { _ in }) {
        self.settings = settings
        let (orders, status) = (orders, statusBox)
        OwnThread.start(named: "amqp-publish") {
            PublisherLoop(settings, orders: orders, status: status, log: log).run()
        }
    }

    package var status: ConnectionStatus { statusBox.current }

    /// Returns when the broker has taken responsibility for the message.
    ///
    /// - Throws: `unroutable` and `notConfirmed` when it has not; `timedOut` and `connectionLost` when that is unknown.
    package func publish(_ message: OutgoingMessage) async throws(QueueError) {
        let deadline = Instant.now.advanced(by: .seconds(settings.confirmSeconds))
        let result = await withCheckedContinuation { continuation in
            let request = PublishRequest(message: message, deadline: deadline, done: continuation)
            if !orders.post(.publish(request)) {
                continuation.resume(returning: .failure(QueueError(.closing, "the publisher is closed")))
            }
        }
        try result.get()
    }

    /// Waits for confirms of what was published, and closes the connection.
    package func close() async {
        await withCheckedContinuation { done in
            if !orders.post(.close(done)) { done.resume() }
        }
    }
}

struct PublishRequest: Sendable {
    var message: OutgoingMessage
    let deadline: Instant
    let done: CheckedContinuation<Result<Void, QueueError>, Never>
}

enum PublisherOrder: Sendable {
    case publish(PublishRequest)
    case close(CheckedContinuation<Void, Never>)
}
