internal import Dispatch
internal import Isolation
internal import Model
internal import Synchronization

/// The thread that starts templates, and never ends: the kernel takes a thread's end for the death of the parent of
/// whatever it started. Source: prctl(2), PR_SET_PDEATHSIG.
final class SpawningThread: Sendable {
    static let shared = SpawningThread()

    private struct State {
        var work: [@Sendable () -> Void] = []
        var isRunning = false
    }

    private let state = Mutex(State())
    private let arrivals = DispatchSemaphore(value: 0)

    /// Runs `body` there, and waits for it.
    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
        let (done, result) = (DispatchSemaphore(value: 0), Box<Result>())
        try enqueue {
            result.value.withLock { $0 = .init { try body() } }
            done.signal()
        }
        done.wait()
        guard let value = result.value.withLock({ $0 }) else {
            throw IsolationError(.internalFault, "no thread starts templates")
        }
        return try value.get()
    }

    func enqueue(_ body: @escaping @Sendable () -> Void) throws(IsolationError) {
        let mustStart = state.withLock { state in
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if mustStart {
            do throws(IsolationError) {
                try DedicatedThread.start { [self] in work() }
            } catch {
                // Whoever comes next tries again.
                state.withLock { $0.isRunning = false }
                throw error
            }
        }
        state.withLock { $0.work.append(body) }
        arrivals.signal()
    }

    private func work() -> Never {
        while true {
            arrivals.wait()
            let body = state.withLock { $0.work.isEmpty ? nil : $0.work.removeFirst() }
            body?()
        }
    }
}

private final class Box<Value: Sendable>: Sendable {
    let value = Mutex<Result<Value, any Error>?>(nil)
}
