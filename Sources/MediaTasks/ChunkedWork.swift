internal import CodecHost
internal import Isolation
internal import Model
internal import WorkerCore

/// A divided render in the slot of the worker that has its job: makes the chunks that nobody else makes, waits for those
/// that somebody does, and joins them all.
struct ChunkedWork: Sendable {
    let maker: ChunkMaker
    let attempt: Attempt
    let document: TaskDocument
    let tasks: CodecTasks
    let files: JobFiles
    /// As the process that divided it was told of: joining is told the same.
    let main: CodecTask
    let division: ChunkDivision
    let interruption: Interruption
    let report: @Sendable (ProgressEvent) -> Void
    let began: Double

    /// How often one chunk is tried in an attempt, by anybody.
    private static let mostTries = 3
    /// How often chunks may turn out to be missing.
    private static let mostRounds = 3
    private static let waitSeconds = 0.5

    private var sharing: ChunkSharing { maker.sharing }
    private var clock: SystemClock { SystemClock() }

    func run() async throws -> (ChildResult, outputs: [String]) {
        let folder = ChunkSharing.folder(
            of: document.outputs.first ?? "", job: attempt.job.id, digest: division.digest)
        let (files, objects, owner) = (files, maker.objects, attempt.job.owner)
        try await OwnThread.run(named: "reelpool.files") { try objects.checkOutput(folder, owner: owner) }
        let offer = ChunkOffer(
            division: division, folder: folder, threads: tasks.caps.threads, secondsPerChunk: sharing.secondsPerChunk)
        guard try await ask({ [attempt] in try await $0.offerChunks(offer, for: attempt.lease) }) else {
            throw StopReason.leaseLost.failure
        }
        let before = try await records()
        let progress = ChunkProgress(before, division, clock: clock)
        var rounds = 0
        // Made anew because their objects were not there.
        var mended: Set<Int> = []
        while true {
            try await makeAll(progress)
            let done = try await records()
            do {
                let uris = done.compactMap(\.uri)
                guard uris.count == division.weights.count else {
                    throw Failure(code: .internalFault, message: "a chunk has no object")
                }
                (files.keptURIs, files.keptSizes) = (uris, done.compactMap(\.made?.sizeBytes))
                return (.render(sum(try await join(progress), before, done, mended)), main.outputs)
            } catch {
                rounds += 1
                guard Failure(error).code == .fileNotFound, rounds < Self.mostRounds else { throw error }
                let missing = try await OwnThread.run(named: "reelpool.files") { try files.missingKept() }
                guard !missing.isEmpty else { throw error }
                mended.formUnion(missing)
                try await ask { [attempt, division] in
                    try await $0.reopenChunks(of: attempt.lease, digest: division.digest, numbers: missing)
                }
            }
        }
    }

    private func records() async throws -> [ChunkRecord] {
        try await ask { [attempt, division] in
            try await $0.chunks(of: attempt.job.id, digest: division.digest)
        }
    }

    private func ask<Value: Sendable>(
        _ question: (any ChunkBoard) async throws -> Value
    ) async throws -> Value {
        try await sharing.ask(attempt.stop, question)
    }

    private func makeAll(_ progress: ChunkProgress) async throws {
        while true {
            if let reason = attempt.stop.reason { throw reason.failure }
            let records = try await records()
            progress.note(records)
            if let event = progress.event { report(event) }
            try checkSize(records)
            if records.allSatisfy({ $0.state == .done }) { return }
            let taken = try await ask { [attempt, division, sharing] in
                try await $0.takeChunk(of: attempt.lease, digest: division.digest, by: sharing.taker)
            }
            guard let claim = taken else {
                // Others make what is left, or hold it until their time is over.
                guard await clock.sleep(seconds: Self.waitSeconds) else { throw StopReason.drained.failure }
                continue
            }
            try await make(claim, progress)
        }
    }

    private func make(_ claim: ChunkClaim, _ progress: ChunkProgress) async throws {
        guard claim.tries <= Self.mostTries else {
            try await sharing.board.giveUpChunk(claim, failure: claim.failure)
            throw claim.failure
                ?? Failure(code: .crashed, message: "a chunk was lost with its worker again and again")
        }
        let stop = StopSwitch()
        attempt.stop.listen { [interruption] reason in
            stop.stop(reason)
            interruption.raise()
        }
        defer { attempt.stop.listen { [interruption] _ in interruption.raise() } }
        let caps = try limited(tasks.caps)
        let outcome = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await look(progress) }
            defer { group.cancelAll() }
            return try await maker.make(claim, caps: caps, stop: stop) { event in
                progress.note(claim.number, event)
                if let event = progress.event { report(event) }
            }
        }
        if case .lost = outcome, let reason = attempt.stop.reason { throw reason.failure }
    }

    /// What others do shows while one's own chunk is made.
    private func look(_ progress: ChunkProgress) async throws {
        while await clock.sleep(seconds: sharing.renewSeconds) {
            // Whatever keeps the store from answering shows elsewhere.
            if let records = try? await records() { progress.note(records) }
        }
    }

    /// What is left of the attempt's time.
    private func limited(_ caps: EffectiveCaps) throws -> EffectiveCaps {
        let left = Double(caps.wallSeconds) - (clock.now - began)
        guard left > 0 else { throw KillReason.wallTime.failure }
        var caps = caps
        caps.wallSeconds = Int(left.rounded(.up))
        return caps
    }

    /// Known before all is encoded: the output has its chunks' bytes, and more.
    private func checkSize(_ records: [ChunkRecord]) throws {
        let bytes = records.reduce(0) { $0 + ($1.made?.sizeBytes ?? 0) }
        guard bytes <= tasks.caps.outputBytes else { throw KillReason.outputSize.failure }
    }

    // MARK: Joining

    private func join(_ progress: ChunkProgress) async throws -> RenderReport {
        var task = main
        task.mode = .full
        task.chunks = ChunkOrder(
            step: .join, output: task.outputs.first ?? "", secondsPerChunk: sharing.secondsPerChunk, division: division)
        task.sources += files.keptSizes.enumerated().map { number, size in
            CodecTask.Source(name: "chunk \(number)", sizeBytes: size)
        }
        var limits = tasks.limits(sources: task.sources)
        limits.wallSeconds = Double(try limited(tasks.caps).wallSeconds)
        let (result, outputs) = try await maker.runner.run(
            ChildJob(task: task, limits: limits, requiresSandbox: maker.runner.requiresSandbox), files, attempt.stop,
            interruption
        ) { report(progress.joining($0)) }
        guard case .render(let made) = result, outputs == main.outputs else {
            throw Failure(code: .internalFault, message: "chunks were joined to nothing")
        }
        return made
    }

    private func sum(
        _ joined: RenderReport, _ before: [ChunkRecord], _ done: [ChunkRecord], _ mended: Set<Int>
    ) -> RenderReport {
        var made = joined
        var chunks = RenderReport.Chunks(count: done.count)
        chunks.mended = mended.count + (joined.chunks?.mended ?? 0)
        for (earlier, now) in zip(before, done) {
            if earlier.state == .done, !mended.contains(now.number) {
                chunks.reused += 1
                chunks.reusedFrames += now.made?.frames ?? 0
            } else {
                chunks.encodedFrames += now.made?.frames ?? 0
                if now.worker != sharing.worker { chunks.helped += 1 }
            }
        }
        made.chunks = chunks
        made.smart = division.smart
        made.elapsedSeconds = max(1e-6, clock.now - began)
        made.speed = made.durationSeconds / made.elapsedSeconds
        return made
    }
}
