internal import CodecHost
internal import Downloads
internal import Envelopes
internal import FoundationEssentials
internal import Isolation
internal import Logging
internal import MediaTasks
internal import Model
internal import ObjectsS3
internal import Payments
internal import PoolConfig
internal import ProgressRedis
internal import QueueRabbitMQ
internal import S3
internal import SQLStore
internal import Service
internal import StorePostgres
internal import StoreSQLite
internal import Synchronization
internal import Webhooks
internal import WorkerCore

/// A worker with everything around it: its store, its template, its broker and its cache.
final class PoolDaemon: Daemon {
    private let store: SQLJobStore
    private let hub = ProgressHub()
    private let settings: PoolSettings
    private let version: String
    private let worker: Worker
    private let template: CodecTemplate
    private let objects: ObjectRouter
    private let keyed: KeyedStore?
    private let stored: S3Objects?
    private let redis: RedisClient?
    private let redisProgress: RedisProgress?
    private let progress: ProgressFan
    private let results: RedisResults?
    private let subscriber: RedisSubscriber?
    private let publisher: RabbitPublisher?
    private let consumer: RabbitConsumer?
    private let log: Logger
    /// Why the interface is not there.
    private let serviceFailure = Mutex<Failure?>(nil)

    init(_ settings: PoolSettings, codecProgram: String, instance: String, version: String, log: Logger) throws {
        (self.settings, self.version, self.log) = (settings, version, log)
        if let url = settings.credits.refundWebhook, let problem = Self.webhookRules(settings)?.problem(with: url) {
            throw Failure(code: .invalidTask, message: "REELPOOL_REFUND_WEBHOOK \(problem)")
        }
        store = try Self.store(settings)
        template = CodecTemplate(CodecTemplate.Settings(program: codecProgram, fonts: settings.fonts))
        let userAgent = "reelpool/\(version)"
        keyed = try KeyedStore(settings, userAgent: userAgent)
        stored = keyed?.objects(ledger: store, now: { Self.wallClock() }, log: log)
        objects = ObjectSetup.router(
            settings, store: stored, userAgent: userAgent, now: { Self.wallClock() })
        let redisSettings = try settings.redisURI.map { RedisSettings(address: try RedisAddress(url: $0)) }
        redis = redisSettings.map { RedisClient($0) }
        subscriber = redisSettings.map { RedisSubscriber($0) }
        redisProgress = redis.map { RedisProgress($0) }
        results = redis.map { RedisResults($0) }
        let executor = CodecExecutor(
            template: template, objects: objects, requiresSandbox: settings.requiresSandbox,
            sharing: settings.secondsPerChunk == 0
                ? nil
                : ChunkSharing(
                    board: store, worker: settings.name, instance: instance,
                    secondsPerChunk: settings.secondsPerChunk, leaseSeconds: settings.leaseSeconds))
        var executors: [JobKind: any TaskExecutor] = [.noop: NoopExecutor()]
        for kind in settings.kinds where kind.needsProcess { executors[kind] = executor }
        executors[.download] = DownloadExecutor(
            objects: objects, addresses: AddressGuard(allowing: settings.sourceHosts), userAgent: userAgent,
            now: { Self.wallClock() })
        let sinks: [any ProgressSink] = [hub] + (redisProgress.map { [$0] } ?? [])
        progress = ProgressFan(sinks)
        worker = Worker(
            settings: WorkerSettings(settings, instance: instance, version: version), store: store,
            executors: executors, helper: executor, progress: progress, log: log)
        (publisher, consumer) = try Self.broker(settings, log)
    }

    private static func store(_ settings: PoolSettings) throws -> SQLJobStore {
        let kinds = Dictionary(
            uniqueKeysWithValues: JobKind.allCases.filter { $0 != .noop }.map { ($0, settings.ownerLimits) })
        let credits = CreditNotices(
            url: settings.credits.refundWebhook, tellsProgress: settings.redisURI != nil,
            charges: settings.credits.charges)
        var policy = StorePolicy(
            ownerLimits: kinds, backoff: Backoff(baseSeconds: 5, capSeconds: 600),
            noticesOfEnded: {
                ForeignResults.notices(ofEnded: $0) + WebhookNotice.notices(ofEnded: $0) + credits.notices(ofEnded: $0)
            })
        (policy.rates, policy.charges) = (settings.credits.billing.rates, settings.credits.charges)
        switch settings.database {
        case .sqlite(let path): return SQLJobStore(try SQLiteDatabase(path: path), policy: policy)
        case .postgres(let uri):
            return SQLJobStore(try PostgresDatabase(PostgresOptions(uri: uri)), policy: policy)
        }
    }

    private static func broker(
        _ settings: PoolSettings, _ log: Logger
    ) throws -> (RabbitPublisher?, RabbitConsumer?) {
        guard let arrivals = settings.arrivals else { return (nil, nil) }
        var address = try RabbitMQAddress(url: arrivals.brokerURI)
        if let file = arrivals.authorityFile { address.tls?.authorities = file }
        let queueLog: QueueLog = { log.notice("broker: \($0)") }
        let publisher = RabbitPublisher(
            PublisherSettings(
                addresses: [address], name: "reelpool \(settings.name) publish",
                declarations: Topology.quarantine(queue: arrivals.quarantineQueue)), log: queueLog)
        var queues = arrivals.nativeQueues.map {
            ConsumedQueue($0, declarations: Topology.native(queue: $0, quarantine: arrivals.quarantineQueue))
        }
        queues += arrivals.taskiqQueues.map { queue in
            ConsumedQueue(
                queue,
                declarations: Topology.taskiq(
                    queue: queue, exchange: arrivals.taskiqExchange, deadLetter: arrivals.taskiqDeadLetter))
        }
        queues += arrivals.celeryQueues.map { ConsumedQueue($0, declarations: Topology.celery(queue: $0)) }
        var consumer = ConsumerSettings(addresses: [address], name: "reelpool \(settings.name) consume", queues: queues)
        consumer.quarantineQueue = arrivals.quarantineQueue
        return (publisher, RabbitConsumer(consumer, publisher: publisher, log: queueLog))
    }

    // MARK: Running

    /// Answers scheduler and operators until its task is cancelled.
    private func serve() async {
        var parts = ServiceParts(
            store: store, taps: taps, attempts: worker.counts, newID: { UUID().uuidString.lowercased() },
            now: { Self.wallClock() },
            obstacles: { [weak self] in await self?.obstacles() ?? ["the process is ending"] })
        (parts.webhooks, parts.billing) = (webhookRules, settings.credits.billing)
        parts.uploads = keyed?.uploads(newID: parts.newID, now: { Self.wallClock() })
        parts.ledger = store
        parts.payments = payments
        // A store that is away must not hold up the end of the process.
        let interruption = Interruption()
        parts.edge = edge(heeding: interruption)
        let served = parts
        do {
            try await withTaskCancellationHandler {
                try await SchedulerService.run(
                    served, host: settings.service.host, port: settings.service.port, token: settings.service.apiToken,
                    log: log, onStart: { [log] port in log.notice("listening", metadata: ["port": "\(port)"]) })
            } onCancel: {
                interruption.raise()
            }
        } catch is CancellationError {
            return
        } catch {
            serviceFailure.withLock {
                $0 = Failure(
                    code: .listenFailed,
                    message: "\(settings.service.host):\(settings.service.port) cannot be listened on",
                    detail: "\(error)")
            }
            // Nobody would know of a daemon that does not answer.
            await drain()
            await drain()
        }
    }

    /// `nil` where nobody is configured who would tell of payments.
    private var payments: (any PaymentDesk)? {
        settings.payments.map { payments in
            let api = payments.key.map { StripeAPI(url: payments.url, key: $0, userAgent: "reelpool/\(version)") }
            return StripeDesk(
                secret: payments.secret, prices: payments.prices, api: api, store: store,
                clock: { Self.wallClock() / 1000 }, log: log)
        }
    }

    /// `nil` where no worker without a database is let in.
    private func edge(heeding interruption: Interruption) -> EdgeParts? {
        settings.service.edgeToken.map { token in
            EdgeParts(
                token: token, progress: progress,
                objects: stored.map { S3Desk($0, endpoint: keyed?.publicEndpoint, heeding: interruption) },
                urlSeconds: settings.service.edgeURLSeconds)
        }
    }

    private var taps: [any ProgressTap] {
        guard let subscriber, let redis else { return [HubTap(hub)] }
        return [HubTap(hub), RedisTap(subscriber: subscriber, client: redis)]
    }

    /// Why this process cannot do all that it is for; empty when it can.
    private func obstacles() async -> [String] {
        var lines: [String] = []
        do { _ = try await store.workers() } catch { lines.append("the job store: \(error.message)") }
        if let status = consumer?.status, !status.isReady {
            lines.append("the broker: \(status.lastError ?? "not connected")")
        }
        if await worker.status.isDraining { lines.append("draining") }
        return lines
    }

    func run() async throws {
        try await store.migrate()
        if settings.kinds.contains(where: \.needsProcess) {
            try template.startIsolated(requiresSandbox: settings.requiresSandbox, log: log)
        }
        log.noteReady(settings)
        log.noteBilling(settings)
        await withTaskGroup { group in
            group.addTask { await self.relayNotices() }
            if let webhooks { group.addTask { await webhooks.run() } }
            group.addTask { await OutputSettler(objects: self.objects, queue: self.store).run() }
            group.addTask { await ChunkSweeper(objects: self.objects, board: self.store, log: self.log).run() }
            group.addTask { await self.serve() }
            if let consumer {
                let desk = ArrivalDesk(
                    reader: reader, store: store, results: results, clock: Self.wallClock, log: log)
                group.addTask { await consumer.run { await desk.take($0) } }
            }
            await worker.run()
            group.cancelAll()
        }
        while await relay.deliverDue() {}
        template.stop()
        subscriber?.close()
        await redisProgress?.close()
        await redis?.close()
        await publisher?.close()
        await store.close()
        if let failure = serviceFailure.withLock({ $0 }) { throw failure }
    }

    func drain() async {
        consumer?.stop()
        await worker.drain()
    }

    private var relay: NoticeRelay { NoticeRelay(store: store, results: results, log: log) }

    /// `nil` where nobody could sign one.
    private var webhookRules: WebhookRules? { Self.webhookRules(settings) }

    private static func webhookRules(_ settings: PoolSettings) -> WebhookRules? {
        settings.service.webhookSecret.map { _ in WebhookRules(privateHosts: settings.service.privateWebhookHosts) }
    }

    private var webhooks: WebhookRelay? {
        guard let secret = settings.service.webhookSecret, let rules = webhookRules else { return nil }
        let sender = WebhookSender(
            secret: secret, rules: rules, userAgent: "reelpool/\(version)", clock: { Self.wallClock() / 1000 })
        return WebhookRelay(store: store, sender: sender, log: log)
    }

    private func relayNotices() async {
        let (relay, bell) = (relay, Doorbell())
        let wakes = await store.wakeUps()
        await withTaskGroup { group in
            group.addTask { for await _ in wakes { bell.ring() } }
            while !Task.isCancelled {
                if await relay.deliverDue() { continue }
                // What could not be delivered is due again without anybody ringing.
                await bell.wait(atMost: 0.5)
            }
            group.cancelAll()
        }
    }

    private var reader: EnvelopeReader {
        guard let arrivals = settings.arrivals else { return EnvelopeReader() }
        var rules = TaskRules()
        for (name, kind) in arrivals.taskNames { rules.tasks[name] = TaskRules.Task(kind) }
        rules.defaultAttempts = settings.maxAttempts
        rules.admittedKinds = TaskRules.mediaKinds
        rules.webhooks = webhookRules
        (rules.billing, rules.ownerFields) = (settings.credits.billing, settings.credits.ownerFields)
        var replies = ReplySettings()
        replies.taskiqSerializer = settings.resultForm == .pickle ? .pickle : .json
        replies.taskiqPrefix = arrivals.taskiqPrefix
        replies.keepSeconds = settings.resultSeconds
        var sources: [String: EnvelopeReader.Source] = [:]
        for queue in arrivals.nativeQueues { sources[queue] = .init(dialect: .native, rules: rules, replies: replies) }
        for queue in arrivals.taskiqQueues { sources[queue] = .init(dialect: .taskiq, rules: rules, replies: replies) }
        for queue in arrivals.celeryQueues { sources[queue] = .init(dialect: .celery, rules: rules, replies: replies) }
        return EnvelopeReader(sources: sources)
    }

    private static func wallClock() -> StoreTime { StoreTime(Date().timeIntervalSince1970 * 1000) }
}
