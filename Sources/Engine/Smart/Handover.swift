internal import Dispatch
internal import Synchronization

/// Hands values from one thread to another, in order, a few ahead at most.
///
/// SAFETY: a value belongs to one thread at a time: it moves with being put and taken.
final class Handover<Value>: @unchecked Sendable {
    private struct Moved: @unchecked Sendable { let value: Value }

    private enum End {
        case complete
        case failed(any Error)
    }

    private struct State {
        var waiting: [Moved] = []
        var end: End?
        var isStopped = false
    }

    /// Nobody takes any more.
    private struct Stopped: Error {}

    private let state = Mutex(State())
    private let free = DispatchSemaphore(value: 0)
    private let ready = DispatchSemaphore(value: 0)

    /// - Parameter depth: values that may wait before `put` blocks.
    init(depth: Int) {
        for _ in 0..<depth { free.signal() }
    }

    /// Waits while too many do.
    ///
    /// - Throws: when nobody takes any more.
    func put(_ value: Value) throws {
        free.wait()
        let moved = Moved(value: value)
        try state.withLock { state in
            if state.isStopped { throw Stopped() }
            state.waiting.append(moved)
        }
        ready.signal()
    }

    /// Runs what puts all values, and ends as that does.
    func end(after body: () throws -> Void) {
        let end: End
        do {
            try body()
            end = .complete
        } catch {
            end = .failed(error)
        }
        state.withLock { $0.end = end }
        ready.signal()
    }

    /// Waits for the next one.
    ///
    /// - Returns: `nil` at the end.
    /// - Throws: what ended it early.
    func take() throws -> Value? {
        ready.wait()
        let (moved, end) = state.withLock { state in
            state.waiting.isEmpty ? (nil, state.end) : (state.waiting.removeFirst(), nil)
        }
        free.signal()
        if case .failed(let error)? = end { throw error }
        return moved?.value
    }

    /// Takes no more: whoever puts is told.
    func stop() {
        state.withLock { $0.isStopped = true }
        free.signal()
    }
}
