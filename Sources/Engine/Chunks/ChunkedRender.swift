internal import FoundationEssentials
package import Media
package import Model
package import Planning

/// How a render is divided, and where its chunks are kept.
package struct ChunkSettings {
    package var store: any ChunkStore
    /// What tells one state of each source from another (size and time, ETag), in the order of the plan's sources.
    package var sourceVersions: [String]
    /// Aimed at; chunks are whole groups of pictures.
    package var secondsPerChunk = 30
    /// Leaves the chunks in the store when the output is complete.
    package var keepsChunks = false

    package init(store: any ChunkStore, sourceVersions: [String]) {
        (self.store, self.sourceVersions) = (store, sourceVersions)
    }
}

/// A full encode that is done chunk by chunk: what was encoded survives a stop, and several workers can share it.
///
/// `run` does all of it. Workers that share one use the parts: one prepares, each encodes some chunks, one stitches.
package struct ChunkedRender {
    package let plan: RenderPlan
    package let chunks: ChunkPlan
    /// Names this render's objects.
    package let digest: String
    private let files: RenderFiles
    private let options: RenderOptions
    private let settings: ChunkSettings
    private let sources: OpenSources
    /// What all chunks' decoders are set up with.
    private let configuration: [UInt8]
    private let sound: SoundChunk?
    private let cancellation: Cancellation

    /// Finds the chunks of a plan; the first time by looking at the sources, then in the store.
    ///
    /// - Parameter looking: told how much of the programme was looked at, 0 to 1, where that is needed.
    /// - Throws: `ChunkObstacle` where the render is better done in one go.
    package init(
        _ plan: RenderPlan, files: RenderFiles, options: RenderOptions, settings: ChunkSettings,
        cancellation: Cancellation, looking: (Double) -> Void = { _ in }
    ) throws {
        guard !options.salvage else { throw ChunkObstacle.salvage }
        guard let video = plan.video else { throw ChunkObstacle.noPicture }
        (self.plan, self.files, self.options) = (plan, files, options)
        (self.settings, self.cancellation) = (settings, cancellation)
        sources = OpenSources(plan, files: files, options: options, wanted: .pictures, cancellation: cancellation)
        digest = try ChunkIdentity(
            plan, video: video, settings: settings, threads: options.threads.encoder
        ).digest()
        configuration = try ChunkEncoder.encoder(video, threads: options.threads.encoder).configuration
        let name = "\(digest)/plan"
        if let stored = Self.stored(try settings.store.open(name)) {
            chunks = stored
        } else {
            let survey = ProgrammeSurvey(plan, sources: sources, cancellation: cancellation)
            chunks = try Self.divide(plan, try survey.run(progress: looking), settings, storingAs: name)
        }
        sound = try SoundChunk(plan, chunks: chunks, sourceVersions: settings.sourceVersions)
    }

    private static func divide(
        _ plan: RenderPlan, _ programme: ProgrammeSpans, _ settings: ChunkSettings, storingAs name: String
    ) throws -> ChunkPlan {
        guard !programme.spans.isEmpty else { throw PlanningError.keepsNothing }
        guard let made = ChunkPlan(plan, programme: programme, secondsPerChunk: settings.secondsPerChunk) else {
            throw ChunkObstacle.tooShort
        }
        let object = try settings.store.create(name)
        try Array(JSONEncoder().encode(made)).withUnsafeBytes { try object.write($0, at: 0) }
        try settings.store.commit(object)
        return made
    }

    private static func stored(_ object: (any ByteSource)?) -> ChunkPlan? {
        guard let object, let size = object.sizeBytes, size < 64 << 20,
            let bytes = try? object.bytes(Int(size), at: 0)
        else { return nil }
        return try? JSONDecoder().decode(ChunkPlan.self, from: Data(bytes))
    }

    /// What the store has of a chunk; `nil` where it is to be encoded.
    ///
    /// Its head and foot are looked at; that all between is as it was written shows when it is stitched.
    package func stored(_ chunk: ChunkPlan.Chunk) throws -> ChunkReport? {
        guard let video = plan.video, let object = try settings.store.open(chunk.name(digest)) else { return nil }
        do {
            if let sound, chunk == sound.chunk {
                let configuration = try SoundEncoder(sound.audio).configuration
                return try ChunkReader(
                    object, digest: sound.digest, chunk: chunk, configuration: configuration, of: .sound
                ).report
            }
            let reader = try ChunkReader(object, digest: digest, chunk: chunk, configuration: configuration)
            try reader.check(video.cadence)
            return reader.report
        } catch is ChunkDamage {
            return nil
        }
    }

    /// All chunks: those of the pictures, and behind them the sound's, where there is sound.
    package var all: [ChunkPlan.Chunk] { chunks.chunks + [sound?.chunk].compactMap(\.self) }

    /// Encodes a chunk into the store.
    ///
    /// - Parameter progress: told how much of it is done, 0 to 1, and how many frames that is.
    package func encode(
        _ chunk: ChunkPlan.Chunk, progress: @escaping (_ share: Double, _ frames: Int) -> Void = { _, _ in }
    ) throws -> ChunkReport {
        let object = try settings.store.create(chunk.name(digest))
        let report: ChunkReport
        if let sound, chunk == sound.chunk {
            report = try encode(sound, into: object) { progress($0, 0) }
        } else {
            report = try encodePictures(of: chunk, into: object, progress)
        }
        try cancellation.check()
        try settings.store.commit(object)
        return report
    }

    private func encode(
        _ sound: SoundChunk, into object: any StagedOutput, progress: (Double) -> Void
    ) throws -> ChunkReport {
        let sources = OpenSources(plan, files: files, options: options, wanted: .sound, cancellation: cancellation)
        let length = max(0.001, chunks.programme.length.seconds)
        return try sound.encode(into: object, sources: sources, cancellation: cancellation) { progress($0 / length) }
    }

    private func encodePictures(
        of chunk: ChunkPlan.Chunk, into object: any StagedOutput, _ progress: @escaping (Double, Int) -> Void
    ) throws -> ChunkReport {
        let expected = Double(expectedFrames(of: chunk))
        let encoder = ChunkEncoder(
            plan: plan, chunks: chunks, digest: digest, sources: sources,
            painter: LayerPainter(plan, files: files, options: options, cancellation: cancellation), options: options,
            cancellation: cancellation)
        return try encoder.encode(chunk, into: object) { progress(min(1, Double($0) / expected), $0) }
    }

    /// Removes everything of this render from the store.
    package func removeChunks() throws {
        for chunk in all { try settings.store.remove(chunk.name(digest)) }
        try settings.store.remove("\(digest)/plan")
    }

    /// Joins the chunks to the output, and puts it under its name. Chunks that turn out to be missing or damaged are
    /// encoded anew, each once.
    ///
    /// - Returns: the stitcher's figures, and the chunks that were made here.
    func stitch(progress: (Double) -> Void) throws -> (ChunkStitcher.Result, mended: [ChunkReport]) {
        var mended: [Int: ChunkReport] = [:]
        while true {
            do {
                let stitcher = try ChunkStitcher(
                    plan, chunks: chunks, sound: sound, digest: digest, store: settings.store, files: files,
                    options: options, cancellation: cancellation)
                let result = try stitcher.run(progress: progress)
                try stitcher.commit()
                return (result, mended.values.sorted { $0.index < $1.index })
            } catch let damage as ChunkDamage {
                guard mended[damage.index] == nil, all.indices.contains(damage.index) else {
                    throw EngineError(
                        .internalFault, "chunk \(damage.index) was made anew and cannot be used", detail: damage.reason)
                }
                mended[damage.index] = try encode(all[damage.index])
            } catch SmartObstacle.unusualOrder {
                throw ChunkObstacle.unusualOrder
            }
        }
    }

    /// Encodes the chunks that are not there, and stitches all.
    package func run(meter: ProgressMeter) throws -> RenderReport {
        let weights = try division().weights
        let total = Double(weights.reduce(0, +))
        var work = RenderReport.Chunks(count: all.count)
        var (frames, before) = (0, 0.0)
        for (chunk, weight) in zip(all, weights) {
            try cancellation.check()
            let (done, doneBefore) = (frames, before)
            let tell = { [length = chunks.programme.length.seconds] (share: Double, submitted: Int) in
                let fraction = (doneBefore + share * Double(weight)) / total
                meter.update(
                    .encoding, fraction: Self.encodingShare * fraction, frames: done + submitted,
                    mediaSeconds: fraction * length)
            }
            before += Double(weight)
            if let report = try stored(chunk) {
                frames += report.frames
                work.reused += 1
                work.reusedFrames += report.frames
                tell(1, report.frames)
                continue
            }
            let report = try encode(chunk, progress: tell)
            frames += report.frames
            work.encodedFrames += report.frames
        }
        let (result, mended) = try stitch { seconds in
            let share = seconds / max(0.001, chunks.programme.length.seconds)
            meter.update(
                .finishing, fraction: Self.encodingShare + (0.99 - Self.encodingShare) * share, frames: frames,
                mediaSeconds: seconds)
        }
        for report in mended {
            work.mended += 1
            work.encodedFrames += report.frames
        }
        if !settings.keepsChunks { try removeChunks() }
        meter.update(.completed, fraction: 1, frames: result.frames, mediaSeconds: chunks.programme.length.seconds)
        return report(result, work, seconds: meter.elapsedSeconds)
    }

    /// Joins chunks that others have encoded.
    package func join(meter: ProgressMeter) throws -> RenderReport {
        let (result, mended) = try stitch { seconds in
            meter.update(
                .finishing, fraction: 0.99 * seconds / max(0.001, chunks.programme.length.seconds),
                mediaSeconds: seconds)
        }
        var work = RenderReport.Chunks(count: all.count)
        work.mended = mended.count
        work.encodedFrames = mended.reduce(0) { $0 + $1.frames }
        meter.update(.completed, fraction: 1, frames: result.frames, mediaSeconds: chunks.programme.length.seconds)
        return report(result, work, seconds: meter.elapsedSeconds)
    }

    /// How it is divided, for whoever hands the chunks out.
    package func division() throws -> ChunkDivision {
        ChunkDivision(
            digest: digest, plan: String(decoding: try JSONEncoder().encode(chunks), as: UTF8.self),
            frames: chunks.chunks.map { expectedFrames(of: $0) }, soundFrames: soundFrames,
            seconds: chunks.programme.length.seconds)
    }

    /// How long a chunk is, in seconds of the programme.
    func seconds(of chunk: ChunkPlan.Chunk) -> Double {
        guard chunk.index < chunks.chunks.count else { return chunks.programme.length.seconds }
        return (Rational(Int64(chunk.ticks.count)) * chunks.timeBase).seconds
    }

    /// About: how many frames there will be is not known everywhere.
    func expectedFrames(of chunk: ChunkPlan.Chunk) -> Int {
        max(1, Int((Double(chunk.ticks.count) / max(1e-6, ticksPerFrame)).rounded()))
    }

    /// As how many frames the sound counts; `nil` where there is none.
    private var soundFrames: Int? {
        guard sound != nil, let video = plan.video else { return nil }
        let megapixels = Double(video.width * video.height) / 1e6
        return max(1, Int(chunks.programme.length.seconds * Self.soundMegapixels / max(0.01, megapixels)))
    }

    /// A second of sound takes as long as so many megapixels at a quick preset: 54 a second against 48 times real time.
    private static let soundMegapixels = 1.1
    /// Of a render's time, before stitching.
    private static let encodingShare = 0.95

    private var ticksPerFrame: Double {
        plan.video.map { ($0.nominalFrameRate * chunks.timeBase).inverse.seconds } ?? 1
    }

    private func report(
        _ result: ChunkStitcher.Result, _ work: RenderReport.Chunks, seconds time: Double
    ) -> RenderReport {
        let kept = Set(chunks.programme.spans.map(\.segment))
        var notes = plan.notes
        notes += plan.segments.indices.filter { !kept.contains($0) }.map { plan.note(emptySegment: plan.segments[$0]) }
        if let note = RenderPlan.note(repeatedTimes: result.repeatedTimes) { notes.append(note) }
        if let note = result.note { notes.append(note) }
        var report = plan.report(
            output: files.output, sizeBytes: result.sizeBytes, seconds: chunks.programme.length.seconds,
            frames: result.frames, samples: result.samples, segments: kept.count, notes: notes,
            elapsed: max(1e-6, time))
        report.damagedPackets = sources.damagedPackets
        report.indexFirst = result.indexFirst
        report.chunks = work
        return report
    }
}
