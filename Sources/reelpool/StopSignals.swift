internal import LocalFiles
internal import Dispatch
internal import Engine
internal import Glibc
internal import Model
internal import Synchronization

/// SIGINT and SIGTERM, counted by a handler and acted upon by a thread of their own.
///
/// Neither blocking them nor a dispatch source will do: libdispatch parks the main thread where every signal is let
/// through, and a signal that arrives there while it is ignored is lost.
enum StopSignals {
    /// Most work looks at its cancellation many times a second; some encoders do not come back for minutes.
    private static let patienceMilliseconds: Int32 = 600

    private struct Listener: Sendable {
        var stop: @Sendable () -> Void
        var abandon: @Sendable () -> Void
    }
    private static let listener = Mutex<Listener?>(nil)

    /// Once, when the program starts.
    static func install() {
        precondition(pipe(received) == 0, "no descriptors for signals")
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
        DispatchQueue(label: "reelpool.signals").async { waitForSignals() }
    }

    /// Calls `stop` at the first signal, and `abandon`, which ends the process, at the second or when work goes on.
    static func listen(stop: @escaping @Sendable () -> Void, abandon: @escaping @Sendable () -> Void) {
        listener.withLock { $0 = Listener(stop: stop, abandon: abandon) }
    }

    private static func waitForSignals() -> Never {
        waitForOne()
        if let listener = listener.withLock({ $0 }) {
            listener.stop()
            waitForOne(atMost: patienceMilliseconds)
            listener.abandon()
            // The work ended by itself in that moment, and its result is being printed; a further signal is final.
            waitForOne()
        }
        StagedFiles.abandon(exitStatus: FailureCategory.cancelled.exitStatus)
    }

    /// - Parameter milliseconds: -1 for as long as it takes.
    private static func waitForOne(atMost milliseconds: Int32 = -1) {
        var reading = pollfd(fd: received[0], events: Int16(POLLIN), revents: 0)
        while poll(&reading, 1, milliseconds) < 0 {}
        var byte: UInt8 = 0
        if reading.revents != 0 { _ = read(received[0], &byte, 1) }
    }
}

/// The two ends of a pipe that carries a byte for every signal.
///
/// SAFETY: filled before the handler is installed, never freed, and only read from then on.
nonisolated(unsafe) private let received = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
