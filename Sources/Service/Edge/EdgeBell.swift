internal import Synchronization

/// The store's wake-ups as numbered news, for who asks by one request after the other: what comes between two of them is
/// not missed.
final class EdgeBell: Sendable {
    private struct State {
        var count = 0
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextListener = 0
    }

    /// Of this process: the count of another means nothing here.
    private let name: String
    private let state = Mutex(State())

    init(name: String) { self.name = name }

    func ring() {
        let listeners = state.withLock { state in
            state.count += 1
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.yield() }
    }

    private func latest(_ state: State) -> String { "\(name)-\(state.count)" }

    /// The name of the latest news: at once unless it was seen, else when there is more or the time is over.
    func wait(after seen: String?, seconds: Double) async -> String {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (number, known) = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return (state.nextListener, latest(state))
        }
        if known == seen {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in stream { return } }
                group.addTask { try? await Task.sleep(for: .seconds(seconds)) }
                await group.next()
                group.cancelAll()
            }
        }
        return state.withLock { state in
            state.listeners[number] = nil
            return latest(state)
        }
    }
}
