package import Model

/// What Redis, or the way to it, did not do.
package struct RedisError: ClassifiedError, Equatable {
    package enum Kind: Sendable, Equatable {
        case invalidAddress
        /// There is no connection; what was under way may or may not have happened.
        case unavailable
        case loginRefused
        case closed
    }

    package let kind: Kind
    package let message: String
    package var code: FailureCode { .cacheUnavailable }

    package init(_ kind: Kind, _ message: String) { (self.kind, self.message) = (kind, message) }
}

/// How the connection is, for readiness and metrics. Counters grow for as long as the process lives.
package struct RedisStatus: Sendable, Equatable {
    package var isConnected = false
    /// The last thing that went wrong; it stays after it is over.
    package var lastError: String?
    package var connections = 0
    package var commands = 0
}
