internal import Synchronization

/// A flag that many threads may raise and the media loops look at: at every packet, frame and read.
package final class Cancellation: Sendable {
    private let raised = Atomic<Bool>(false)

    package init() {}

    package var isRaised: Bool { raised.load(ordering: .relaxed) }
    package func raise() { raised.store(true, ordering: .relaxed) }

    package func check() throws(MediaError) {
        if isRaised { throw MediaError(MediaError.Status.interrupted.rawValue, "the work") }
    }
}
