package import Media
package import Model
package import Planning

/// How a render is to be run.
package struct RenderOptions {
    package var threads = ThreadBudget(total: availableCores())
    /// Renders what is intact of damaged or truncated sources instead of failing.
    package var salvage = false
    package var limits = DemuxerLimits()

    package init() {}
}

/// Renders an edit into a file: probe, plan, then every segment in order.
package struct Renderer {
    private let edit: EditDocument
    private let paths: [String]
    private let output: String
    private let options: RenderOptions
    private let meter: ProgressMeter
    private let cancellation: Cancellation

    /// - Parameter paths: where each of the edit's sources lies, in their order.
    package init(
        _ edit: EditDocument, paths: [String], output: String, options: RenderOptions, meter: ProgressMeter,
        cancellation: Cancellation
    ) {
        (self.edit, self.paths, self.output) = (edit, paths, output)
        (self.options, self.meter, self.cancellation) = (options, meter, cancellation)
    }

    /// Probes the sources and plans, without rendering.
    package static func plan(
        _ edit: EditDocument, paths: [String], output: String, options: RenderOptions, cancellation: Cancellation
    ) throws -> RenderPlan {
        let probes = try paths.map { path in
            do {
                return try Prober.probe(path: path, limits: options.limits, cancellation: cancellation)
            } catch let error as MediaError {
                // An edit has several sources: say which.
                throw EngineError(error.code, "\(path): \(error.message)", detail: error.detail)
            }
        }
        return try Planner.plan(
            edit, probes: probes, container: OutputSettings.Container(fileName: output), salvage: options.salvage)
    }

    package func run() throws -> RenderReport {
        if let source = paths.first(where: { isSameFile($0, output) }) {
            throw EngineError(.outputIsSource, "the output \(output) is the source \(source)")
        }
        meter.update(.probing, fraction: 0)
        let plan = try Self.plan(edit, paths: paths, output: output, options: options, cancellation: cancellation)
        let session = try RenderSession(
            plan, paths: paths, output: output, options: options, meter: meter, cancellation: cancellation)
        do {
            return try session.run()
        } catch let error as MediaError where error.code == .cancelled {
            throw EngineError(.cancelled, "the render was cancelled; nothing was written")
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
