internal import CodecHost
internal import Isolation
internal import Model
internal import WorkerCore

/// A task as its process is told it: names instead of places.
struct CodecTasks {
    let document: TaskDocument
    let caps: EffectiveCaps

    /// What looks at one source, before anything else is done with it.
    static func probe(_ uri: String, sizeBytes: Int64?) -> CodecTask {
        CodecTask(kind: .probe, sources: [CodecTask.Source(name: uri, sizeBytes: sizeBytes)], threads: 1)
    }

    /// - Parameter sizes: of the document's sources, in their order.
    func main(sizes: [Int64?]) -> CodecTask? {
        let sources = zip(document.sources, sizes).map { CodecTask.Source(name: $0, sizeBytes: $1) }
        switch document {
        case .download, .noop: return nil
        case .probe: return CodecTask(kind: .probe, sources: sources, threads: 1)
        case .proxy(let task):
            var codec = CodecTask(
                kind: .proxy, sources: sources, outputs: CodecTask.proxyOutputs, threads: caps.threads)
            codec.proxyOnlyWhenUnplayable = task.onlyUnplayable
            return codec
        case .analysis(let task):
            var codec = CodecTask(kind: .analysis, sources: sources, threads: caps.threads)
            codec.pacing = task.pacing
            return codec
        case .render(let task):
            var codec = CodecTask(kind: .render, sources: sources, outputs: [outputName], threads: caps.threads)
            codec.edit = task.edit
            codec.salvage = task.salvage
            codec.mode = task.mode
            return codec
        }
    }

    /// Has a render's process find out whether it is better divided, where what it reads can be told from what it may
    /// become, and all of it is intact.
    func mayBeDivided(_ main: inout CodecTask, versions: [String?], _ sharing: ChunkSharing) {
        guard case .render(let task) = document, !task.salvage, sharing.secondsPerChunk > 0,
            versions.allSatisfy({ $0 != nil })
        else { return }
        Self.setVersions(versions, of: &main)
        main.chunks = ChunkOrder(
            step: .divide(leastSeconds: sharing.leastSeconds), output: outputName,
            secondsPerChunk: sharing.secondsPerChunk)
    }

    /// What makes one chunk; `nil` of what is no render.
    func chunk(_ claim: ChunkClaim, sizes: [Int64?], versions: [String?]) -> CodecTask? {
        guard case .render = document, var codec = main(sizes: sizes) else { return nil }
        codec.outputs = ["\(claim.number)"]
        codec.mode = .full
        // One thread or several shows in the bytes of some encoders, and how many does not.
        codec.threads = claim.offer.threads == 1 ? 1 : max(2, caps.threads)
        Self.setVersions(versions, of: &codec)
        codec.chunks = ChunkOrder(
            step: .chunk(claim.number), output: outputName, secondsPerChunk: claim.offer.secondsPerChunk,
            division: claim.offer.division)
        return codec
    }

    private static func setVersions(_ versions: [String?], of task: inout CodecTask) {
        for index in task.sources.indices where index < versions.count { task.sources[index].version = versions[index] }
    }

    /// Of the file that an analysis writes its edit into, if it was asked to. The daemon writes it, from the report.
    var editName: String? {
        guard case .analysis(let task) = document, task.editOutput != nil else { return nil }
        return outputName
    }

    /// The last part of where a render goes: its ending names the container.
    private var outputName: String {
        guard let last = document.outputs.first?.split(separator: "/").last else { return "output.mp4" }
        return String(last)
    }

    /// Bounds of a process that only looks.
    static func probeLimits(_ caps: EffectiveCaps) -> ChildJob.Limits {
        ChildJob.Limits(
            memoryBytes: min(caps.memoryBytes, 512 << 20), wallSeconds: 60, stallSeconds: 30, outputBytes: 0,
            readBytes: 1 << 32)
    }

    func limits(sources: [CodecTask.Source]) -> ChildJob.Limits {
        ChildJob.Limits(
            memoryBytes: caps.memoryBytes, wallSeconds: Double(caps.wallSeconds),
            stallSeconds: Double(caps.stallSeconds), outputBytes: caps.outputBytes, sources: sources)
    }
}
