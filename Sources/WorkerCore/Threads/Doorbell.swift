/// Wakes who waits, and remembers a ring that came while nobody waited.
package actor Doorbell {
    private var hasRung = false
    private var waiting: CheckedContinuation<Void, Never>?
    private var turn = 0

    package init() {}

    package func ring() {
        hasRung = true
        waiting?.resume()
        waiting = nil
    }

    /// Until it rings, at most so long. One waits at a time.
    package func wait(atMost seconds: Double) async {
        if !hasRung {
            turn += 1
            let own = turn
            let alarm = Task {
                try? await Task.sleep(for: .seconds(seconds))
                if !Task.isCancelled { end(own) }
            }
            await withCheckedContinuation { waiting = $0 }
            alarm.cancel()
        }
        hasRung = false
    }

    private func end(_ own: Int) {
        guard own == turn else { return }
        waiting?.resume()
        waiting = nil
    }
}
