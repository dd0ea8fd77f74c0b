/// Writes the endings of attempts, many at a time when many come: whatever ends while a write is under way goes into the
/// next one.
package actor EndingBatcher {
    /// Endings in one transaction.
    private static let batchLimit = 200

    private struct Entry {
        var ending: AttemptEnding
        var answer: CheckedContinuation<FinishOutcome, Never>
    }

    private let queue: any WorkQueue
    private let worker: String
    private let clock: any PoolClock
    private let retryPause: Backoff
    private var waiting: [Entry] = []
    private var isWriting = false

    package init(
        queue: any WorkQueue, worker: String, clock: any PoolClock,
        retryPause: Backoff = Backoff(baseSeconds: 0.2, capSeconds: 5)
    ) {
        (self.queue, self.worker, self.clock, self.retryPause) = (queue, worker, clock, retryPause)
    }

    /// Waits until the queue has the ending, however long it is away.
    ///
    /// - Returns: `.stale` also when the task is cancelled before the queue could be reached: the lease runs out then.
    package func finish(_ ending: AttemptEnding) async -> FinishOutcome {
        await withCheckedContinuation { answer in
            waiting.append(Entry(ending: ending, answer: answer))
            guard !isWriting else { return }
            isWriting = true
            // WHY: the first to come writes for all that come meanwhile, and must not wait for them.
            Task { await writeAll() }
        }
    }

    private func writeAll() async {
        while !waiting.isEmpty {
            let batch = Array(waiting.prefix(Self.batchLimit))
            waiting.removeFirst(batch.count)
            let outcomes = await write(batch.map(\.ending))
            for (entry, outcome) in zip(batch, outcomes) { entry.answer.resume(returning: outcome) }
        }
        isWriting = false
    }

    private func write(_ endings: [AttemptEnding]) async -> [FinishOutcome] {
        var failures = 0
        while true {
            do {
                return try await queue.finish(endings, worker: worker)
            } catch {
                failures += 1
                let pause = retryPause.pauseSeconds(afterAttempt: failures, unit: .random(in: 0.5..<1))
                guard await clock.sleep(seconds: pause) else { return endings.map { _ in .stale } }
            }
        }
    }
}
