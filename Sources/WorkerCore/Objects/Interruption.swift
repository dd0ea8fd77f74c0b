internal import Synchronization

/// The request to leave whatever blocks, from any thread: the attempt that wanted it is over.
package final class Interruption: Sendable {
    private struct State {
        var isRaised = false
        var next = 0
        var listeners: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package var isRaised: Bool { state.withLock { $0.isRaised } }

    package func raise() {
        let listeners = state.withLock { state -> [@Sendable () -> Void] in
            state.isRaised = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener() }
    }

    /// - Parameter listener: called at most once, from any thread, at once if it is late; it must not block.
    /// - Returns: what `stopListening` takes.
    package func listen(_ listener: @escaping @Sendable () -> Void) -> Int {
        let (number, isLate) = state.withLock { state in
            state.next += 1
            if !state.isRaised { state.listeners[state.next] = listener }
            return (state.next, state.isRaised)
        }
        if isLate { listener() }
        return number
    }

    package func stopListening(_ number: Int) { state.withLock { $0.listeners[number] = nil } }
}
