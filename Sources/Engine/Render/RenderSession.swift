internal import Media
internal import Model
internal import Planning

/// One run of a plan: opens sources as segments need them and feeds their frames and samples to the output.
final class RenderSession {
    /// Sources kept open at once; each holds decoders and their frames.
    private static let openSourcesLimit = 3

    private let plan: RenderPlan
    private let files: RenderFiles
    private let options: RenderOptions
    private let meter: ProgressMeter
    private let cancellation: Cancellation

    private let file: OutputFile
    private let programmeVideo: ProgrammeVideo?
    private let sound: EncodedSound?
    /// Open sources, most recently used last.
    private var sessions: [(source: Int, session: SourceSession)] = []
    /// The length of what was placed so far, in seconds; exact.
    private var elapsed = Rational.zero
    private var segmentsPlaced = 0
    private var notes: [String]
    private var lostSeconds = 0.0
    private var damagedPackets = 0
    private var repeatedTimes = 0

    init(
        _ plan: RenderPlan, files: RenderFiles, options: RenderOptions, meter: ProgressMeter,
        cancellation: Cancellation
    ) throws {
        (self.plan, self.files) = (plan, files)
        (self.options, self.meter, self.cancellation) = (options, meter, cancellation)
        notes = plan.notes
        file = try OutputFile(
            files, plan: plan, videoTimeBase: plan.video.map { ProgrammeVideo.timeBase($0.cadence) } ?? .one,
            options: options, cancellation: cancellation)
        programmeVideo = file.video.flatMap { track in plan.video.map { ProgrammeVideo(track, cadence: $0.cadence) } }
        sound = file.audioFormat.map { [file] in EncodedSound(file, format: $0, cancellation: cancellation) }
    }

    func run() throws -> RenderReport {
        for segment in plan.segments {
            try cancellation.check()
            let session = try session(for: segment.source)
            try session.position(at: segment.start)
            if plan.video != nil, session.reader.video != nil {
                try placePictures(of: segment, session)
            } else {
                try placeSoundOnly(of: segment, session)
            }
        }
        guard segmentsPlaced > 0 else { throw PlanningError.keepsNothing }
        meter.update(.finishing, fraction: 0.99, frames: frameCount, mediaSeconds: elapsed.seconds)
        try file.finish(videoEnd: programmeVideo?.finish(at: elapsed) ?? 0)
        try cancellation.check()
        damagedPackets += sessions.reduce(0) { $0 + $1.session.reader.damageCount }
        let report = report()
        try file.commit()
        meter.update(.completed, fraction: 1, frames: frameCount, mediaSeconds: elapsed.seconds)
        return report
    }

    // MARK: Sources

    private func session(for source: Int) throws -> SourceSession {
        if let position = sessions.firstIndex(where: { $0.source == source }) {
            let found = sessions.remove(at: position)
            sessions.append(found)
            return found.session
        }
        if sessions.count == Self.openSourcesLimit {
            damagedPackets += sessions.removeFirst().session.reader.damageCount
        }
        let planned = plan.sources[source]
        var settings = SourceReader.Settings()
        settings.videoStream = plan.video == nil ? nil : planned.videoStream
        settings.audioStream = plan.audio == nil ? nil : planned.audioStream
        settings.decoderThreads = options.threads.decoder
        settings.limits = options.limits
        settings.salvage = options.salvage
        settings.duration = planned.duration
        let (sources, name) = (files.sources, files.names[source])
        let reader = try SourceReader({ try sources.open(name) }, settings: settings, cancellation: cancellation)
        let session = SourceSession(
            reader, conformer: reader.video.flatMap { conformer(for: planned, timeBase: $0.timeBase) })
        sessions.append((source, session))
        return session
    }

    private func conformer(for source: PlannedSource, timeBase: Rational) -> PictureConformer? {
        guard let video = plan.video, let layout = source.layout, let color = source.color else { return nil }
        return PictureConformer(
            PictureRecipe(
                layout: layout, color: color, deinterlaces: source.interlaced, pixelFormat: video.pixelFormat,
                sampleAspectRatio: video.sampleAspectRatio),
            timeBase: timeBase, threads: options.threads.filters)
    }

    // MARK: Segments

    /// Pictures with start ≤ t < end; the segment lasts from the first one's time to that of the first one at or after
    /// the end, and the sound is cut to the same interval.
    private func placePictures(of segment: PlannedSegment, _ session: SourceSession) throws {
        guard let lane = session.reader.video else { return }
        let base = lane.timeBase
        // t ≥ start in exact seconds is tick ≥ start rounded up to a tick.
        let startTick = segment.start.ticksRoundedUp(in: base)
        let endTick = segment.end?.ticksRoundedUp(in: base) ?? .max
        var first: Int64?
        var last: (time: Int64, duration: Int64) = (0, 0)
        var endOfSegment: Int64?
        while let picture = try session.reader.peekVideo() {
            if picture.time >= endTick {
                endOfSegment = picture.time
                break
            }
            session.reader.takeVideo()
            guard picture.time >= startTick else { continue }
            if let start = first {
                guard picture.time > last.time else {
                    repeatedTimes += 1
                    continue
                }
                try sound?.advance(to: Rational(picture.time - start) * base)
            } else {
                first = picture.time
                sound?.begin(segment, session, origin: Rational(picture.time) * base)
            }
            let spacing = first == picture.time ? 0 : picture.time - last.time
            last = (picture.time, picture.frame.duration > 0 ? picture.frame.duration : spacing)
            if let conformed = try session.conformer?.conform(picture) {
                try place(conformed, since: first ?? 0, base)
            }
        }
        guard let first else {
            noteEmpty(segment)
            return
        }
        while let conformed = try session.conformer?.finish() { try place(conformed, since: first, base) }
        let end = endOfSegment ?? endOfPicture(last, segment, base)
        let length = Rational(end - first) * base
        try sound?.end(at: elapsed + length)
        noteLoss(segment, reached: Rational(end) * base)
        elapsed = elapsed + length
        segmentsPlaced += 1
    }

    /// - Parameter first: the time of the segment's first picture.
    private func place(_ picture: VideoFrame, since first: Int64, _ base: Rational) throws {
        let time = elapsed + Rational(picture.time - first) * base
        try programmeVideo?.add(picture.frame.reference(), at: time)
        try file.drainVideo()
        report(time)
    }

    private func endOfPicture(
        _ last: (time: Int64, duration: Int64), _ segment: PlannedSegment, _ base: Rational
    ) -> Int64 {
        PictureEnd.time(
            of: last.time, duration: last.duration,
            usual: plan.video.map { $0.nominalFrameRate.inverse.ticks(in: base) } ?? 1,
            told: options.salvage ? nil : plan.sources[segment.source].videoEnd, timeBase: base)
    }

    /// A segment of a source without a picture: exactly [start, end), black where the output has a picture.
    private func placeSoundOnly(of segment: PlannedSegment, _ session: SourceSession) throws {
        sound?.begin(segment, session, origin: segment.start)
        let length =
            try segment.end.map { $0 - segment.start }
            ?? sound?.advanceToEnd { report(elapsed + $0) } ?? .zero
        guard length > .zero else {
            noteEmpty(segment)
            return
        }
        if let video = plan.video {
            try programmeVideo?.add(
                Frame.black(
                    width: video.width, height: video.height, format: video.pixelFormat,
                    fullRange: video.color.isFullRange),
                at: elapsed)
        }
        try placeSoundInSteps(length: length)
        try sound?.end(at: elapsed + length)
        elapsed = elapsed + length
        segmentsPlaced += 1
    }

    /// Bounds memory and keeps progress moving in long stretches of sound.
    private func placeSoundInSteps(length: Rational) throws {
        var position = Rational(1)
        while position < length {
            try cancellation.check()
            try sound?.advance(to: position)
            report(elapsed + position)
            position = position + .one
        }
    }

    // MARK: Reporting

    private var frameCount: Int { file.video?.frameCount ?? 0 }

    private func report(_ time: Rational) {
        meter.update(
            .encoding,
            fraction: plan.predictedDurationSeconds > 0 ? 0.99 * time.seconds / plan.predictedDurationSeconds : 0,
            frames: frameCount, mediaSeconds: time.seconds)
    }

    private func noteEmpty(_ segment: PlannedSegment) { notes.append(plan.note(emptySegment: segment)) }

    private func noteLoss(_ segment: PlannedSegment, reached: Rational) {
        let duration = plan.sources[segment.source].duration
        guard options.salvage, let wanted = [segment.end, duration].compactMap(\.self).min() else { return }
        lostSeconds += max(0, (wanted - reached).seconds)
    }

    private func report() -> RenderReport {
        if repeatedTimes > 0 { notes.append("\(repeatedTimes) frames without a time of their own were left out.") }
        if let note = file.note { notes.append(note) }
        let seconds = elapsed.seconds
        let time = max(1e-6, meter.elapsedSeconds)
        var report = RenderReport(
            output: files.output, sizeBytes: file.sizeBytes, durationSeconds: seconds, segments: segmentsPlaced,
            video: nil,
            audio: nil, notes: notes, lostSeconds: lostSeconds, damagedPackets: damagedPackets, elapsedSeconds: time,
            speed: seconds / time)
        if let video = plan.video {
            var rate: Rational?
            if case .constant(let framesPerSecond, _) = video.cadence { rate = framesPerSecond }
            report.video = .init(
                codec: video.codec.rawValue, width: video.width, height: video.height, frames: frameCount,
                resampledTo: rate, dynamicRange: video.hdr.map { $0.system.rawValue } ?? "sdr")
        }
        report.indexFirst = file.indexFirst
        if let audio = plan.audio {
            report.audio = .init(
                codec: audio.codec.rawValue, sampleRate: audio.sampleRate, channels: audio.channels,
                samples: sound?.samplesPlaced ?? 0)
        }
        return report
    }
}

extension VideoPlan {
    /// The pixel format frames are conformed to, as the encoder takes it.
    var pixelFormat: PixelFormat {
        if bitDepth > 8 { return .yuv420p10 }
        return color.isFullRange && (codec == .h264 || codec == .hevc) ? .yuvj420p : .yuv420p
    }
}

extension RenderPlan {
    /// What to tell of a segment in whose range no picture lies.
    func note(emptySegment segment: PlannedSegment) -> String {
        let end = segment.end.map { "\($0.milliseconds)" } ?? "end"
        return "The range \(segment.start.milliseconds)-\(end) ms of \"\(sources[segment.source].id)\" "
            + "holds no frame and was left out."
    }
}
