internal import Media
package import Model
internal import Planning

/// The parts of a render that several processes share: one divides it, each encodes some chunks, one joins them.
extension Renderer {
    package enum Division {
        /// It was better done in one go, and is done.
        case rendered(RenderReport)
        case divided(ChunkDivision)
    }

    /// Finds how everything that is to be encoded is divided. What is copied, or too short, or cannot be divided, is
    /// rendered here and now.
    ///
    /// - Parameter leastSeconds: of a programme that is worth it.
    package func divide(leastSeconds: Double) throws -> Division {
        meter.update(.probing, fraction: 0)
        let (plans, probes) = try Self.plan(edit, files: files, options: options, cancellation: cancellation)
        let plan = plans.encoding
        var smart: RenderReport.Smart?
        if options.mode != .full {
            switch try copy(plans, probes) {
            case .made(let report): return .rendered(report)
            case .declined(let reasons): smart = reasons
            }
        }
        var declined: RenderReport.Chunks?
        if plan.predictedDurationSeconds >= leastSeconds {
            do {
                // Many cuts take long to look at; who waits is to see that it goes on.
                var division = try chunked(plan) { [meter] share in meter.update(.probing, fraction: 0.01 * share) }
                    .division()
                division.smart = smart
                return .divided(division)
            } catch let obstacle as ChunkObstacle {
                var chunks = RenderReport.Chunks()
                chunks.declined = obstacle.reason
                declined = chunks
            }
        }
        let session = try RenderSession(plan, files: files, options: options, meter: meter, cancellation: cancellation)
        var report = try session.run()
        (report.chunks, report.smart) = (declined, smart)
        return .rendered(report)
    }

    /// Encodes one chunk of a render that is divided, into the store of the options.
    ///
    /// - Throws: what the store throws, where this process comes to another digest than the one that divided it.
    package func encodeChunk(_ number: Int) throws -> ChunkMade {
        let render = try chunked(try planOnly())
        guard render.all.indices.contains(number) else {
            throw EngineError(.invalidTask, "there is no chunk \(number)")
        }
        let chunk = render.all[number]
        let seconds = render.seconds(of: chunk)
        let report = try render.encode(chunk) { [meter] share, submitted in
            meter.update(.encoding, fraction: 0.99 * share, frames: submitted, mediaSeconds: share * seconds)
        }
        meter.update(.completed, fraction: 1, frames: report.frames, mediaSeconds: seconds)
        return ChunkMade(frames: report.frames, sizeBytes: report.sizeBytes)
    }

    /// Joins the chunks that are in the store of the options to the output.
    package func joinChunks() throws -> RenderReport { try chunked(try planOnly()).join(meter: meter) }

    private func planOnly() throws -> RenderPlan {
        try Self.plan(edit, files: files, options: options, cancellation: cancellation).0.encoding
    }

    private func chunked(
        _ plan: RenderPlan, looking: (Double) -> Void = { _ in }
    ) throws -> ChunkedRender {
        guard let settings = options.chunks else {
            throw EngineError(.invalidTask, "the render has no store of chunks")
        }
        return try ChunkedRender(
            plan, files: files, options: options, settings: settings, cancellation: cancellation, looking: looking)
    }
}
