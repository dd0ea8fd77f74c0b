internal import Glibc

/// Time that does not jump.
enum MonotonicClock {
    static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Blocks the calling thread, which is not one of Swift's.
    static func pause(milliseconds: Int32) { poll(nil, 0, milliseconds) }
}
