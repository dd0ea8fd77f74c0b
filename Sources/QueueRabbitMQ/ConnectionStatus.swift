internal import Synchronization

/// How a connection is, for readiness and metrics. Counters grow for as long as the process lives.
package struct ConnectionStatus: Sendable, Equatable {
    package var isConnected = false
    /// The broker takes no messages now: memory or disk are short there.
    package var isBlocked = false
    /// The last thing that went wrong; it stays after it is over.
    package var lastError: String?
    package var connections = 0

    // A consumer's.
    /// Queues that messages come from at the moment, and how many there should be.
    package var consumedQueues = 0
    package var expectedQueues = 0
    /// The store does not take what came; it is offered again.
    package var isHoldingBack = false
    package var deliveries = 0
    package var redeliveries = 0
    package var acknowledged = 0
    package var quarantined = 0

    // A publisher's.
    package var published = 0
    package var confirmed = 0
    package var returned = 0

    /// All that it is for works.
    package var isReady: Bool { isConnected && !isBlocked && consumedQueues == expectedQueues }
}

/// What happens on a connection, for the log.
package enum QueueEvent: Sendable, Equatable {
    case connected(String)
    case disconnected(QueueError)
    case queueUnavailable(queue: String, QueueError)
    case consumerCancelled(queue: String)
    case blocked(String)
    case unblocked
    /// The store took none of these many deliveries; another try comes after the pause.
    case holdingBack(deliveries: Int, pauseSeconds: Double)
    case quarantined(queue: String, reason: String, detail: String)
}

package typealias QueueLog = @Sendable (QueueEvent) -> Void

final class StatusBox: Sendable {
    private let status: Mutex<ConnectionStatus>

    init(expectedQueues: Int = 0) {
        var first = ConnectionStatus()
        first.expectedQueues = expectedQueues
        status = Mutex(first)
    }

    var current: ConnectionStatus { status.withLock { $0 } }

    func change(_ body: (inout ConnectionStatus) -> Void) { status.withLock { body(&$0) } }
}
