internal import Dispatch
internal import Glibc

/// SIGINT and SIGTERM, counted by a handler and handed over one by one on a thread of their own.
///
/// Neither blocking them nor a dispatch source will do: libdispatch parks the main thread where every signal is let
/// through, and a signal that arrives there while it is ignored is lost.
package enum StopRequests {
    /// Waits for the next one, as long as it takes or for a bounded time; the answer says whether one came.
    package typealias Wait = (_ atMostMilliseconds: Int32?) -> Bool

    /// Once, when the program starts.
    ///
    /// - Parameter body: runs on a thread of its own for as long as it likes.
    package static func handle(_ body: @escaping @Sendable (Wait) -> Void) {
        precondition(pipe(received) == 0, "no descriptors for signals")
        for end in [received[0], received[1]] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        for number in [SIGINT, SIGTERM] {
            // write is among the few calls that a handler may make. Source: signal-safety(7).
            signal(number) { _ in
                let reason = errno
                _ = write(received[1], received, 1)
                errno = reason
            }
        }
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        // Whoever started this program may have had them blocked.
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        DispatchQueue(label: "reelpool.signals").async { body(waitForOne) }
    }

    private static func waitForOne(atMostMilliseconds: Int32?) -> Bool {
        var reading = pollfd(fd: received[0], events: Int16(POLLIN), revents: 0)
        while poll(&reading, 1, atMostMilliseconds ?? -1) < 0 {}
        guard reading.revents != 0 else { return false }
        var byte: UInt8 = 0
        _ = read(received[0], &byte, 1)
        return true
    }
}

/// The two ends of a pipe that carries a byte for every signal.
///
/// SAFETY: filled before the handler is installed, never freed, and only read from then on.
nonisolated(unsafe) private let received = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
