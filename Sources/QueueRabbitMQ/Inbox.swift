internal import Synchronization
internal import WorkerCore

/// Deliveries on their way from the connection's thread to the handler. The broker bounds them by the prefetch.
final class Inbox: Sendable {
    /// A delivery tag counts within one opening of a channel.
    struct Ticket: Sendable {
        let session: UInt64
        let tag: UInt64
    }

    struct Item: Sendable {
        let session: UInt64
        let tag: UInt64
        let delivery: Delivery
    }

    private struct State {
        var items: [Item] = []
        var sessions: Set<UInt64> = []
        var reader: CheckedContinuation<Void, Never>?
        var isFinished = false
    }

    private let state = Mutex(State())

    var isFinished: Bool { state.withLock { $0.isFinished } }

    func isLive(_ session: UInt64) -> Bool { state.withLock { $0.sessions.contains(session) } }

    func open(_ session: UInt64) { state.withLock { _ = $0.sessions.insert(session) } }

    /// Its channel is gone: what nobody has begun to handle is dropped, and comes again.
    func drop(_ session: UInt64) {
        state.withLock {
            $0.sessions.remove(session)
            $0.items.removeAll { $0.session == session }
        }
    }

    func put(_ items: [Item]) {
        let reader = state.withLock { state in
            state.items += items
            return state.reader.take()
        }
        reader?.resume()
    }

    func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            return state.reader.take()
        }
        reader?.resume()
    }

    /// At least one; none at the end. For one reader.
    func next(limit: Int) async -> [Item] {
        while true {
            let batch: [Item]? = state.withLock { state in
                if state.isFinished { return [] }
                guard !state.items.isEmpty else { return nil }
                let batch = Array(state.items.prefix(limit))
                state.items.removeFirst(batch.count)
                return batch
            }
            if let batch { return batch }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isFinished || !state.items.isEmpty { return true }
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}
