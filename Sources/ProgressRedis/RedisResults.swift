internal import Envelopes
internal import Synchronization
package import WorkerCore

/// What became of notices.
package struct NoticeDelivery: Sendable, Equatable {
    /// The client can read them; a notice that something newer has replaced counts, too.
    package var delivered: [Int64] = []
    /// To be tried again.
    package var failed: [Int64] = []
    /// Nothing that can be delivered, ever.
    package var unusable: [Int64] = []
    /// Why the last one failed.
    package var lastError: String?

    package init(
        delivered: [Int64] = [], failed: [Int64] = [], unusable: [Int64] = [], lastError: String? = nil
    ) {
        (self.delivered, self.failed, self.unusable, self.lastError) = (delivered, failed, unusable, lastError)
    }
}

/// Writes results for the clients of TaskIQ and Celery, and tells of credit that comes back.
package final class RedisResults: Sendable {
    private static let maximumUndelivered = 1000
    private static let batch = 64

    private let client: RedisClient
    private let undelivered = Mutex<[String]>([])
    private let isRetrying = Atomic(false)

    package init(_ client: RedisClient) { self.client = client }

    /// Delivers notices of the channel `ForeignResults.channel`. At least once: what failed may have arrived.
    package func deliver(_ notices: [Notice]) async -> NoticeDelivery {
        let known = notices.filter { $0.channel == ForeignResults.channel }
        var outcome = await deliver(known.map { (id: $0.id, body: $0.body) })
        outcome.unusable += notices.filter { $0.channel != ForeignResults.channel }.map(\.id)
        return outcome
    }

    private func deliver(_ bodies: [(id: Int64, body: String)]) async -> NoticeDelivery {
        var outcome = NoticeDelivery()
        var writes: [(id: Int64, write: FencedWrite)] = []
        for (id, body) in bodies {
            if let write = ForeignResults.write(forBody: body) ?? CreditNotices.write(forBody: body) {
                writes.append((id, write))
            } else {
                outcome.unusable.append(id)
            }
        }
        while !writes.isEmpty {
            let batch = writes.prefix(Self.batch)
            writes.removeFirst(batch.count)
            do {
                let replies = try await client.run(batch.map { .fenced($0.write) })
                for (item, reply) in zip(batch, replies) {
                    if case .error(let text) = reply {
                        outcome.failed.append(item.id)
                        outcome.lastError = text
                    } else {
                        outcome.delivered.append(item.id)
                    }
                }
            } catch {
                outcome.failed += batch.map(\.id) + writes.map(\.id)
                outcome.lastError = error.message
                return outcome
            }
        }
        return outcome
    }

    /// Tells what no job stands for: that a message was refused. Tried again for as long as this process lives.
    package func tell(_ notice: NewNotice) {
        undelivered.withLock { undelivered in
            if undelivered.count >= Self.maximumUndelivered { undelivered.removeFirst() }
            undelivered.append(notice.body)
        }
        guard !isRetrying.exchange(true, ordering: .acquiring) else { return }
        Task { await tellUndelivered() }
    }

    private func tellUndelivered() async {
        var failures = 0
        while true {
            let bodies = undelivered.withLock { undelivered in
                defer { undelivered = [] }
                return undelivered
            }
            guard !bodies.isEmpty else {
                isRetrying.store(false, ordering: .releasing)
                // One may have come between the two.
                guard !undelivered.withLock({ $0.isEmpty }), !isRetrying.exchange(true, ordering: .acquiring) else {
                    return
                }
                continue
            }
            let failed = await deliver(bodies.enumerated().map { (id: Int64($0), body: $1) }).failed
            guard !failed.isEmpty else { continue }
            undelivered.withLock { undelivered in
                undelivered = Array((failed.map { bodies[Int($0)] } + undelivered).prefix(Self.maximumUndelivered))
            }
            failures += 1
            let pause = Backoff(baseSeconds: 0.2, capSeconds: 2)
                .pauseSeconds(afterAttempt: failures, unit: .random(in: 0.5..<1))
            try? await Task.sleep(for: .seconds(pause))
        }
    }
}
