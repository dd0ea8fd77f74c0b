package import CodecHost
internal import FoundationEssentials
internal import Isolation
package import Model
package import WorkerCore

/// Runs attempts in processes of their own: looks at the sources first, checks them against the caps, does the work, and
/// makes the outputs visible.
package final class CodecExecutor: TaskExecutor {
    private let runner: any ChildRuns
    private let objects: any MediaObjects
    private let sharing: ChunkSharing?

    /// - Parameter sharing: `nil` where every render is done in one go.
    package init(
        template: CodecTemplate, objects: any MediaObjects, requiresSandbox: Bool, sharing: ChunkSharing? = nil
    ) {
        runner = ChildRunner(template: template, requiresSandbox: requiresSandbox)
        (self.objects, self.sharing) = (objects, sharing)
    }

    package func run(
        _ attempt: Attempt, report: @escaping @Sendable (ProgressEvent) -> Void
    ) async -> AttemptResult {
        do {
            let document = try TaskDocument(kind: attempt.job.kind, payload: attempt.job.payload)
            do {
                return try await work(document, attempt, report)
            } catch {
                return .failed(ShownPlace.failure(Failure(error), of: document.sources))
            }
        } catch {
            return .failed(Failure(error))
        }
    }

    private func work(
        _ document: TaskDocument, _ attempt: Attempt, _ report: @escaping @Sendable (ProgressEvent) -> Void
    ) async throws -> AttemptResult {
        let interruption = Interruption()
        attempt.stop.listen { _ in interruption.raise() }
        defer { attempt.stop.stopListening() }
        let isFolder = if case .proxy = document { true } else { false }
        let files = JobFiles(
            objects, owner: attempt.job.owner, lease: attempt.lease, sources: document.sources,
            output: document.outputs.first, isFolder: isFolder, outputLimitBytes: attempt.caps.outputBytes,
            interruption: interruption)
        let caps = attempt.caps
        let isAdmission = attempt.job.state == .admitting
        let readsWholly = !isAdmission && [.proxy, .analysis].contains(attempt.job.kind)
        let sizes = try await OwnThread.run(named: "reelpool.files") {
            let sizes = try files.openSources(limitBytes: caps.sourceBytes, wholly: readsWholly)
            if !isAdmission { try files.prepareOutputs() }
            return sizes
        }
        let tasks = CodecTasks(document: document, caps: caps)
        guard var main = tasks.main(sizes: sizes) else { return .succeeded("{}") }
        if isAdmission || main.kind != .probe {
            let probes = try await look(at: document.sources, sizes, files, attempt, interruption)
            try check(probes, document.sources, caps)
            if isAdmission {
                let need = Need.of(document, probes, caps)
                return .admitted(
                    costSeconds: need.costSeconds, memoryBytes: need.memoryBytes,
                    bound: MediaBound.of(document, probes))
            }
        }
        let began = SystemClock().now
        if let sharing { tasks.mayBeDivided(&main, versions: files.versions, sharing) }
        var (result, outputs) = try await runner.run(
            ChildJob(
                task: main, limits: tasks.limits(sources: main.sources), requiresSandbox: runner.requiresSandbox),
            files, attempt.stop, interruption, report)
        if case .division(let division) = result, let sharing {
            let work = ChunkedWork(
                maker: ChunkMaker(runner: runner, objects: objects, sharing: sharing), attempt: attempt,
                document: document, tasks: tasks, files: files, main: main, division: division,
                interruption: interruption, report: report, began: began)
            (result, outputs) = try await work.run()
        }
        return try await write(result, outputs, tasks, files)
    }

    /// Makes visible what was made.
    private func write(
        _ result: ChildResult, _ outputs: [String], _ tasks: CodecTasks, _ files: JobFiles
    ) async throws -> AttemptResult {
        try await OwnThread.run(named: "reelpool.files") {
            var outputs = outputs
            if case .analysis(let report) = result, let name = tasks.editName {
                try files.write(try ResultText.edit(report.edit), name: name)
                outputs.append(name)
            }
            let uris = try files.commit(outputs)
            return .succeeded(try ResultText.of(result, outputs: uris))
        }
    }

    /// Each source in a process of its own that does nothing else: a hostile one shows before anything is spent on it.
    private func look(
        at uris: [String], _ sizes: [Int64?], _ files: JobFiles, _ attempt: Attempt, _ interruption: Interruption
    ) async throws -> [ProbeReport] {
        var reports: [ProbeReport] = []
        for (index, (uri, size)) in zip(uris, sizes).enumerated() {
            let job = ChildJob(
                task: CodecTasks.probe(uri, sizeBytes: size), limits: CodecTasks.probeLimits(attempt.caps),
                requiresSandbox: runner.requiresSandbox)
            let ending = try await runner.run(job, files.only(index), attempt.stop, interruption, { _ in })
            guard case (.probe(let report), _) = ending else {
                throw Failure(code: .internalFault, message: "a probe gave no report")
            }
            reports.append(report)
        }
        return reports
    }

    private func check(_ probes: [ProbeReport], _ uris: [String], _ caps: EffectiveCaps) throws {
        for (probe, uri) in zip(probes, uris) {
            guard let seconds = probe.container.durationSeconds, seconds > Double(caps.sourceSeconds) else { continue }
            let place = ShownPlace.text(uri)
            throw Failure(
                code: .sourceTooLong,
                message: "\(place) lasts \(Int(seconds / 60)) minutes; sources may last \(caps.sourceSeconds / 60)")
        }
    }
}

// MARK: Others' renders

extension CodecExecutor: ChunkHelper {
    package func takeChunk(memoryBytes: Int64) async throws(StoreError) -> ChunkClaim? {
        guard let sharing else { return nil }
        return try await sharing.board.takeAnyChunk(by: sharing.taker, memoryBytes: memoryBytes)
    }

    package func makeChunk(_ claim: ChunkClaim, caps: EffectiveCaps, stop: StopSwitch) async -> Failure? {
        guard let sharing else { return nil }
        do {
            let maker = ChunkMaker(runner: runner, objects: objects, sharing: sharing)
            _ = try await maker.make(claim, caps: caps, stop: stop)
            return nil
        } catch {
            return Failure(error)
        }
    }
}
