internal import Engine
internal import FoundationEssentials
internal import Isolation
internal import Media
internal import Model

/// One job, in the process forked for it.
struct JobRunner {
    private let link: ParentLink
    private let task: CodecTask
    private let meter: ProgressMeter
    /// Never raised: whoever wants to stop a job kills its process.
    private let cancellation = Cancellation()

    static func run(_ child: ForkedChild) -> Never {
        let link = ParentLink(child)
        let json = link.takeTask()
        do {
            let task = try CodecTask(json: json)
            let runner = JobRunner(
                link: link, task: task, meter: ProgressMeter(report: { link.tell($0) }))
            link.finish(try runner.perform(), succeeded: true)
        } catch {
            // A failure is strings and a code: it can always be written.
            let failure = (try? JSONEncoder().encode(Failure(error))) ?? Data()
            link.finish(Array(failure), succeeded: false)
        }
    }

    private func perform() throws -> [UInt8] {
        switch task.kind {
        case .probe: try encode(probe())
        case .proxy: try encode(proxy())
        case .render: try task.chunks.map { try chunked($0) } ?? encode(render())
        case .analysis: try encode(analysis())
        }
    }

    private func encode(_ report: some Encodable) throws -> [UInt8] { Array(try JSONEncoder().encode(report)) }

    // MARK: Kinds

    private func probe() throws -> ProbeReport {
        let name = try onlySource()
        return try Prober.probe(sources.open(name), name: name, limits: limits, cancellation: cancellation)
    }

    private func analysis() throws -> AnalysisReport {
        var options = AnalysisOptions()
        options.pacing = task.pacing
        options.threads = threads
        options.salvage = task.salvage
        options.limits = limits
        return try Analyzer(
            onlySource(), in: sources, options: options, meter: meter, cancellation: cancellation
        ).run()
    }

    private func render() throws -> RenderReport {
        let (outputs, renderer) = try makeRenderer(chunks: nil)
        return try checked(renderer.run(), outputs)
    }

    /// A part of a render that is divided, or the whole of one that cannot be.
    private func chunked(_ order: ChunkOrder) throws -> [UInt8] {
        let store = ParentChunks(link, task: task, order: order)
        var settings = ChunkSettings(store: store, sourceVersions: try sourceVersions(store))
        settings.secondsPerChunk = order.secondsPerChunk
        let (outputs, renderer) = try makeRenderer(chunks: settings)
        switch order.step {
        case .divide(let leastSeconds):
            switch try renderer.divide(leastSeconds: leastSeconds) {
            case .divided(let division): return try encode(DivideAnswer(division: division))
            case .rendered(let report): return try encode(DivideAnswer(report: try checked(report, outputs)))
            }
        case .chunk(let number): return try encode(renderer.encodeChunk(number))
        case .join: return try encode(checked(renderer.joinChunks(), outputs))
        }
    }

    private func sourceVersions(_ store: ParentChunks) throws -> [String] {
        try task.sources.prefix(store.sourceCount).map { source in
            guard let version = source.version else {
                throw EngineError(.invalidTask, "nothing tells one state of \(source.name) from another")
            }
            return version
        }
    }

    private func makeRenderer(chunks: ChunkSettings?) throws -> (ParentOutputs, Renderer) {
        guard let edit = task.edit, edit.sources.count <= task.sources.count,
            chunks != nil || edit.sources.count == task.sources.count,
            let output = task.chunks?.output ?? task.outputs.first
        else { throw EngineError(.invalidTask, "a render needs an edit, its sources and an output") }
        var options = RenderOptions()
        options.threads = threads
        options.salvage = task.salvage
        options.mode = task.mode
        options.limits = limits
        options.chunks = chunks
        options.fonts = WarmUp.fonts
        let outputs = ParentOutputs(link, names: task.outputs)
        let files = RenderFiles(
            sources: sources, names: task.sources.prefix(edit.sources.count).map(\.name), outputs: outputs,
            output: output)
        return (outputs, Renderer(edit, files: files, options: options, meter: meter, cancellation: cancellation))
    }

    private func checked(_ report: RenderReport, _ outputs: ParentOutputs) throws -> RenderReport {
        if let output = task.outputs.first, let written = outputs.committed(output) {
            try OutputCheck.check(report, of: written, cancellation: cancellation)
        }
        return report
    }

    private func proxy() throws -> ProxyReport {
        var options = ProxyOptions()
        options.when = task.proxyOnlyWhenUnplayable ? .unplayable : .always
        options.threads = threads
        options.salvage = task.salvage
        options.limits = limits
        let outputs = ParentOutputs(link, names: task.outputs)
        let report = try ProxyBuilder(
            onlySource(), in: sources, outputs: outputs, options: options, meter: meter, cancellation: cancellation
        ).run()
        if let name = report.proxy, let written = outputs.committed(name) {
            try OutputCheck.check(report, of: written, cancellation: cancellation)
        }
        return report
    }

    // MARK: What the task says

    private var sources: ParentSources { ParentSources(link: link, sources: task.sources) }
    private var threads: ThreadBudget { ThreadBudget(total: task.threads) }

    private var limits: DemuxerLimits {
        var limits = DemuxerLimits()
        limits.maximumPixels = task.maximumPixels
        limits.maximumStreams = task.maximumStreams
        return limits
    }

    private func onlySource() throws -> String {
        guard task.sources.count == 1 else { throw EngineError(.invalidTask, "there must be one source") }
        return task.sources[0].name
    }
}
