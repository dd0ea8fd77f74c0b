internal import Envelopes
package import Model
internal import Synchronization
package import WorkerCore

/// Brings the updates of a job from where it runs, as the JSON that is published of them.
package protocol ProgressTap: Sendable {
    /// The latest there is, and all that follows, until the reader ends.
    func updates(of job: JobID) -> AsyncStream<JSONValue>
}

/// What runs in this process.
package struct HubTap: ProgressTap {
    private let hub: ProgressHub
    package init(_ hub: ProgressHub) { self.hub = hub }

    package func updates(of job: JobID) -> AsyncStream<JSONValue> {
        let updates = hub.watch(job)
        let (stream, continuation) = AsyncStream.makeStream(of: JSONValue.self)
        let work = Task {
            for await update in updates { continuation.yield(ProgressTelling.json(of: update)) }
            continuation.finish()
        }
        continuation.onTermination = { _ in work.cancel() }
        return stream
    }
}

/// A job's progress as server-sent events: updates as they come, the job itself whenever its state has changed.
struct ProgressFeed: Sendable {
    /// How often the store is asked for the job's state, and silence is broken.
    private static let pollSeconds = 1

    let job: JobID
    let store: any JobStore
    let taps: [any ProgressTap]

    /// Ends with the job. Each event is the whole state; a reader that misses some loses nothing.
    func events() -> AsyncThrowingStream<String, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: String.self)
        let work = Task {
            do {
                try await feed(continuation)
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in work.cancel() }
        return stream
    }

    private func feed(_ continuation: AsyncThrowingStream<String, any Error>.Continuation) async throws {
        let gate = Gate()
        try await withThrowingTaskGroup { group in
            for tap in taps {
                group.addTask {
                    for await update in tap.updates(of: job) where gate.passes(update) {
                        continuation.yield(Self.event("progress", update))
                    }
                }
            }
            try await followStore(continuation)
            group.cancelAll()
        }
    }

    private func followStore(_ continuation: AsyncThrowingStream<String, any Error>.Continuation) async throws {
        var lastState: JobState?
        while !Task.isCancelled {
            guard let record = try await store.job(job) else { return }
            if record.state != lastState {
                lastState = record.state
                continuation.yield(Self.event("job", JobView.json(record)))
            } else {
                // A comment: keeps proxies from closing what is only quiet.
                continuation.yield(":\n\n")
            }
            if record.state.isFinal { return }
            try await Task.sleep(for: .seconds(Self.pollSeconds))
        }
    }

    private static func event(_ name: String, _ data: JSONValue) -> String {
        "event: \(name)\ndata: \(data.text)\n\n"
    }

    /// Lets each update through once, and none that is older than one before: they come on several ways.
    private final class Gate: Sendable {
        private let last = Mutex<(epoch: Int64, sequence: Int64)>((-1, -1))

        func passes(_ update: JSONValue) -> Bool {
            guard let epoch = update["epoch"]?.integerValue, let sequence = update["sequence"]?.integerValue else {
                return false
            }
            return last.withLock { last in
                guard (epoch, sequence) > last else { return false }
                last = (epoch, sequence)
                return true
            }
        }
    }
}
