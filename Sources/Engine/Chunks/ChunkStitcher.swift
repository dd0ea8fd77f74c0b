internal import Media
internal import Model
internal import Planning

/// Joins chunks to the output: their packets in order, pictures and sound side by side.
///
/// Nothing is decoded or encoded. The pictures' decode times are made anew over all of them, so that they rise evenly
/// where chunks meet.
final class ChunkStitcher {
    /// What came of it; a report's figures.
    struct Result {
        var frames: Int
        var samples: Int64
        var repeatedTimes: Int
        var sizeBytes: Int64
        var indexFirst: Bool?
        var note: String?
    }

    private let video: VideoPlan
    private let chunks: ChunkPlan
    private let digest: String
    private let store: any ChunkStore
    private let cancellation: Cancellation

    private let output: StitchedOutput
    private let configuration: [UInt8]
    private let sound: SoundChunk?
    private let soundConfiguration: [UInt8]
    private let pictures = Reading()
    private let soundPackets = Reading()
    /// The chunk of pictures that is read, or the next one.
    private var next = 0
    private var repeatedTimes = 0

    /// A chunk being read.
    private final class Reading {
        var reader: ChunkReader?
        /// Read, and not yet due.
        var packet: Packet?
    }

    init(
        _ plan: RenderPlan, chunks: ChunkPlan, sound: SoundChunk?, digest: String, store: any ChunkStore,
        files: RenderFiles, options: RenderOptions, cancellation: Cancellation
    ) throws {
        guard let video = plan.video else { throw ChunkObstacle.noPicture }
        (self.video, self.chunks, self.sound) = (video, chunks, sound)
        (self.digest, self.store, self.cancellation) = (digest, store, cancellation)
        let encoder = try ChunkEncoder.encoder(video, threads: options.threads.encoder)
        let soundEncoder = try sound.map { try SoundEncoder($0.audio) }
        (configuration, soundConfiguration) = (encoder.configuration, soundEncoder?.configuration ?? [])
        output = try StitchedOutput(
            files, plan: plan, video: video, encoder: encoder, sound: soundEncoder, options: options,
            cancellation: cancellation)
    }

    /// - Parameter progress: told how many seconds of the programme are joined.
    /// - Throws: `ChunkDamage` naming a chunk that is missing, damaged or foreign; nothing is left behind then.
    func run(progress: (Double) -> Void) throws -> Result {
        if let sound {
            soundPackets.reader = try open(
                sound.chunk, digest: sound.digest, configuration: soundConfiguration, of: .sound)
        }
        // Second by second, so that the file has pictures and sound side by side.
        let length = chunks.programme.length
        var position = Rational.one
        while position < length {
            try cancellation.check()
            try place(before: position)
            progress(position.seconds)
            position = position + .one
        }
        try place(before: nil)
        guard next == chunks.chunks.count else { throw ChunkDamage(index: next, reason: "it is missing") }
        try checkFrameCount()
        try output.finish(at: chunks.end)
        try cancellation.check()
        return Result(
            frames: output.frameCount, samples: sound?.samples ?? 0, repeatedTimes: repeatedTimes,
            sizeBytes: output.sizeBytes, indexFirst: output.indexFirst, note: output.note)
    }

    /// Puts the finished file under its name.
    func commit() throws { try output.commit() }

    /// - Parameter time: what is shown or heard from then on stays, and pictures behind it in decode order; `nil` places
    ///   all.
    private func place(before time: Rational?) throws {
        let tick = time?.ticks(in: chunks.timeBase) ?? .max
        while let packet = try nextPicture() {
            guard let shown = packet.presentationTime, shown < tick else {
                pictures.packet = consume packet
                break
            }
            try output.add(packet)
        }
        let sample = time.flatMap { time in sound.map { time.ticks(in: Rational(1, Int64($0.audio.sampleRate))) } }
        while let packet = try nextSound() {
            if let sample, let heard = packet.presentationTime, heard >= sample {
                soundPackets.packet = consume packet
                return
            }
            try output.addSound(packet)
        }
    }

    private func nextPicture() throws -> Packet? {
        if let packet = pictures.packet.take() { return packet }
        while true {
            if let packet = try pictures.reader?.next() { return packet }
            if pictures.reader != nil {
                pictures.reader = nil
                next += 1
            }
            guard next < chunks.chunks.count else { return nil }
            try cancellation.check()
            let reader = try open(chunks.chunks[next], digest: digest, configuration: configuration, of: .picture)
            try reader.check(video.cadence)
            repeatedTimes += reader.report.repeatedTimes
            pictures.reader = reader
        }
    }

    private func nextSound() throws -> Packet? {
        if let packet = soundPackets.packet.take() { return packet }
        return try soundPackets.reader?.next()
    }

    /// - Parameter head: the digest that its head has.
    private func open(
        _ chunk: ChunkPlan.Chunk, digest head: String, configuration: [UInt8], of part: ChunkObject.Part
    ) throws -> ChunkReader {
        guard let object = try store.open(chunk.name(digest)) else {
            throw ChunkDamage(index: chunk.index, reason: "it is missing")
        }
        object.expectWhole()
        return try ChunkReader(object, digest: head, chunk: chunk, configuration: configuration, of: part)
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
