package import Model

/// What a broker, or the way to it, did not do.
package struct QueueError: ClassifiedError, Equatable {
    package enum Kind: Sendable, Equatable {
        case invalidAddress
        /// No connection came about.
        case unreachable
        /// User, password or virtual host were refused.
        case loginRefused
        case tls
        /// The connection ended; what was under way may or may not have happened.
        case connectionLost
        /// By the broker, with AMQP's reply code: 406 where something differs from what is there, 404 where nothing is.
        case channelClosed(Int)
        /// No answer in time; what was asked may or may not have happened.
        case timedOut
        /// No queue takes such a message.
        case unroutable
        /// The broker took no responsibility for a message.
        case notConfirmed
        /// This side is closing.
        case closing
    }

    package let kind: Kind
    package let message: String
    package var code: FailureCode { .brokerUnavailable }

    package init(_ kind: Kind, _ message: String) { (self.kind, self.message) = (kind, message) }
}
