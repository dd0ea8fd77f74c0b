internal import Media
internal import Model
internal import Planning

/// Joins chunks to the output: their packets in order, beside sound that is decoded and encoded here, as one.
///
/// Nothing of the pictures is decoded. Decode times are made anew over all of them, so that they rise evenly where
/// chunks meet.
final class ChunkStitcher {
    /// What came of it; a report's figures.
    struct Result {
        var frames: Int
        var samples: Int64
        var repeatedTimes: Int
        var sizeBytes: Int64
        var indexFirst: Bool?
        var note: String?
        var damagedPackets: Int
    }

    private let plan: RenderPlan
    private let video: VideoPlan
    private let chunks: ChunkPlan
    private let digest: String
    private let store: any ChunkStore
    private let sources: OpenSources
    private let cancellation: Cancellation

    private let output: StitchedOutput
    private let configuration: [UInt8]
    private let sound: EncodedSound?
    /// The chunk being read, and which is next.
    private let reading = Reading()
    private var repeatedTimes = 0

    private final class Reading {
        var reader: ChunkReader?
        /// Read, and not yet due.
        var packet: Packet?
        var next = 0
    }

    init(
        _ plan: RenderPlan, chunks: ChunkPlan, digest: String, store: any ChunkStore, files: RenderFiles,
        options: RenderOptions, cancellation: Cancellation
    ) throws {
        guard let video = plan.video else { throw ChunkObstacle.noPicture }
        (self.plan, self.video, self.chunks) = (plan, video, chunks)
        (self.digest, self.store, self.cancellation) = (digest, store, cancellation)
        sources = OpenSources(plan, files: files, options: options, wanted: .sound, cancellation: cancellation)
        let encoder = try ChunkEncoder.encoder(video, threads: options.threads.encoder)
        configuration = encoder.configuration
        output = try StitchedOutput(
            files, plan: plan, video: video, encoder: encoder, options: options, cancellation: cancellation)
        sound = output.audioFormat.map { [output] in EncodedSound(output, format: $0, cancellation: cancellation) }
    }

    /// - Parameter progress: told how many seconds of the programme are joined.
    /// - Throws: `ChunkDamage` naming a chunk that is missing, damaged or foreign; nothing is left behind then.
    func run(progress: (Double) -> Void) throws -> Result {
        for span in chunks.programme.spans {
            try cancellation.check()
            try placeSound(of: span, progress: progress)
        }
        try placePictures(before: .max)
        guard reading.next == chunks.chunks.count else {
            throw ChunkDamage(index: reading.next, reason: "it is missing")
        }
        try checkFrameCount()
        try output.finish(at: chunks.end)
        try cancellation.check()
        return Result(
            frames: output.frameCount, samples: sound?.samplesPlaced ?? 0, repeatedTimes: repeatedTimes,
            sizeBytes: output.sizeBytes, indexFirst: output.indexFirst, note: output.note,
            damagedPackets: sources.damagedPackets)
    }

    /// Puts the finished file under its name.
    func commit() throws { try output.commit() }

    /// Second by second, pictures and sound in turn, so that the file has them side by side.
    private func placeSound(of span: SegmentSpan, progress: (Double) -> Void) throws {
        let segment = plan.segments[span.segment]
        if let sound {
            let session = try sources.session(for: segment.source)
            try session.position(at: segment.start)
            sound.begin(segment, session, origin: span.first)
        }
        var position = Rational.one
        while position < span.length {
            try cancellation.check()
            try placePictures(before: (span.start + position).ticks(in: chunks.timeBase))
            try sound?.advance(to: position)
            progress((span.start + position).seconds)
            position = position + .one
        }
        try placePictures(before: span.end.ticks(in: chunks.timeBase))
        try sound?.end(at: span.end)
    }

    // MARK: Pictures

    /// - Parameter tick: pictures shown from then on, and those behind them in decode order, stay.
    private func placePictures(before tick: Int64) throws {
        while let packet = try nextPacket() {
            guard let time = packet.presentationTime, time < tick else {
                reading.packet = consume packet
                return
            }
            try output.add(packet)
        }
    }

    private func nextPacket() throws -> Packet? {
        if let packet = reading.packet.take() { return packet }
        while true {
            if let packet = try reading.reader?.next() { return packet }
            if reading.reader != nil {
                reading.reader = nil
                reading.next += 1
            }
            guard reading.next < chunks.chunks.count else { return nil }
            try cancellation.check()
            try openChunk(chunks.chunks[reading.next])
        }
    }

    private func openChunk(_ chunk: ChunkPlan.Chunk) throws {
        guard let object = try store.open(chunk.name(digest)) else {
            throw ChunkDamage(index: chunk.index, reason: "it is missing")
        }
        object.expectWhole()
        let reader = try ChunkReader(object, digest: digest, chunk: chunk, configuration: configuration)
        try reader.check(video.cadence)
        repeatedTimes += reader.report.repeatedTimes
        reading.reader = reader
    }

    private func checkFrameCount() throws {
        guard case .constant = video.cadence, Int64(output.frameCount) != chunks.end else { return }
        throw EngineError(.internalFault, "\(output.frameCount) frames were joined where \(chunks.end) belong")
    }
}

extension ChunkPlan.Chunk {
    /// What its object is called.
    func name(_ digest: String) -> String { "\(digest)/\(index)" }
}

extension ChunkReader {
    /// At a constant rate each tick has its frame.
    func check(_ cadence: Cadence) throws {
        guard case .constant = cadence, report.frames != chunk.ticks.count else { return }
        throw ChunkDamage(
            index: chunk.index, reason: "it has \(report.frames) frames where \(chunk.ticks.count) belong")
    }
}
