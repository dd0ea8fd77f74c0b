internal import EdgeWire
internal import Model
internal import Synchronization
package import WorkerCore

/// The work of a pool by way of its control service.
///
/// An answer may be lost on its way. So a claim says which leases are known here, and what the service holds for this
/// worker besides is given out again; an ending that was not answered is marked when it is sent again.
package final class EdgeQueue: WorkQueue {
    /// Between two looks for news, so that a busy pool is not one long flood of them.
    private static let newsPause = 0.1
    private static let retry = Backoff(baseSeconds: 0.5, capSeconds: 5)

    private struct State {
        /// Given out by a claim, and not ended here. A lease that was lost stays: that is seldom, and no harm.
        var known: Set<Lease> = []
        /// Endings that were sent without an answer.
        var unanswered: Set<Lease> = []
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextListener = 0
        var isClosed = false
    }

    private let client: EdgeClient
    private let clock: any PoolClock
    private let state = Mutex(State())
    /// One claim after the other: each says what all before it were given.
    private let turn = Turn()

    package init(_ client: EdgeClient, clock: any PoolClock = SystemClock()) {
        (self.client, self.clock) = (client, clock)
    }

    package func claim(_ request: ClaimRequest) async throws(StoreError) -> [JobRecord] {
        await turn.take()
        do {
            let jobs = try await claimNext(request)
            await turn.leave()
            return jobs
        } catch {
            await turn.leave()
            throw error
        }
    }

    private func claimNext(_ request: ClaimRequest) async throws(StoreError) -> [JobRecord] {
        let (holding, isClosed) = state.withLock { (Array($0.known), $0.isClosed) }
        guard !isClosed else { throw StoreError("the way to the control service is closed") }
        let answer: EdgeWire.Jobs = try await client.askStore("claim", EdgeWire.Claim(request, holding: holding))
        let jobs = answer.jobs.map(\.record)
        state.withLock { state in
            for job in jobs { state.known.insert(Lease(job: job.id, epoch: job.epoch)) }
        }
        return jobs
    }

    package func renew(
        _ leases: [Lease], worker: String, seconds: Double
    ) async throws(StoreError) -> RenewOutcome {
        guard !leases.isEmpty else { return RenewOutcome() }
        // Another try has to fit into what is left of the lease.
        let answer: EdgeWire.Renewed = try await client.askStore(
            "renew", EdgeWire.Renewal(worker: worker, leases: leases, seconds: seconds),
            within: max(1, min(8, seconds / 4)))
        return answer.outcome
    }

    package func finish(
        _ endings: [AttemptEnding], worker: String
    ) async throws(StoreError) -> [FinishOutcome] {
        guard !endings.isEmpty else { return [] }
        let unanswered = state.withLock { $0.unanswered }
        let message = EdgeWire.Finish(
            worker: worker,
            endings: endings.map { EdgeEnding($0, isRepeated: unanswered.contains($0.lease)) })
        let answer: EdgeWire.Finished
        do {
            answer = try await client.askStore("finish", message)
        } catch {
            state.withLock { $0.unanswered.formUnion(endings.map(\.lease)) }
            throw error
        }
        guard answer.outcomes.count == endings.count else {
            throw StoreError("the control service forgot an ending", code: .internalFault)
        }
        state.withLock { $0.unanswered.subtract(endings.map(\.lease)) }
        forget(zip(endings, answer.outcomes).filter { $1 != .stale }.map { $0.0.lease })
        return answer.outcomes
    }

    /// Nobody would tell it again: so it is told until it is heard, for a while.
    package func admit(_ admission: Admission) async throws(StoreError) -> Bool {
        let answer: EdgeWire.Admitted = try await persistently("admit", EdgeWire.Admitting(admission))
        forget([admission.lease])
        return answer.counted
    }

    package func heartbeat(_ worker: WorkerRecord) async throws(StoreError) {
        let _: EdgeWire.Nothing = try await client.askStore("heartbeat", EdgeWorker(worker))
    }

    package func workers() async throws(StoreError) -> [WorkerRecord] {
        let answer: EdgeWire.Workers = try await client.askStore("workers", EdgeWire.Nothing())
        return answer.workers.map(\.record)
    }

    package func releaseLeases(ofEarlier worker: WorkerRecord) async throws(StoreError) -> [JobID] {
        let answer: EdgeWire.Released = try await persistently("release", EdgeWorker(worker))
        return answer.jobs
    }

    package func job(_ id: JobID) async throws(StoreError) -> JobRecord? {
        let answer: EdgeWire.Seen = try await client.askStore("job", EdgeWire.Look(job: id))
        return answer.job?.record
    }

    /// News as the service has it, by one request after the other that waits there.
    package func wakeUps() async -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let work = Task { [client, clock] in
            var (seen, failures) = (String?.none, 0)
            while !Task.isCancelled {
                do {
                    let news: EdgeWire.News = try await client.ask(
                        "wait", EdgeWire.Wait(seen: seen), within: EdgeWire.waitSeconds + 15)
                    if news.latest != seen { continuation.yield() }
                    (seen, failures) = (news.latest, 0)
                    _ = await clock.sleep(seconds: Self.newsPause)
                } catch {
                    failures += 1
                    _ = await clock.sleep(
                        seconds: Self.retry.pauseSeconds(afterAttempt: failures, unit: .random(in: 0.5..<1)))
                }
            }
            continuation.finish()
        }
        let number = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            work.cancel()
            if let number { self?.state.withLock { state in _ = state.listeners.removeValue(forKey: number) } }
        }
        if number == nil { continuation.finish() }
        return stream
    }

    /// Ends all streams, and takes no more claims.
    package func close() async {
        let listeners = state.withLock { state in
            state.isClosed = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }

    private func forget(_ leases: [Lease]) {
        state.withLock { $0.known.subtract(leases) }
    }

    /// For what may be asked again without harm.
    private func persistently<Answer: Decodable>(
        _ path: String, _ message: some Encodable
    ) async throws(StoreError) -> Answer {
        var tries = 1
        while true {
            do {
                return try await client.askStore(path, message, within: 5)
            } catch {
                guard tries < 4 else { throw error }
                let pause = Self.retry.pauseSeconds(afterAttempt: tries, unit: .random(in: 0.5..<1))
                guard await clock.sleep(seconds: pause) else { throw error }
                tries += 1
            }
        }
    }
}

/// Lets one pass after the other, in the order in which they come.
private actor Turn {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        guard isTaken else {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
