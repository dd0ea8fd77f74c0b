internal import Glibc
package import HTTPTransfer
package import WorkerCore

/// How a client goes about its requests.
package struct S3ClientSettings: Sendable {
    /// Requests for one call, the first included.
    package var tries = 8
    package var backoff = Backoff(baseSeconds: 0.2, capSeconds: 10)
    /// A call ends within so long, and what its bytes take at `slowestBytesPerSecond`.
    package var totalSeconds = 120.0
    package var slowestBytesPerSecond = 64 << 10
    /// The same for completing an upload, for which some stores copy all of it.
    package var completeSeconds = 600.0
    /// A server that neither sends nor takes anything for so long is given up; whole seconds.
    package var stallSeconds = 30
    package var connectSeconds = 10.0
    /// Entries of a list that are asked for at once; stores give at most 1000.
    package var listPage = 1000
    /// Whether signatures cover bodies of objects themselves, which costs a SHA-256 of each. Their MD5 is covered in any
    /// case, also where there is no TLS.
    package var signsBodies = false
    /// Whether parts carry their MD5, and what the store says that it has is compared with it. Off only for tests that
    /// prove that they would notice.
    package var checksBodies = true
    package var clock = S3Clock.system

    package init() {}
}

/// Time and chance, which tests replace.
package struct S3Clock: Sendable {
    /// Since 1970.
    package var wallSeconds: @Sendable () -> Double
    /// Of a clock that nobody sets.
    package var steadySeconds: @Sendable () -> Double
    /// In 0..<1, evenly spread.
    package var unit: @Sendable () -> Double
    /// Waits on the calling thread; `false` as soon as the stop is raised.
    package var pause: @Sendable (_ seconds: Double, TransferStop) -> Bool

    package init(
        wallSeconds: @escaping @Sendable () -> Double, steadySeconds: @escaping @Sendable () -> Double,
        unit: @escaping @Sendable () -> Double, pause: @escaping @Sendable (Double, TransferStop) -> Bool
    ) {
        (self.wallSeconds, self.steadySeconds, self.unit, self.pause) = (wallSeconds, steadySeconds, unit, pause)
    }

    package static let system = S3Clock(
        wallSeconds: { seconds(CLOCK_REALTIME) }, steadySeconds: { seconds(CLOCK_MONOTONIC) },
        unit: { Double.random(in: 0..<1) }, pause: { seconds, stop in stop.sleep(seconds: seconds) })

    private static func seconds(_ clock: clockid_t) -> Double {
        var now = timespec()
        clock_gettime(clock, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
