internal import Media
internal import Model
internal import Planning

/// One run of a plan: opens sources as segments need them and feeds their frames and samples to the output.
final class RenderSession {
    private let plan: RenderPlan
    private let files: RenderFiles
    private let options: RenderOptions
    private let meter: ProgressMeter
    private let cancellation: Cancellation

    private let file: OutputFile
    private let programmeVideo: ProgrammeVideo?
    private let sound: EncodedSound?
    private let sources: OpenSources
    private let painter: LayerPainter?
    /// The length of what was placed so far, in seconds; exact.
    private var elapsed = Rational.zero
    private var segmentsPlaced = 0
    private var notes: [String]
    private var lostSeconds = 0.0
    private var repeatedTimes = 0

    init(
        _ plan: RenderPlan, files: RenderFiles, options: RenderOptions, meter: ProgressMeter,
        cancellation: Cancellation
    ) throws {
        (self.plan, self.files) = (plan, files)
        (self.options, self.meter, self.cancellation) = (options, meter, cancellation)
        notes = plan.notes
        sources = OpenSources(plan, files: files, options: options, cancellation: cancellation)
        painter = LayerPainter(plan, files: files, options: options, cancellation: cancellation)
        file = try OutputFile(
            files, plan: plan, videoTimeBase: plan.video.map { $0.cadence.timeBase } ?? .one,
            options: options, cancellation: cancellation)
        programmeVideo = file.video.flatMap { track in plan.video.map { ProgrammeVideo(track, cadence: $0.cadence) } }
        sound = file.audioFormat.map { [file] in EncodedSound(file, format: $0, cancellation: cancellation) }
    }

    func run() throws -> RenderReport {
        for segment in plan.segments {
            try cancellation.check()
            let session = try sources.session(for: segment.source)
            try session.begin(at: segment.start)
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
        let report = report()
        try file.commit()
        meter.update(.completed, fraction: 1, frames: frameCount, mediaSeconds: elapsed.seconds)
        return report
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
                try place(conformed, of: segment, since: first ?? 0, base)
            }
        }
        guard let first else {
            noteEmpty(segment)
            return
        }
        while let conformed = try session.conformer?.finish() { try place(conformed, of: segment, since: first, base) }
        let end = endOfSegment ?? endOfPicture(last, segment, base)
        let length = Rational(end - first) * base
        try sound?.end(at: elapsed + length)
        noteLoss(segment, reached: Rational(end) * base)
        elapsed = elapsed + length
        segmentsPlaced += 1
    }

    /// - Parameter first: the time of the segment's first picture.
    private func place(
        _ picture: VideoFrame, of segment: PlannedSegment, since first: Int64, _ base: Rational
    ) throws {
        let time = elapsed + Rational(picture.time - first) * base
        let shown =
            try painter?.paint(picture.frame, of: segment, at: Rational(picture.time) * base)
            ?? picture.frame.reference()
        try programmeVideo?.add(shown, at: time)
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
        for (frame, offset) in try BlackPictures.of(segment, length: length, plan, painter) {
            try programmeVideo?.add(frame.frame.reference(), at: elapsed + offset)
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
        if let note = RenderPlan.note(repeatedTimes: repeatedTimes) { notes.append(note) }
        if let note = file.note { notes.append(note) }
        var report = plan.report(
            output: files.output, sizeBytes: file.sizeBytes, seconds: elapsed.seconds, frames: frameCount,
            samples: sound?.samplesPlaced ?? 0, segments: segmentsPlaced, notes: notes,
            elapsed: max(1e-6, meter.elapsedSeconds))
        (report.lostSeconds, report.damagedPackets) = (lostSeconds, sources.damagedPackets)
        report.indexFirst = file.indexFirst
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
