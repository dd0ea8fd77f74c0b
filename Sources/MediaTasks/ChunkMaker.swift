internal import CodecHost
internal import Isolation
internal import Model
internal import Synchronization
internal import WorkerCore

/// Makes one chunk that was taken: for the attempt that has its job, or for another worker's.
struct ChunkMaker: Sendable {
    enum Outcome: Sendable, Equatable {
        case made(ChunkMade)
        /// Its attempt is over, or another has it: nothing of it is left here.
        case lost
    }

    /// How much of the chunk is done.
    private final class Done: Sendable {
        private let value = Mutex(0.0)
        var fraction: Double { value.withLock { $0 } }
        func note(_ fraction: Double) { value.withLock { $0 = max($0, fraction) } }
    }

    let runner: any ChildRuns
    let objects: any MediaObjects
    let sharing: ChunkSharing

    /// Says on the board what came of it.
    ///
    /// - Parameter stop: of this chunk alone.
    func make(
        _ claim: ChunkClaim, caps: EffectiveCaps, stop: StopSwitch,
        report: @escaping @Sendable (ProgressEvent) -> Void = { _ in }
    ) async throws -> Outcome {
        let done = Done()
        do {
            let made = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await renew(claim, stop, done) }
                defer { group.cancelAll() }
                return try await encode(claim, caps, stop) { event in
                    done.note(event.fraction)
                    report(event)
                }
            }
            if try await sharing.ask(stop, { try await $0.finishChunk(claim, made.0, uri: made.uri) }) {
                return .made(made.0)
            }
        } catch {
            // Nothing of it runs any more. If it is somebody else's by now, this changes nothing.
            let failure: Failure? = stop.reason == nil ? Failure(error) : nil
            try? await sharing.board.giveUpChunk(claim, failure: failure)
            if stop.reason != .leaseLost { throw error }
        }
        return .lost
    }

    /// Holds the claim until the task is cancelled. Stops the work when it is lost, or may be by the store's clock.
    private func renew(_ claim: ChunkClaim, _ stop: StopSwitch, _ done: Done) async {
        let clock = SystemClock()
        var held = clock.now
        while await clock.sleep(seconds: sharing.renewSeconds) {
            let moment = clock.now
            do {
                guard
                    try await sharing.board.renewChunk(claim, fraction: done.fraction, seconds: sharing.leaseSeconds)
                else { return stop.stop(.leaseLost) }
                held = moment
            } catch {
                guard clock.now - held < sharing.leaseSeconds * 2 / 3 else { return stop.stop(.leaseLost) }
            }
        }
    }

    private func encode(
        _ claim: ChunkClaim, _ caps: EffectiveCaps, _ stop: StopSwitch,
        _ report: @escaping @Sendable (ProgressEvent) -> Void
    ) async throws -> (ChunkMade, uri: String) {
        let document = try TaskDocument(kind: claim.job.kind, payload: claim.job.payload)
        let interruption = Interruption()
        stop.listen { _ in interruption.raise() }
        defer { stop.stopListening() }
        let files = JobFiles(
            objects, owner: claim.job.owner, lease: claim.lease, sources: document.sources,
            output: claim.offer.folder, isFolder: true, outputLimitBytes: caps.outputBytes, interruption: interruption)
        do {
            let (sizes, versions) = try await OwnThread.run(named: "reelpool.files") {
                (try files.openSources(limitBytes: caps.sourceBytes, wholly: false), files.versions)
            }
            let tasks = CodecTasks(document: document, caps: caps)
            guard let task = tasks.chunk(claim, sizes: sizes, versions: versions) else {
                throw Failure(code: .invalidTask, message: "only renders have chunks")
            }
            let (result, outputs) = try await runner.run(
                ChildJob(
                    task: task, limits: tasks.limits(sources: task.sources), requiresSandbox: runner.requiresSandbox),
                files, stop, interruption, report)
            guard case .chunk(let made) = result, outputs == task.outputs else {
                throw Failure(code: .internalFault, message: "a chunk's process gave none")
            }
            // So that nobody removes what has just got its name.
            let seconds = sharing.leaseSeconds
            guard try await sharing.ask(stop, { try await $0.renewChunk(claim, fraction: 1, seconds: seconds) }) else {
                stop.stop(.leaseLost)
                throw StopReason.leaseLost.failure
            }
            let uri = try await OwnThread.run(named: "reelpool.files") { try files.keep(task.outputs[0]) }
            return (made, uri)
        } catch {
            throw ShownPlace.failure(Failure(error), of: document.sources)
        }
    }
}
