internal import CLinux

/// Threads that are not Swift's: for work that blocks, and for what must live as long as the process.
package enum DedicatedThread {
    /// As the system gives a program's first thread.
    private static let stackBytes = 8 << 20

    /// Runs `body` on a new thread that nobody waits for.
    package static func start(_ body: @escaping @Sendable () -> Void) throws(IsolationError) {
        let work = Unmanaged.passRetained(Work(body))
        let status = rp_thread_start({ Work.run($0) }, work.toOpaque(), stackBytes)
        guard status == 0 else {
            work.release()
            throw IsolationError("a thread cannot be started", reason: -status)
        }
    }

    /// Runs `body` on a new thread and waits for its end.
    package static func run(_ body: @escaping () -> Void) throws(IsolationError) {
        let work = Unmanaged.passRetained(Work(body))
        let status = rp_thread_run({ Work.run($0) }, work.toOpaque(), stackBytes)
        guard status == 0 else {
            work.release()
            throw IsolationError("a thread cannot be started", reason: -status)
        }
    }

    /// How many threads this process has; `nil` where /proc cannot be read.
    package static var count: Int? {
        let count = rp_thread_count()
        return count > 0 ? Int(count) : nil
    }
}

private final class Work {
    private let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }

    static func run(_ context: UnsafeMutableRawPointer?) {
        // SAFETY: the starting thread passed its one reference on with this pointer.
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
    }
}
