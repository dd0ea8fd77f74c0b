internal import Envelopes
internal import Synchronization
package import WorkerCore

/// Tells progress by Redis. While Redis is away the latest update of each job is kept, and told when it is back.
package final class RedisProgress: ProgressSink {
    /// Jobs whose updates are kept at most.
    package static let maximumPending = 20_000
    private static let batch = 128

    private let client: RedisClient
    private let pending = Mutex(PendingUpdates(limit: maximumPending))
    private let wake: AsyncStream<Void>.Continuation
    private let isClosing = Atomic(false)
    private let work: Mutex<Task<Void, Never>?> = Mutex(nil)

    package init(_ client: RedisClient) {
        self.client = client
        // One signal waiting is enough.
        let (signals, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.wake = wake
        let task = Task { [weak self] in
            for await _ in signals { await self?.tellPending() }
        }
        work.withLock { $0 = task }
    }

    deinit { wake.finish() }

    package func tell(_ update: ProgressUpdate) {
        pending.withLock { $0.put(update) }
        wake.yield()
    }

    /// Updates that are still to be told, and those that were forgotten for want of room or refused by Redis.
    package var backlog: (pending: Int, dropped: Int) { pending.withLock { ($0.count, $0.dropped) } }

    /// Tells what is pending if Redis is there within this time, and ends.
    package func close(patienceSeconds: Double = 2) async {
        let end = ContinuousClock.now.advanced(by: .seconds(patienceSeconds))
        while ContinuousClock.now < end, !Task.isCancelled, !pending.withLock({ $0.isEmpty }) {
            wake.yield()
            try? await Task.sleep(for: .milliseconds(20))
        }
        isClosing.store(true, ordering: .relaxed)
        wake.finish()
        let task = work.withLock { $0.take() }
        await task?.value
    }

    private func tellPending() async {
        var retries = 0
        while !isClosing.load(ordering: .relaxed) {
            let batch = pending.withLock { $0.take(Self.batch) }
            guard !batch.isEmpty else { return }
            let untold = await tell(batch)
            guard !untold.isEmpty else {
                retries = 0
                continue
            }
            // What has come meanwhile is newer and stays.
            pending.withLock { pending in untold.forEach { pending.put($0) } }
            retries += 1
            let pause = Backoff(baseSeconds: 0.1, capSeconds: 1)
                .pauseSeconds(afterAttempt: retries, unit: .random(in: 0.5..<1))
            try? await Task.sleep(for: .seconds(pause))
        }
    }

    /// - Returns: what is to be told again.
    private func tell(_ updates: [ProgressUpdate]) async -> [ProgressUpdate] {
        do {
            let replies = try await client.run(updates.map { .fenced(ProgressTelling.write(for: $0)) })
            return zip(updates, replies).filter { $1.isPassing }.map { $0.0 }
        } catch {
            return updates
        }
    }
}
