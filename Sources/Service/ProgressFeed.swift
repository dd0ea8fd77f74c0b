internal import Model
internal import WorkerCore

/// A job's progress as server-sent events: what this process hears at once, what others do from the store.
struct ProgressFeed: Sendable {
    private static let pollSeconds = 1

    let job: JobID
    let store: any JobStore
    let hub: ProgressHub

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
        var last: (epoch: Int64, sequence: Int64) = (-1, -1)
        var lastState: JobState?
        while !Task.isCancelled {
            if let update = hub.latest(job), (update.epoch, update.sequence) > last, !update.state.isFinal {
                last = (update.epoch, update.sequence)
                continuation.yield(Self.event("progress", JobView.progress(update)))
            }
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
}
