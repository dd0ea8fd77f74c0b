internal import Glibc

/// The passing of time, so that tests can make it.
package protocol PoolClock: Sendable {
    /// Seconds from some moment on; never goes back, and goes on while the machine sleeps.
    var now: Double { get }
    /// `false` when the task was cancelled first.
    func sleep(seconds: Double) async -> Bool
}

package struct SystemClock: PoolClock {
    package init() {}

    package var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    package func sleep(seconds: Double) async -> Bool {
        do {
            try await Task.sleep(for: .seconds(seconds))
            return true
        } catch {
            return false
        }
    }
}
