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
            return try await work(attempt, report)
        } catch {
            return .failed(Failure(error))
        }
    }

    private func work(
        _ attempt: Attempt, _ report: @escaping @Sendable (ProgressEvent) -> Void
    ) async throws -> AttemptResult {
        let document = try TaskDocument(kind: attempt.job.kind, payload: attempt.job.payload)
        let isFolder = if case .proxy = document { true } else { false }
        let files = JobFiles(
            objects, owner: attempt.job.owner, lease: attempt.lease, sources: document.sources,
            output: document.outputs.first, isFolder: isFolder, outputLimitBytes: attempt.caps.outputBytes)
        let caps = attempt.caps
        let isAdmission = attempt.job.state == .admitting
        let sizes = try await OwnThread.run(named: "reelpool.files") {
            let sizes = try files.openSources(limitBytes: caps.sourceBytes)
            if !isAdmission { try files.prepareOutputs() }
            return sizes
        }
        let tasks = CodecTasks(document: document, caps: caps)
        guard let main = tasks.main(sizes: sizes) else { return .succeeded("{}") }
        if isAdmission || main.kind != .probe {
            let probes = try await look(at: document.sources, sizes, attempt)
            try check(probes, document.sources, caps)
            if isAdmission {
                let need = Need.of(document, probes, caps)
                return .admitted(costSeconds: need.costSeconds, memoryBytes: need.memoryBytes)
            }
        }
        let (result, outputs) = try await child(
            ChildJob(task: main, limits: tasks.limits(sources: main.sources), requiresSandbox: requiresSandbox),
            files, attempt.stop, report)
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
    private func look(at uris: [String], _ sizes: [Int64?], _ attempt: Attempt) async throws -> [ProbeReport] {
        var reports: [ProbeReport] = []
        for (uri, size) in zip(uris, sizes) {
            let files = JobFiles(
                objects, owner: attempt.job.owner, lease: attempt.lease, sources: [uri], output: nil, isFolder: false,
                outputLimitBytes: 0)
            _ = try await OwnThread.run(named: "reelpool.files") { try files.openSources(limitBytes: .max) }
            let job = ChildJob(
                task: CodecTasks.probe(uri, sizeBytes: size), limits: CodecTasks.probeLimits(attempt.caps),
                requiresSandbox: requiresSandbox)
            guard case (.probe(let report), _) = try await child(job, files, attempt.stop, { _ in }) else {
                throw Failure(code: .internalFault, message: "a probe gave no report")
            }
            reports.append(report)
        }
        return reports
    }

    private func check(_ probes: [ProbeReport], _ uris: [String], _ caps: EffectiveCaps) throws {
        for (probe, uri) in zip(probes, uris) {
            guard let seconds = probe.container.durationSeconds, seconds > Double(caps.sourceSeconds) else { continue }
            throw Failure(
                code: .sourceTooLong,
                message: "\(uri) lasts \(Int(seconds / 60)) minutes; sources may last \(caps.sourceSeconds / 60)")
        }
    }

    private func child(
        _ job: ChildJob, _ files: JobFiles, _ stop: StopSwitch, _ report: @escaping @Sendable (ProgressEvent) -> Void
    ) async throws -> (ChildResult, outputs: [String]) {
        if let reason = stop.reason { throw reason.failure }
        let template = template
        let child = try await OwnThread.run(named: "reelpool.fork") { try template.fork() }
        stop.listen { child.kill($0.killReason) }
        defer { stop.stopListening() }
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
