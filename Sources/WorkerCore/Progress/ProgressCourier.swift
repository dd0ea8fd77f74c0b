internal import Synchronization

/// Carries progress to where it may be a while until somebody takes it: the latest update of each job waits, the rest is
/// forgotten.
package final class ProgressCourier: ProgressSink {
    /// Jobs whose updates are kept at most.
    package static let maximumPending = 20_000
    private static let batch = 128

    /// Hands updates over; what it returns is to be told again.
    package typealias Delivery = @Sendable (_ updates: [ProgressUpdate]) async -> [ProgressUpdate]

    private let deliver: Delivery
    private let pending = Mutex(PendingUpdates(limit: maximumPending))
    private let wake: AsyncStream<Void>.Continuation
    private let isClosing = Atomic(false)
    private let work: Mutex<Task<Void, Never>?> = Mutex(nil)

    package init(_ deliver: @escaping Delivery) {
        self.deliver = deliver
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

    /// Updates that are still to be told, and those that were forgotten for want of room or refused.
    package var backlog: (pending: Int, dropped: Int) { pending.withLock { ($0.count, $0.dropped) } }

    /// Tells what is pending if somebody takes it within this time, and ends.
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
            let untold = await deliver(batch)
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
}
