internal import Dispatch
internal import Synchronization

/// The request to end transfers, from any thread; all that use it end within moments, with `.cancelled`.
package final class TransferStop: Sendable {
    private struct State {
        var listeners: [Int: @Sendable () -> Void] = [:]
        var next = 0
    }

    private let flag = Atomic(false)
    private let state = Mutex(State())

    package init() {}

    package var isRaised: Bool { flag.load(ordering: .acquiring) }

    package func raise() {
        guard !flag.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // Within the lock, so that nobody is called who has stopped listening.
        state.withLock { state in
            for listener in state.listeners.values { listener() }
        }
    }

    /// Sleeps on the calling thread, which must not be one of Swift's own pool.
    ///
    /// - Returns: whether the time is over; `false` as soon as the stop is raised.
    package func sleep(seconds: Double) -> Bool {
        let alarm = DispatchSemaphore(value: 0)
        let listening = listen { alarm.signal() }
        defer { stopListening(listening) }
        return alarm.wait(timeout: .now() + max(0, seconds)) == .timedOut && !isRaised
    }

    /// - Parameter wake: called at most once, at once if it is late; it must not block or call back.
    func listen(_ wake: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            state.next += 1
            state.listeners[state.next] = wake
            if isRaised { wake() }
            return state.next
        }
    }

    func stopListening(_ number: Int) { state.withLock { $0.listeners[number] = nil } }
}
