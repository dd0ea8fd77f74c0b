internal import Media
internal import Model
internal import Planning

/// Encodes the pictures of one chunk into its object. It begins with a keyframe that nothing refers back over, as
/// every encoder's first picture is; nothing refers beyond its end, where the encoder ends.
struct ChunkEncoder {
    let plan: RenderPlan
    let chunks: ChunkPlan
    let digest: String
    let sources: OpenSources
    let painter: LayerPainter?
    let options: RenderOptions
    let cancellation: Cancellation

    /// - Parameter progress: told how many frames went in, after each.
    func encode(
        _ chunk: ChunkPlan.Chunk, into output: any StagedOutput, progress: @escaping (Int) -> Void
    ) throws -> ChunkReport {
        guard let video = plan.video else { throw ChunkObstacle.noPicture }
        let encoder = try Self.encoder(video, threads: options.threads.encoder)
        let writer = try ChunkWriter(
            output,
            head: ChunkObject.head(digest: digest, chunk: chunk, configuration: encoder.configuration))
        let run = Run(
            chunk: chunk, writer: writer,
            stage: EncoderStage(encoder, concurrent: options.threads.isConcurrent, cancellation: cancellation),
            progress: progress)
        let pictures = ChunkPictures(
            plan, video: video, programme: chunks.programme, ticks: chunk.ticks, sources: sources,
            painter: painter,
            show: { frame, tick in try run.submit(frame, tick: tick) })
        try pictures.run()
        return try run.finish(repeatedTimes: pictures.repeatedTimes)
    }

    /// The encoder of every chunk; all have one configuration.
    static func encoder(_ video: VideoPlan, threads: Int) throws -> Encoder {
        try Encoder(
            video: VideoRecipe.settings(
                for: video, timeBase: video.cadence.timeBase, threads: threads, joinable: true))
    }

    private final class Run {
        private let chunk: ChunkPlan.Chunk
        private let writer: ChunkWriter
        private let stage: EncoderStage
        private let progress: (Int) -> Void
        private var submitted = 0

        init(
            chunk: ChunkPlan.Chunk, writer: ChunkWriter, stage: EncoderStage, progress: @escaping (Int) -> Void
        ) {
            (self.chunk, self.writer, self.stage, self.progress) = (chunk, writer, stage, progress)
        }

        func submit(_ frame: consuming Frame, tick: Int64) throws {
            // Encoders count from the chunk's beginning, so that how far in it lies changes nothing.
            frame.time = tick - chunk.ticks.lowerBound
            frame.requestKeyframe(false)
            submitted += 1
            try stage.submit(frame)
            try drain()
            progress(submitted)
        }

        private func drain() throws {
            while let packet = stage.poll() {
                guard let time = packet.presentationTime else { continue }
                try writer.add(packet, tick: chunk.ticks.lowerBound + time)
            }
        }

        func finish(repeatedTimes: Int) throws -> ChunkReport {
            try stage.finish()
            try drain()
            guard writer.count == submitted else {
                throw EngineError(
                    .internalFault,
                    "chunk \(chunk.index): \(submitted) pictures were encoded and \(writer.count) came out")
            }
            let size = try writer.finish(repeatedTimes: repeatedTimes)
            return ChunkReport(
                index: chunk.index, frames: submitted, repeatedTimes: repeatedTimes, sizeBytes: size)
        }
    }
}
