package import WorkerCore

/// What is to be there on a broker before it is used.
///
/// A queue that exists must be declared with the very arguments that it has, or the broker closes the channel with 406. So a
/// foreign queue is declared as its own clients do it, or passively; and everything beyond that is an operator's policy.
package enum Declaration: Sendable, Equatable {
    case exchange(name: String, type: String)
    case queue(name: String, arguments: [String: HeaderValue])
    /// Checks that it is there, whatever its arguments.
    case existingQueue(name: String)
    case binding(queue: String, exchange: String, routingKey: String)
}

package enum Topology {
    package static let taskQueue = "reelpool.tasks"
    package static let quarantineQueue = "reelpool.quarantine"

    /// Reelpool's own queue: replicated where the broker is, and what its broker gives up on goes to the quarantine.
    package static func native(queue: String = taskQueue, quarantine: String = quarantineQueue) -> [Declaration] {
        [
            .queue(
                name: queue,
                arguments: [
                    "x-queue-type": .text("quorum"), "x-dead-letter-exchange": .text(""),
                    "x-dead-letter-routing-key": .text(quarantine),
                ])
        ]
    }

    package static func quarantine(queue: String = quarantineQueue) -> [Declaration] {
        [.queue(name: queue, arguments: ["x-queue-type": .text("quorum")])]
    }

    /// As taskiq-aio-pika 0.6 declares its own, down to the types of the arguments.
    ///
    /// - Parameter delayQueue: as in the client's `delay_queue`, if it has one.
    package static func taskiq(
        queue: String = "taskiq", exchange: String = "taskiq", deadLetter: String = "taskiq.dead_letter",
        delayQueue: String? = nil
    ) -> [Declaration] {
        var declarations: [Declaration] = [
            .exchange(name: exchange, type: "topic"),
            .queue(name: deadLetter, arguments: ["x-queue-type": .text("quorum")]),
            .queue(
                name: queue,
                arguments: [
                    "x-dead-letter-exchange": .text(""), "x-dead-letter-routing-key": .text(deadLetter),
                    "x-queue-type": .text("quorum"),
                ]),
            .binding(queue: queue, exchange: exchange, routingKey: queue),
        ]
        if let delayQueue {
            declarations.append(
                .queue(
                    name: delayQueue,
                    arguments: [
                        "x-dead-letter-exchange": .text(exchange), "x-dead-letter-routing-key": .text(queue),
                        "x-queue-type": .text("quorum"),
                    ]))
        }
        return declarations
    }

    /// As Celery's kombu declares its own.
    package static func celery(queue: String = "celery") -> [Declaration] {
        [
            .exchange(name: queue, type: "direct"), .queue(name: queue, arguments: [:]),
            .binding(queue: queue, exchange: queue, routingKey: queue),
        ]
    }
}
