internal import FoundationEssentials
internal import Glibc

/// Seconds on the system's monotonic clock.
package func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Cores this process may use.
package func availableCores() -> Int { ProcessInfo.processInfo.activeProcessorCount }
