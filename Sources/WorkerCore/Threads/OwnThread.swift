internal import Glibc

/// A thread for calls that block: a C library's connection lives on one, and Swift's cooperative pool is never held up.
///
/// It receives no signals; so a peer that goes away while it writes is an error, not a SIGPIPE that ends the process.
package enum OwnThread {
    /// - Parameters:
    ///   - name: shown by `top -H`; its first 15 bytes.
    ///   - body: the thread ends when it returns.
    package static func start(named name: String, _ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(ThreadWork(name: name, body: body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        var thread = pthread_t()
        let status = pthread_create(&thread, &attributes, threadMain, work.toOpaque())
        pthread_attr_destroy(&attributes)
        precondition(status == 0, "no thread can be started: \(status)")
    }

    /// Runs `body` to its end, while the calling task waits without holding up a thread.
    package static func run<Value: Sendable>(
        named name: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            start(named: name) { continuation.resume(with: Result { try body() }) }
        }
    }

    package static func run<Value: Sendable>(named name: String, _ body: @escaping @Sendable () -> Value) async -> Value
    {
        await withCheckedContinuation { continuation in
            start(named: name) { continuation.resume(returning: body()) }
        }
    }
}

private final class ThreadWork: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
}

private func threadMain(_ opaque: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let opaque else { return nil }
    // SAFETY: made by `start`, which passed its reference on to this thread.
    let work = Unmanaged<ThreadWork>.fromOpaque(opaque).takeRetainedValue()
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    nameThisThread(work.name)
    work.body()
    return nil
}

/// `pthread_setname_np` is not among what Swift imports; this file does the same. Source: proc(5).
private func nameThisThread(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    var bytes = Array(name.utf8.prefix(15))
    _ = write(file, &bytes, bytes.count)
    close(file)
}
