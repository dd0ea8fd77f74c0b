package import Model
internal import Synchronization

/// How the attempts of this process ended, since it started: what a failure rate is made of.
package final class AttemptCounts: Sendable {
    package struct Key: Sendable, Hashable {
        package var kind: JobKind
        /// `nil` for success.
        package var failure: FailureCategory?
    }

    package struct Sum: Sendable, Equatable {
        package var attempts = 0
        package var seconds = 0.0
    }

    private let sums = Mutex<[Key: Sum]>([:])

    package init() {}

    package func add(_ kind: JobKind, _ failure: FailureCategory?, seconds: Double) {
        sums.withLock { sums in
            sums[Key(kind: kind, failure: failure), default: Sum()].attempts += 1
            sums[Key(kind: kind, failure: failure), default: Sum()].seconds += max(0, seconds)
        }
    }

    package var all: [(key: Key, sum: Sum)] {
        sums.withLock { $0.map { (key: $0, sum: $1) } }
            .sorted {
                ($0.key.kind.rawValue, $0.key.failure?.rawValue ?? "") < (
                    $1.key.kind.rawValue, $1.key.failure?.rawValue ?? ""
                )
            }
    }
}
