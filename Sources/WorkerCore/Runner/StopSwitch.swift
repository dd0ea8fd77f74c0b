internal import Synchronization

/// The request to end an attempt: the first one counts, and it is heard whenever somebody begins to listen.
package final class StopSwitch: Sendable {
    private struct State {
        var reason: StopReason?
        var listener: (@Sendable (StopReason) -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    package var reason: StopReason? { state.withLock { $0.reason } }

    package func stop(_ reason: StopReason) {
        let listener = state.withLock { state -> (@Sendable (StopReason) -> Void)? in
            guard state.reason == nil else { return nil }
            state.reason = reason
            return state.listener
        }
        listener?(reason)
    }

    /// Replaces who listened before. Called at most once, from any thread; right away when the request came earlier.
    package func listen(_ listener: @escaping @Sendable (StopReason) -> Void) {
        let reason = state.withLock { state in
            state.listener = listener
            return state.reason
        }
        if let reason { listener(reason) }
    }

    package func stopListening() { state.withLock { $0.listener = nil } }
}
