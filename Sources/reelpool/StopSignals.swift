internal import LocalFiles
internal import Model
internal import Signals
internal import Synchronization

/// What SIGINT and SIGTERM do to a command: work is asked to stop, and is stopped when it cannot in time.
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
        StopRequests.handle { wait in
            _ = wait(nil)
            if let listener = listener.withLock({ $0 }) {
                listener.stop()
                _ = wait(patienceMilliseconds)
                listener.abandon()
                // The work ended by itself in that moment, and its result is being printed; a further signal is final.
                _ = wait(nil)
            }
            StagedFiles.abandon(exitStatus: FailureCategory.cancelled.exitStatus)
        }
    }

    /// Calls `stop` at the first signal, and `abandon`, which ends the process, at the second or when work goes on.
    static func listen(stop: @escaping @Sendable () -> Void, abandon: @escaping @Sendable () -> Void) {
        listener.withLock { $0 = Listener(stop: stop, abandon: abandon) }
    }
}
