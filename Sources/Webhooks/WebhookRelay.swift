package import Envelopes
package import Logging
package import WorkerCore

/// When webhooks are tried again, and given up.
package struct WebhookPatience: Sendable {
    package var shortestPauseSeconds = 5.0
    package var longestPauseSeconds = 3600.0
    package var giveUpSeconds = 86_400.0

    package init() {}

    /// As long again as has passed since the job ended: that doubles by itself, whoever delivers, and needs no count.
    ///
    /// - Parameter unit: in 0..<1, evenly spread: so that receivers that come back are not overrun.
    /// - Returns: `nil` when it is not worth another try.
    package func pauseSeconds(age: Double, unit: Double) -> Double? {
        guard age < giveUpSeconds else { return nil }
        return min(longestPauseSeconds, max(shortestPauseSeconds, age)) * (0.75 + unit / 2)
    }
}

/// Carries webhooks from the store to their receivers: few at a time, and those of one receiver never all of them.
package actor WebhookRelay {
    package static let mostAtATime = 8
    package static let mostForOneHost = 2
    /// Of one host, taken and waiting for their turn.
    private static let longestLine = 16
    private static let batch = 64
    /// Longer than the longest line takes when every try times out.
    private static let leaseSeconds = 150.0
    private static let pollMilliseconds = 250
    private static let turnMilliseconds = 20

    private struct Host {
        var line: [(notice: Notice, webhook: WebhookNotice)] = []
        var sending = 0
        /// One after the other.
        var failures = 0

        var isIdle: Bool { line.isEmpty && sending == 0 }
    }

    private let store: any JobStore
    private let send: @Sendable (WebhookNotice) async -> WebhookOutcome
    private let patience: WebhookPatience
    private let log: Logger
    private var hosts: [String: Host] = [:]
    private var sending = 0

    package init(
        store: any JobStore, sender: WebhookSender, patience: WebhookPatience = WebhookPatience(), log: Logger
    ) {
        self.init(store: store, patience: patience, log: log) { await sender.send($0) }
    }

    /// - Parameter send: one try.
    package init(
        store: any JobStore, patience: WebhookPatience = WebhookPatience(), log: Logger,
        send: @escaping @Sendable (WebhookNotice) async -> WebhookOutcome
    ) {
        (self.store, self.send, self.patience, self.log) = (store, send, patience, log)
    }

    /// Delivers until its task is cancelled; then what waits is handed back for others.
    package func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                await take()
                // Several turns for each look into the store.
                let turns = hosts.isEmpty ? 1 : Self.pollMilliseconds / Self.turnMilliseconds
                for _ in 0..<turns where !Task.isCancelled {
                    for host in hosts.keys.sorted() { start(host, in: &group) }
                    try? await Task.sleep(
                        for: .milliseconds(hosts.isEmpty ? Self.pollMilliseconds : Self.turnMilliseconds))
                }
            }
        }
        let waiting = hosts.values.flatMap { $0.line.map(\.notice.id) }
        try? await store.delayNotices(waiting, seconds: 0)
    }

    private func start(_ name: String, in group: inout DiscardingTaskGroup) {
        while sending < Self.mostAtATime, let host = hosts[name], host.sending < Self.mostForOneHost,
            let (notice, webhook) = host.line.first
        {
            hosts[name]?.line.removeFirst()
            hosts[name]?.sending += 1
            sending += 1
            group.addTask { await self.deliver(notice, webhook, name) }
        }
    }

    private func take() async {
        do {
            let notices = try await store.takeNotices(
                limit: Self.batch, seconds: Self.leaseSeconds, channel: WebhookNotice.channel)
            var unusable: [Int64] = []
            for notice in notices {
                guard let webhook = WebhookNotice(notice) else {
                    unusable.append(notice.id)
                    continue
                }
                let name = Self.host(of: webhook.url)
                if let host = hosts[name], host.line.count >= Self.longestLine {
                    // Behind those of others, and for longer where nobody answers.
                    let pause = host.failures == 0 ? 0.5 : min(60, Double(1 << min(6, host.failures)))
                    try await store.delayNotices([notice.id], seconds: pause * .random(in: 0.5..<1.5))
                } else {
                    hosts[name, default: Host()].line.append((notice, webhook))
                }
            }
            if !unusable.isEmpty {
                log.error("webhooks that nobody understands", metadata: ["count": "\(unusable.count)"])
                try await store.finishNotices(unusable)
            }
        } catch {
            log.warning("webhooks wait: the store does not give them", metadata: ["error": "\(error)"])
        }
    }

    private func deliver(_ notice: Notice, _ webhook: WebhookNotice, _ name: String) async {
        let outcome = await send(webhook)
        hosts[name]?.sending -= 1
        sending -= 1
        if case .failed = outcome { hosts[name]?.failures += 1 } else { hosts[name]?.failures = 0 }
        if hosts[name]?.isIdle == true { hosts[name] = nil }
        var facts: Logger.Metadata = ["job": "\(notice.job)", "webhook": "\(webhook.id)", "host": "\(name)"]
        do {
            switch outcome {
            case .delivered: try await store.finishNotices([notice.id])
            case .dropped(let reason):
                facts["reason"] = "\(reason)"
                log.error("a webhook is dropped", metadata: facts)
                try await store.finishNotices([notice.id])
            case .failed(let reason):
                facts["reason"] = "\(reason)"
                let age = Double(try await store.now() - webhook.endedAt) / 1000
                guard let pause = patience.pauseSeconds(age: age, unit: .random(in: 0..<1)) else {
                    log.error("a webhook is dropped: it was tried for too long", metadata: facts)
                    try await store.finishNotices([notice.id])
                    return
                }
                log.notice("a webhook is tried again", metadata: facts)
                try await store.delayNotices([notice.id], seconds: pause)
            }
        } catch {
            // It is due again when its lease ends; receivers know it by its id.
            log.warning("what became of a webhook cannot be written down", metadata: ["error": "\(error)"])
        }
    }

    /// Host and port, for counting only.
    private static func host(of url: String) -> String {
        let authority = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        return authority.prefix { $0 != "/" && $0 != "?" }.lowercased()
    }
}
