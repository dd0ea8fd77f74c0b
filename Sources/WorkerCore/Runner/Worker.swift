package import Logging
internal import Model

/// Claims jobs that fit, runs them, holds their leases, and writes down how they ended.
package actor Worker {
    let settings: WorkerSettings
    let queue: any WorkQueue
    /// `nil` where others see to it.
    let upkeep: (any StoreUpkeep)?
    private let executors: [JobKind: any TaskExecutor]
    /// `nil` where no chunks are made of others' jobs.
    private let helper: (any ChunkHelper)?
    private let progress: any ProgressSink
    let clock: any PoolClock
    private let endings: EndingBatcher
    package nonisolated let counts = AttemptCounts()
    let log: Logger
    var board: SlotBoard
    /// What reaches the attempts that run.
    private(set) var live: [Lease: (reporter: ProgressReporter, stop: StopSwitch)] = [:]
    private var isDraining = false
    private var isHurried = false
    var largestBudgetBytes: Int64 = 0
    /// Live ones, this one included.
    var workerCount = 1
    /// Something may have become claimable since it was last looked.
    private let news = Doorbell()
    var lastLook = 0.0

    /// A worker that is at the store itself, and does its part of the upkeep.
    package init(
        settings: WorkerSettings, store: any JobStore, executors: [JobKind: any TaskExecutor],
        helper: (any ChunkHelper)? = nil, progress: any ProgressSink, clock: any PoolClock = SystemClock(), log: Logger
    ) {
        self.init(
            settings: settings, queue: store, upkeep: store, executors: executors, helper: helper, progress: progress,
            clock: clock, log: log)
    }

    package init(
        settings: WorkerSettings, queue: any WorkQueue, upkeep: (any StoreUpkeep)?,
        executors: [JobKind: any TaskExecutor], helper: (any ChunkHelper)? = nil, progress: any ProgressSink,
        clock: any PoolClock = SystemClock(), log: Logger
    ) {
        (self.settings, self.queue, self.upkeep, self.executors) = (settings, queue, upkeep, executors)
        self.helper = helper
        (self.progress, self.clock, self.log) = (progress, clock, log)
        endings = EndingBatcher(queue: queue, worker: settings.name, clock: clock)
        board = SlotBoard(slots: settings.slots, memoryBytes: settings.memoryBytes)
    }

    /// Works until it is drained.
    package func run() async {
        await releaseEarlierLeases()
        await withTaskGroup { group in
            group.addTask { await self.repeatedly(every: { self.settings.renewSeconds }) { await self.renew() } }
            group.addTask { await self.repeatedly(every: { 1 }) { await self.tick() } }
            group.addTask { await self.repeatedly(every: { self.settings.pollSeconds }) { await self.poll() } }
            group.addTask { await self.repeatedly(every: { self.settings.heartbeatSeconds }) { await self.beat() } }
            if let upkeep {
                group.addTask {
                    await self.repeatedly(every: { await self.sweepSeconds }) { await self.sweep(upkeep) }
                }
                group.addTask {
                    await self.repeatedly(every: { self.settings.pruneSeconds }) { await self.prune(upkeep) }
                }
            }
            group.addTask { for await _ in await self.queue.wakeUps() { self.wakeUp() } }
            await claimUntilDrained()
            await beat()
            group.cancelAll()
        }
    }

    /// Takes no more jobs, and gives running ones their time. The second call does not.
    package func drain() {
        if isDraining { isHurried = true }
        isDraining = true
        // Somebody else has the job, and loses a chunk's time at most.
        for help in board.helping.values { help.stop.stop(.drained) }
        wakeUp()
    }

    package var status: WorkerRecord {
        WorkerRecord(
            name: settings.name, instance: settings.instance, kinds: settings.kinds, slots: settings.slots,
            busySlots: board.busySlots, memoryBytes: settings.memoryBytes, isDraining: isDraining,
            version: settings.version)
    }

    // MARK: Claiming

    private func claimUntilDrained() async {
        await withDiscardingTaskGroup { group in
            while !isDraining {
                let attempts = await claim()
                for attempt in attempts { start(attempt, in: &group) }
                guard attempts.isEmpty, !isDraining else { continue }
                if await helpOut(in: &group) { continue }
                await news.wait()
            }
            await waitForRunning()
        }
    }

    nonisolated func wakeUp() { news.ring() }

    /// Takes a chunk of another's job, where there is nothing to claim. Jobs are looked for again before the next one, so
    /// that none waits longer than a chunk takes.
    private func helpOut(in group: inout DiscardingTaskGroup) async -> Bool {
        guard let helper, settings.kinds.contains(.render), board.freeSlots > 0 else { return false }
        do {
            guard let claim = try await helper.takeChunk(memoryBytes: board.freeMemoryBytes) else { return false }
            let (caps, stop) = (caps(of: claim.job), StopSwitch())
            let number = board.startHelp(memoryBytes: caps.memoryBytes, stop: stop)
            // Asked to drain while the store was asked.
            if isDraining { stop.stop(.drained) }
            log.info("helps with a chunk", metadata: ["job": "\(claim.job.id)", "chunk": "\(claim.number)"])
            group.addTask {
                let failure = await helper.makeChunk(claim, caps: caps, stop: stop)
                await self.endHelp(number, claim, failure)
            }
            return true
        } catch {
            log.warning("looking for a chunk failed", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func endHelp(_ number: Int, _ claim: ChunkClaim, _ failure: Failure?) {
        board.endHelp(number)
        if let failure {
            log.notice(
                "a chunk was given up",
                metadata: [
                    "job": "\(claim.job.id)", "chunk": "\(claim.number)", "code": "\(failure.code.rawValue)",
                    "error": "\(failure.message)",
                ])
        }
        wakeUp()
    }

    private func claim() async -> [Attempt] {
        var attempts: [Attempt] = []
        let worked = settings.kinds.filter { $0 != .noop }
        do {
            // One at a time: the next one's memory has to fit beside this one's.
            while !worked.isEmpty, board.freeSlots > 0, !isDraining {
                let claimed = try await queue.claim(request(worked, limit: 1))
                guard let job = claimed.first else { break }
                let attempt = Attempt(job: job, caps: caps(of: job), startedAt: clock.now)
                board.start(job, memoryBytes: attempt.caps.memoryBytes, at: clock.now)
                attempts.append(attempt)
            }
            if settings.kinds.contains(.noop), board.freeNoops > 0, !isDraining {
                let claimed = try await queue.claim(request([.noop], limit: board.freeNoops))
                for job in claimed { board.start(job, memoryBytes: 0, at: clock.now) }
                attempts += claimed.map { Attempt(job: $0, caps: .none, startedAt: clock.now) }
            }
        } catch {
            log.warning("claiming failed", metadata: ["error": "\(error)"])
        }
        return attempts
    }

    private func request(_ kinds: [JobKind], limit: Int) -> ClaimRequest {
        ClaimRequest(
            worker: settings.name, instance: settings.instance, kinds: kinds, limit: limit,
            memoryBytes: board.freeMemoryBytes, leaseSeconds: settings.leaseSeconds, admits: true)
    }

    /// An attempt may use its cap, whatever was predicted, and so much is reserved for it; where less is free, that is
    /// its cap. What was predicted is free: the claim asked for no more.
    private func caps(of job: JobRecord) -> EffectiveCaps {
        let base = settings.caps[job.kind] ?? .none
        var caps = base.lowered(by: job.caps, overflowBytes: job.isOverflow ? job.memoryBytes : nil)
        caps.memoryBytes = min(caps.memoryBytes, board.freeMemoryBytes)
        return caps
    }

    // MARK: Attempts

    private func start(_ attempt: Attempt, in group: inout DiscardingTaskGroup) {
        let reporter = ProgressReporter(attempt.job, sink: progress)
        live[attempt.lease] = (reporter, attempt.stop)
        if attempt.job.kind != .noop {
            reporter.tick()
            log.info("the attempt begins", metadata: Self.metadata(attempt.job))
        }
        group.addTask { await self.perform(attempt, reporter) }
    }

    private func perform(_ attempt: Attempt, _ reporter: ProgressReporter) async {
        let result: AttemptResult
        if let executor = executors[attempt.job.kind] {
            result = await executor.run(attempt) { reporter.take($0) }
        } else {
            let failure = Failure(code: .unknownTask, message: "this worker has nothing that runs \(attempt.job.kind)")
            result = .failed(failure)
        }
        await end(attempt, result, reporter)
        board.end(attempt.lease)
        live[attempt.lease] = nil
        wakeUp()
    }

    private func end(_ attempt: Attempt, _ result: AttemptResult, _ reporter: ProgressReporter) async {
        if board.running[attempt.lease]?.stopReason == .leaseLost { return }
        if case .admitted(let costSeconds, let memoryBytes, let bound) = result {
            let admission = Admission(
                lease: attempt.lease, costSeconds: costSeconds, memoryBytes: memoryBytes, bound: bound)
            do { _ = try await queue.admit(admission) } catch { warn("recording an admission", attempt.job, error) }
            return
        }
        let outcome = outcome(of: result, attempt)
        let answer = await endings.finish(AttemptEnding(lease: attempt.lease, outcome: outcome))
        guard case .accepted(let state) = answer else {
            log.notice(
                "an ending came too late", metadata: ["job": "\(attempt.job.id)", "epoch": "\(attempt.job.epoch)"])
            return
        }
        tellEnd(state, outcome, reporter)
        note(state, result, attempt)
    }

    private func note(_ state: JobState, _ result: AttemptResult, _ attempt: Attempt) {
        let seconds = clock.now - attempt.startedAt
        let failure: Failure? = if case .failed(let failure) = result { failure } else { nil }
        counts.add(attempt.job.kind, failure?.category, seconds: seconds)
        guard attempt.job.kind != .noop else { return }
        var metadata = Self.metadata(attempt.job)
        metadata["state"] = "\(state.rawValue)"
        metadata["seconds"] = "\((seconds * 1000).rounded() / 1000)"
        if let failure {
            metadata["code"] = "\(failure.code.rawValue)"
            metadata["error"] = "\(failure.message)"
            if let detail = failure.detail { metadata["detail"] = "\(detail)" }
        }
        log.info("the attempt has ended", metadata: metadata)
    }

    private static func metadata(_ job: JobRecord) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "job": "\(job.id)", "kind": "\(job.kind.rawValue)", "epoch": "\(job.epoch)", "owner": "\(job.owner)",
        ]
        if let request = job.requestID { metadata["request_id"] = "\(request)" }
        return metadata
    }

    private func outcome(of result: AttemptResult, _ attempt: Attempt) -> AttemptEnding.Outcome {
        switch result {
        case .succeeded(let json): return .succeeded(json)
        case .admitted: return .interrupted(StopReason.leaseLost.failure)
        case .failed(let failure):
            // What an executor makes of being stopped is not the reason why it was.
            let reason = board.running[attempt.lease]?.stopReason?.failure ?? failure
            return settings.failures.outcome(
                of: reason, job: attempt.job,
                circumstances: FailurePolicy.Circumstances(
                    largestBudgetBytes: largestBudgetBytes, memoryCapBytes: attempt.caps.memoryBytes,
                    random: .random(in: 0..<1)))
        }
    }

    private func tellEnd(_ state: JobState, _ outcome: AttemptEnding.Outcome, _ reporter: ProgressReporter) {
        switch (state, outcome) {
        case (.succeeded, .succeeded(let json)): reporter.end(.succeeded, result: json)
        case (.failed, .failed(let failure)): reporter.end(.failed, failure: failure)
        case (.dead, .dead(let failure)): reporter.end(.dead, failure: failure)
        case (.cancelled, _): reporter.end(.cancelled, failure: StopReason.cancelled.failure)
        case (_, .retry(let failure, _, _, _)), (_, .interrupted(let failure)): reporter.end(.queued, failure: failure)
        case (_, .failed(let failure)), (_, .dead(let failure)), (_, .cancelled(let failure)):
            reporter.end(.failed, failure: failure)
        case (_, .succeeded): reporter.end(.queued)
        }
    }

    func stop(_ leases: some Sequence<Lease>, because reason: StopReason) {
        for lease in board.stop(leases, because: reason) { live[lease]?.stop.stop(reason) }
    }

    private func waitForRunning() async {
        let deadline = clock.now + settings.drainSeconds
        while !board.running.isEmpty, !isHurried, clock.now < deadline {
            guard await clock.sleep(seconds: 0.05) else { break }
        }
        stop(Array(board.running.keys), because: .drained)
    }

    private func warn(_ what: String, _ job: JobRecord, _ error: any Error) {
        log.warning("\(what) failed", metadata: ["job": "\(job.id)", "error": "\(error)"])
    }
}

extension EffectiveCaps {
    /// Of kinds that run in the daemon.
    fileprivate static let none = EffectiveCaps(
        memoryBytes: 0, threads: 1, wallSeconds: 3600, stallSeconds: 3600, outputBytes: .max, sourceSeconds: .max,
        sourceBytes: .max)
}
