package import Model
package import WorkerCore

/// What an update says, and to whom.
package enum ProgressTelling {
    /// How long the latest update of a job can be read.
    package static let keepSeconds = 86_400
    /// How long a project's latest event can be read, as the back ends that read it expect.
    static let projectKeepSeconds = 3600

    /// Where every update of a job is published.
    package static func channel(of job: JobID) -> String { "reelpool:job:\(job)" }

    /// Where a back end hears of all that belongs to a project of its own.
    static func channel(ofProject project: String) -> String { "project:\(project):events" }

    /// A hash that has the latest update as `data`. To miss nothing: subscribe, read this, then drop what is not above it.
    package static func snapshotKey(of job: JobID) -> String { "reelpool:progress:\(job)" }

    package static func write(for update: ProgressUpdate) -> FencedWrite {
        let data = json(of: update).bytes
        var operations = [FencedWrite.Operation.publish(channel: channel(of: update.job), value: data)]
        if let route = ProgressRoute(text: update.route) {
            operations += ProjectEvents.operations(for: update, route: route)
            if let reply = route.reply { operations += foreign(update, reply) }
        }
        return FencedWrite(
            key: snapshotKey(of: update.job), rule: .above, epoch: update.epoch, sequence: update.sequence,
            state: update.state.rawValue, data: data, keepSeconds: keepSeconds, operations: operations)
    }

    /// An update as JSON: the job's own channel, and its snapshot.
    package static func json(of update: ProgressUpdate) -> JSONValue {
        var members: [String: JSONValue] = [
            "job": .string(update.job.text), "kind": .string(update.kind.rawValue), "owner": .string(update.owner),
            "epoch": .integer(update.epoch), "sequence": .integer(update.sequence),
            "state": .string(update.state.rawValue), "attempt": .integer(update.attempt),
            "progress_percent": percent(update), "current_step": .string(step(update)),
        ]
        if let progress = update.progress {
            members["frames"] = .integer(progress.frames)
            members["frames_per_second"] = .double(progress.framesPerSecond)
            members["speed"] = .double(progress.speed)
            if let seconds = progress.remainingSeconds { members["remaining_seconds"] = .double(seconds) }
        }
        if let failure = update.failure { members["error"] = json(of: failure) }
        if let result = update.result { members["result"] = (try? JSONValue(parsing: result)) ?? .null }
        return .object(members)
    }

    /// Without the detail, which is for operators.
    static func json(of failure: Failure) -> JSONValue {
        [
            "code": .string(failure.code.rawValue), "category": .string(failure.category.rawValue),
            "message": .string(failure.message),
        ]
    }

    /// Of the whole work, with one decimal.
    static func percent(_ update: ProgressUpdate) -> JSONValue {
        if update.state == .succeeded { return 100 }
        let fraction = update.progress?.fraction ?? 0
        return .double((max(0, min(1, fraction.isFinite ? fraction : 0)) * 1000).rounded() / 10)
    }

    static func step(_ update: ProgressUpdate) -> String {
        switch update.state {
        case .running: update.progress?.phase.rawValue ?? "starting"
        case .succeeded: ProgressEvent.Phase.completed.rawValue
        case .queued, .failed, .cancelled, .dead: update.state.rawValue
        }
    }

    private static func foreign(_ update: ProgressUpdate, _ reply: JobReply) -> [FencedWrite.Operation] {
        let meta = json(of: update)
        switch reply {
        case .taskiq(let reply):
            let state =
                switch update.state {
                case .queued: "RETRY"
                case .running: "STARTED"
                case .succeeded: "SUCCESS"
                case .failed, .cancelled, .dead: "FAILURE"
                }
            let bytes = TaskIQResult.encode(["state": .string(state), "meta": meta], reply.serializer)
            return [.set(key: reply.key + "__progress", value: bytes, keepSeconds: reply.keepSeconds)]
        case .celery(let reply):
            // The end is told by the result, which must not be written over.
            guard update.state == .running else { return [] }
            let bytes = CeleryResult.meta(status: "PROGRESS", result: meta, taskID: reply.taskID, finishedAt: nil).bytes
            return [.setPending(key: reply.key, value: bytes, keepSeconds: reply.keepSeconds)]
        }
    }
}

/// Events of a back end's project: `clip_…`, `analysis_…` and `export_…` on `project:<id>:events`.
private enum ProjectEvents {
    static func operations(for update: ProgressUpdate, route: ProgressRoute) -> [FencedWrite.Operation] {
        guard let project = route.project, let family = Family(update.kind), update.state != .queued else { return [] }
        let channel = ProgressTelling.channel(ofProject: project)
        let name = family.event(update.state)
        let bytes = event(name, update, project: project, route: route).bytes
        var operations: [FencedWrite.Operation] = []
        if let started = family.started, update.state == .running {
            let first = event(started, update, project: project, route: route).bytes
            operations.append(.begin(channel: channel, value: first))
        }
        operations.append(.publish(channel: channel, value: bytes))
        operations.append(
            .set(
                key: "progress_snapshot:\(project)", value: bytes, keepSeconds: ProgressTelling.projectKeepSeconds))
        return operations
    }

    private static func event(
        _ name: String, _ update: ProgressUpdate, project: String, route: ProgressRoute
    ) -> JSONValue {
        var members = route.subject
        members["type"] = .string(name)
        members["project_id"] = .string(project)
        members["job_id"] = .string(update.job.text)
        members["epoch"] = .integer(update.epoch)
        members["sequence"] = .integer(update.sequence)
        members["progress_percent"] = ProgressTelling.percent(update)
        members["current_step"] = .string(ProgressTelling.step(update))
        if let failure = update.failure { members["error"] = ProgressTelling.json(of: failure) }
        if let result = update.result { members["result"] = (try? JSONValue(parsing: result)) ?? .null }
        return .object(members)
    }

    private enum Family {
        case arrival, clip, analysis, export

        init?(_ kind: JobKind) {
            switch kind {
            case .download: self = .arrival
            case .proxy: self = .clip
            case .analysis: self = .analysis
            case .render: self = .export
            case .probe, .noop: return nil
            }
        }

        var started: String? {
            switch self {
            case .arrival, .clip: nil
            case .analysis: "analysis_started"
            case .export: "export_started"
            }
        }

        func event(_ state: ProgressUpdate.State) -> String {
            switch (self, state) {
            // A clip that has only arrived is not ready: what becomes of it next, its back end decides.
            case (.arrival, .queued), (.arrival, .running), (.arrival, .succeeded): "clip_processing"
            case (.arrival, _): "clip_failed"
            case (.clip, .queued), (.clip, .running): "clip_processing"
            case (.clip, .succeeded): "clip_ready"
            case (.clip, _): "clip_failed"
            case (.analysis, .queued), (.analysis, .running): "analysis_progress"
            case (.analysis, .succeeded): "analysis_complete"
            case (.analysis, _): "analysis_failed"
            case (.export, .queued), (.export, .running): "export_progress"
            case (.export, .succeeded): "export_complete"
            case (.export, _): "export_failed"
            }
        }
    }
}
