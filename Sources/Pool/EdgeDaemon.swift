internal import CodecHost
internal import Downloads
internal import FoundationEssentials
internal import HTTPTransfer
internal import Logging
internal import MediaTasks
internal import Model
internal import PoolConfig
internal import Service
internal import StoreEdge
internal import Synchronization
internal import WorkerCore

/// A worker that reaches nothing of its pool but the control service, by requests of its own: it has no database, no
/// broker, no cache and no credentials of an object store.
final class EdgeDaemon: Daemon {
    private let settings: PoolSettings
    private let client: EdgeClient
    private let queue: EdgeQueue
    private let progress: EdgeProgress
    private let worker: Worker
    private let template: CodecTemplate
    private let objects: ObjectRouter
    private let log: Logger
    private let serviceFailure = Mutex<Failure?>(nil)

    init(
        _ settings: PoolSettings, _ control: PoolSettings.Control, codecProgram: String, instance: String,
        version: String, log: Logger
    ) throws {
        (self.settings, self.log) = (settings, log)
        client = EdgeClient(
            .init(
                service: try WebAddress(control.url), token: control.token, authorityFile: control.authorityFile,
                version: version))
        queue = EdgeQueue(client)
        progress = EdgeProgress(client, worker: settings.name)
        template = CodecTemplate(CodecTemplate.Settings(program: codecProgram, fonts: settings.fonts))
        let userAgent = "reelpool/\(version)"
        let now = { @Sendable () -> StoreTime in StoreTime(Date().timeIntervalSince1970 * 1000) }
        objects = ObjectSetup.router(
            settings,
            store: ObjectSetup.store(
                of: control, client, worker: settings.name, userAgent: userAgent, log: log),
            userAgent: userAgent, now: now)
        let executor = CodecExecutor(template: template, objects: objects, requiresSandbox: settings.requiresSandbox)
        var executors: [JobKind: any TaskExecutor] = [.noop: NoopExecutor()]
        for kind in settings.kinds where kind.needsProcess { executors[kind] = executor }
        executors[.download] = DownloadExecutor(
            objects: objects, addresses: AddressGuard(allowing: settings.sourceHosts), userAgent: userAgent, now: now)
        var worker = WorkerSettings(settings, instance: instance, version: version)
        // Each look and each renewal is a journey; the service tells when there is something to look for.
        worker.pollSeconds = 1
        worker.idlePollSeconds = 10
        self.worker = Worker(
            settings: worker, queue: queue, upkeep: nil, executors: executors, progress: progress, log: log)
    }

    func run() async throws {
        if try await !client.check() { log.warning("the control service does not answer yet") }
        if settings.kinds.contains(where: \.needsProcess) {
            try template.startIsolated(requiresSandbox: settings.requiresSandbox, log: log)
        }
        log.noteReady(settings)
        await withTaskGroup { group in
            group.addTask { await OutputSettler(objects: self.objects, queue: self.queue).run() }
            group.addTask { await self.serve() }
            await worker.run()
            group.cancelAll()
        }
        template.stop()
        await progress.close()
        await queue.close()
        if let failure = serviceFailure.withLock({ $0 }) { throw failure }
    }

    func drain() async { await worker.drain() }

    /// For what watches this machine: nobody of the pool comes by here.
    private func serve() async {
        do {
            try await SchedulerService.runHealth(
                attempts: worker.counts,
                obstacles: { [weak self] in await self?.obstacles() ?? ["the process is ending"] },
                host: settings.service.host, port: settings.service.port, log: log,
                onStart: { [log] port in log.notice("listening", metadata: ["port": "\(port)"]) })
        } catch is CancellationError {
            return
        } catch {
            let failure = Failure(
                code: .listenFailed, message: "\(settings.service.host):\(settings.service.port) cannot be listened on",
                detail: "\(error)")
            serviceFailure.withLock { $0 = failure }
            await drain()
            await drain()
        }
    }

    private func obstacles() async -> [String] {
        var lines: [String] = []
        do { _ = try await queue.workers() } catch { lines.append("\(error.message): \(error.detail ?? "")") }
        if await worker.status.isDraining { lines.append("draining") }
        return lines
    }
}
