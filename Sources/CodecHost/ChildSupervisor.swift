internal import Isolation
internal import Synchronization

/// One thread that watches over all running children: memory, threads, time.
final class ChildSupervisor: Sendable {
    static let shared = ChildSupervisor()

    /// A job that allocates a gigabyte a second exceeds its cap by this much of a second.
    private static let pollMilliseconds: Int32 = 20

    private struct State {
        var watched: [ObjectIdentifier: CodecChild] = [:]
        var isRunning = false
    }

    private let state = Mutex(State())

    func watch(_ child: CodecChild) throws(IsolationError) {
        let mustStart = state.withLock { state in
            state.watched[ObjectIdentifier(child)] = child
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard mustStart else { return }
        do {
            try DedicatedThread.start { [self] in poll() }
        } catch {
            state.withLock { state in
                state.watched[ObjectIdentifier(child)] = nil
                state.isRunning = false
            }
            throw error
        }
    }

    func forget(_ child: CodecChild) {
        state.withLock { $0.watched[ObjectIdentifier(child)] = nil }
    }

    /// Ends when there is nothing to watch; the next child starts another thread.
    private func poll() {
        while true {
            let children = state.withLock { state -> [CodecChild] in
                state.isRunning = !state.watched.isEmpty
                return Array(state.watched.values)
            }
            guard !children.isEmpty else { return }
            let now = MonotonicClock.seconds
            for child in children { child.check(at: now) }
            MonotonicClock.pause(milliseconds: Self.pollMilliseconds)
        }
    }
}
