package import CodecHost
internal import FoundationEssentials
internal import Isolation
package import Model
package import WorkerCore

/// Runs attempts in processes of their own: looks at the sources first, checks them against the caps, does the work, and
/// makes the outputs visible.
package final class CodecExecutor: TaskExecutor {
    private let template: CodecTemplate
    private let objects: any MediaObjects
    private let requiresSandbox: Bool

    package init(template: CodecTemplate, objects: any MediaObjects, requiresSandbox: Bool) {
        (self.template, self.objects, self.requiresSandbox) = (template, objects, requiresSandbox)
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
        guard let main = tasks.main(sizes: sizes) else { return .succeeded("{}") }
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
        let (result, outputs) = try await child(
            ChildJob(task: main, limits: tasks.limits(sources: main.sources), requiresSandbox: requiresSandbox),
            files, attempt.stop, interruption, report)
        return try await OwnThread.run(named: "reelpool.files") {
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
                requiresSandbox: requiresSandbox)
            let ending = try await child(job, files.only(index), attempt.stop, interruption, { _ in })
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

    private func child(
        _ job: ChildJob, _ files: JobFiles, _ stop: StopSwitch, _ interruption: Interruption,
        _ report: @escaping @Sendable (ProgressEvent) -> Void
    ) async throws -> (ChildResult, outputs: [String]) {
        if let reason = stop.reason { throw reason.failure }
        let template = template
        let child = try await OwnThread.run(named: "reelpool.fork") { try template.fork() }
        stop.listen { reason in
            child.kill(reason.killReason)
            interruption.raise()
        }
        defer { stop.listen { _ in interruption.raise() } }
        let ending = await child.run(job, files: files, progress: report)
        if case .finished(let result, let outputs) = ending.outcome { return (result, outputs) }
        throw ending.outcome.failure ?? Failure(code: .internalFault, message: "a process ended without a reason")
    }
}

extension StopReason {
    fileprivate var killReason: KillReason {
        switch self {
        case .cancelled: .cancelled
        case .drained: .drained
        case .leaseLost: .leaseLost
        }
    }
}
