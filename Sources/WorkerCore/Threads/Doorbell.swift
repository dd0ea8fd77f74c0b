internal import Synchronization

/// Wakes who waits, and remembers a ring that came while nobody waited. One waits at a time.
package final class Doorbell: Sendable {
    private struct State {
        var hasRung = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func ring() {
        let waiting = state.withLock { state in
            state.hasRung = true
            return state.waiting.take()
        }
        waiting?.resume()
    }

    /// Until it rings; at once when it has since the last wait.
    package func wait() async {
        await withCheckedContinuation { continuation in
            let hasRung = state.withLock { state in
                if !state.hasRung { state.waiting = continuation }
                return state.hasRung
            }
            if hasRung { continuation.resume() }
        }
        state.withLock { $0.hasRung = false }
    }

    /// At most so long: then it rings by itself.
    package func wait(atMost seconds: Double) async {
        let alarm = Task {
            try? await Task.sleep(for: .seconds(seconds))
            if !Task.isCancelled { ring() }
        }
        await wait()
        alarm.cancel()
    }
}
