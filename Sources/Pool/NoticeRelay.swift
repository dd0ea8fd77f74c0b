internal import Envelopes
internal import Logging
internal import ProgressRedis
internal import WorkerCore

/// Carries results from the store to Redis, and keeps at it until they are there. Webhooks have a relay of their own.
struct NoticeRelay: Sendable {
    private static let batch = 200
    private static let leaseSeconds = 20.0
    /// A Redis that comes back has what finished meanwhile within five seconds.
    private static let retry = Backoff(baseSeconds: 0.5, capSeconds: 3)

    let store: any JobStore
    let results: RedisResults?
    let log: Logger

    /// Delivers what is due now.
    ///
    /// - Returns: whether there may be more.
    func deliverDue() async -> Bool {
        do {
            let notices = try await store.takeNotices(
                limit: Self.batch, seconds: Self.leaseSeconds, channel: ForeignResults.channel)
            guard !notices.isEmpty else { return false }
            guard let results else {
                // Whose results these are is not configured here; another daemon may deliver them.
                try await store.delayNotices(notices.map(\.id), seconds: Self.retry.capSeconds)
                return false
            }
            let delivery = await results.deliver(notices)
            try await store.finishNotices(delivery.delivered + delivery.unusable)
            if !delivery.unusable.isEmpty {
                log.error("notices that nothing delivers", metadata: ["count": "\(delivery.unusable.count)"])
            }
            if !delivery.failed.isEmpty {
                let tries = notices.map(\.tries).max() ?? 0
                let pause = Self.retry.pauseSeconds(afterAttempt: tries + 1, unit: .random(in: 0.5..<1))
                try await store.delayNotices(delivery.failed, seconds: pause)
                log.warning(
                    "results wait for Redis",
                    metadata: ["count": "\(delivery.failed.count)", "error": "\(delivery.lastError ?? "")"])
            }
            return notices.count == Self.batch && delivery.failed.isEmpty
        } catch {
            log.warning("the outbox cannot be read", metadata: ["error": "\(error)"])
            return false
        }
    }
}
