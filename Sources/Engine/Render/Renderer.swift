package import Lettering
package import Media
package import Model
package import Planning

/// How a render is to be run.
package struct RenderOptions {
    package var threads = ThreadBudget(total: availableCores())
    /// Renders what is intact of damaged or truncated sources instead of failing.
    package var salvage = false
    package var mode = RenderMode.auto
    package var limits = DemuxerLimits()
    /// Bytes set aside for the index of an MP4 or MOV; `nil` follows from the plan.
    package var indexReservation: Int64?
    /// What captions are set in.
    package var fonts = FontSet.none
    /// Encodes in chunks that survive a stop, where everything is encoded.
    package var chunks: ChunkSettings?
    /// How a stream's pictures are copied; where faults are put in, to see that they are found.
    var pictureCodec: @Sendable (borrowing Demuxer, Int) throws -> any PictureCodec = {
        try PictureCodecs.open($0, stream: $1)
    }

    package init() {}
}

/// What a render reads and writes.
package struct RenderFiles {
    package var sources: any SourceProvider
    /// What each of the edit's sources is called there, in their order.
    package var names: [String]
    package var outputs: any OutputProvider
    package var output: String

    package init(sources: any SourceProvider, names: [String], outputs: any OutputProvider, output: String) {
        (self.sources, self.names, self.outputs, self.output) = (sources, names, outputs, output)
    }

    /// Local files, by their paths.
    package init(paths: [String], output: String) {
        self.init(sources: LocalSources(), names: paths, outputs: LocalOutputs(), output: output)
    }
}

/// What is done where pictures are copied, and where all are encoded: unless the edit names one, the codec may differ.
struct RenderPlans {
    var copying: RenderPlan
    var encoding: RenderPlan
}

/// Renders an edit into a file: probe, plan, then every segment in order.
package struct Renderer {
    let edit: EditDocument
    let files: RenderFiles
    let options: RenderOptions
    let meter: ProgressMeter
    let cancellation: Cancellation

    package init(
        _ edit: EditDocument, files: RenderFiles, options: RenderOptions, meter: ProgressMeter,
        cancellation: Cancellation
    ) {
        (self.edit, self.files) = (edit, files)
        (self.options, self.meter, self.cancellation) = (options, meter, cancellation)
    }

    /// - Parameter paths: where each of the edit's sources lies, in their order.
    package init(
        _ edit: EditDocument, paths: [String], output: String, options: RenderOptions, meter: ProgressMeter,
        cancellation: Cancellation
    ) {
        self.init(
            edit, files: RenderFiles(paths: paths, output: output), options: options, meter: meter,
            cancellation: cancellation)
    }

    /// Probes the sources and plans, without rendering.
    package static func plan(
        _ edit: EditDocument, paths: [String], output: String, options: RenderOptions, cancellation: Cancellation
    ) throws -> RenderPlan {
        let files = RenderFiles(paths: paths, output: output)
        var (plans, probes) = try plan(edit, files: files, options: options, cancellation: cancellation)
        guard options.mode != .full else { return plans.encoding }
        do {
            let sources = try SmartSources(
                plans, probes: probes, files: files, options: options, cancellation: cancellation)
            plans.copying.copying = CopyingOutlook(declined: nil, prediction: sources.prediction)
            try sources.checkGain(options.mode)
            return plans.copying
        } catch let obstacle as SmartObstacle {
            plans.encoding.copying = CopyingOutlook(
                declined: obstacle.reason, prediction: plans.copying.copying?.prediction)
            return plans.encoding
        }
    }

    static func plan(
        _ edit: EditDocument, files: RenderFiles, options: RenderOptions, cancellation: Cancellation
    ) throws -> (RenderPlans, [ProbeReport]) {
        let probes = try files.names.map { name in
            do {
                return try Prober.probe(
                    files.sources.open(name), name: name, limits: options.limits, cancellation: cancellation)
            } catch let error as MediaError {
                // An edit has several sources: say which.
                throw EngineError(error.code, "\(name): \(error.message)", detail: error.detail)
            }
        }
        func plan(keepsCodec: Bool) throws -> RenderPlan {
            try Planner.plan(
                edit, probes: probes, container: OutputSettings.Container(fileName: files.output),
                salvage: options.salvage, keepsCodec: keepsCodec)
        }
        return (RenderPlans(copying: try plan(keepsCodec: true), encoding: try plan(keepsCodec: false)), probes)
    }

    enum Copying {
        case made(RenderReport)
        case declined(RenderReport.Smart)
    }

    func copy(_ plans: RenderPlans, _ probes: [ProbeReport]) throws -> Copying {
        do {
            do {
                return .made(try smartSession(plans, probes).run())
            } catch SmartObstacle.seamQuality {
                // Once more, better, before all is encoded.
                return .made(try smartSession(plans, probes, isFiner: true).run())
            }
        } catch let obstacle as SmartObstacle {
            var smart = RenderReport.Smart()
            (smart.declined, smart.fellBack) = (obstacle.reason, obstacle.isFailedVerification)
            return .declined(smart)
        } catch let error as MediaError where error.code == .damagedMedia || error.code == .truncated {
            // The other way knows what to do about it.
            var smart = RenderReport.Smart()
            smart.declined = "the source is damaged"
            return .declined(smart)
        } catch let error as any ClassifiedError where error.code.category == .internalFault {
            // A fault of copying need not be one of encoding.
            var smart = RenderReport.Smart()
            (smart.declined, smart.fellBack) = ("copying failed: \(error.message)", true)
            return .declined(smart)
        }
    }

    private func smartSession(
        _ plans: RenderPlans, _ probes: [ProbeReport], isFiner: Bool = false
    ) throws -> SmartRenderSession {
        try SmartRenderSession(
            plans, probes: probes, files: files, options: options, isFiner: isFiner, meter: meter,
            cancellation: cancellation)
    }

    private func encode(_ plan: RenderPlan) throws -> RenderReport {
        var declined: RenderReport.Chunks?
        if let settings = options.chunks {
            do {
                let render = try ChunkedRender(
                    plan, files: files, options: options, settings: settings, cancellation: cancellation)
                return try render.run(meter: meter)
            } catch let obstacle as ChunkObstacle {
                var chunks = RenderReport.Chunks()
                chunks.declined = obstacle.reason
                declined = chunks
            }
        }
        let session = try RenderSession(
            plan, files: files, options: options, meter: meter, cancellation: cancellation)
        var report = try session.run()
        report.chunks = declined
        return report
    }

    package func run() throws -> RenderReport {
        if let source = files.names.first(where: { files.outputs.isSource($0, output: files.output) }) {
            throw EngineError(.outputIsSource, "the output \(files.output) is the source \(source)")
        }
        try files.outputs.prepare()
        meter.update(.probing, fraction: 0)
        do {
            let (plans, probes) = try Self.plan(edit, files: files, options: options, cancellation: cancellation)
            var smart: RenderReport.Smart?
            if options.mode != .full {
                switch try copy(plans, probes) {
                case .made(let report): return report
                case .declined(let reasons): smart = reasons
                }
            }
            var report = try encode(plans.encoding)
            report.smart = smart
            return report
        } catch let error as MediaError where error.code == .cancelled {
            throw EngineError(
                .cancelled,
                options.chunks == nil
                    ? "the render was cancelled; nothing was written"
                    : "the render was cancelled; what was encoded is kept, and a further run goes on from there")
        }
    }
}

extension OutputSettings.Container {
    /// By the file name's extension; `nil` when that names no container.
    package init?(fileName: String) {
        guard let dot = fileName.lastIndex(of: ".") else { return nil }
        self.init(rawValue: fileName[fileName.index(after: dot)...].lowercased())
    }
}
