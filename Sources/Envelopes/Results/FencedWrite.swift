/// What Redis is to do at once, if nothing newer has been there.
package struct FencedWrite: Sendable, Equatable {
    package enum Operation: Sendable, Equatable {
        /// `keepSeconds` of `nil` is for ever.
        case set(key: String, value: [UInt8], keepSeconds: Int?)
        case publish(channel: String, value: [UInt8])
        /// Published only when the job was not running before.
        case begin(channel: String, value: [UInt8])
        /// Set and published, unless the key holds the final result of a Celery task.
        case setPending(key: String, value: [UInt8], keepSeconds: Int?)
    }

    package enum Rule: Sendable {
        /// Only what is above the last (epoch, sequence).
        case above
        /// Anything but an older epoch: it may come twice.
        case notBelow
    }

    /// Remembers what was accepted last, a hash of `epoch`, `sequence`, `state` and `data`.
    package var key: String
    package var rule: Rule
    package var epoch: Int64
    package var sequence: Int64
    package var state: String
    package var data: [UInt8]
    package var keepSeconds: Int
    package var operations: [Operation]
}
