internal import Media
internal import Model
internal import Planning

/// One run of a plan that copies what was not touched: each segment's head and tail are encoded anew, what lies between
/// is copied packet by packet, and everything made is verified before it counts.
///
/// Throws `SmartObstacle` when that cannot be done after all; nothing is left behind then.
final class SmartRenderSession {
    private let plan: RenderPlan
    private let prediction: SmartPlan
    private let files: RenderFiles
    private let options: RenderOptions
    private let meter: ProgressMeter
    private let cancellation: Cancellation

    private let codec: any PictureCodec
    private let sources: SmartSourcePool
    private let encoder: SeamEncoder
    private let verifier: SeamVerifier
    private let output: SmartOutput
    private let sound: (any SmartSound)?
    private let painter: LayerPainter?
    private let timeBase: Rational

    /// How long the programme is so far, in the pictures' ticks.
    private var elapsed: Int64 = 0
    private var segmentsPlaced = 0
    private var notes: [String]
    private var work: RenderReport.Smart
    private var copied: PayloadHash
    /// What is being verified: nothing, a seam that no group was copied behind yet, or the first group behind it.
    private var stretch = Stretch.none

    private enum Stretch { case none, seam, group }

    init(
        _ plans: RenderPlans, probes: [ProbeReport], files: RenderFiles, options: RenderOptions, isFiner: Bool,
        meter: ProgressMeter, cancellation: Cancellation
    ) throws {
        plan = plans.copying
        (self.files, self.options) = (files, options)
        (self.meter, self.cancellation) = (meter, cancellation)
        let opened = try SmartSources(
            plans, probes: probes, files: files, options: options, cancellation: cancellation)
        (codec, sources, timeBase) = (opened.codec, opened.pool, opened.timeBase)
        prediction = opened.prediction
        try opened.checkGain(options.mode)
        let window = try sources.source(opened.leading).window
        let quality = SeamQuality(asked: plan.video?.crf, isFiner: isFiner)
        encoder = try codec.seamEncoder(quality, nominalFrameRate: opened.frameRate)
        let configuration = try codec.join(encoder.configuration)
        verifier = try SeamVerifier(
            Decoder(
                checking: configuration, like: window.demuxer, stream: window.stream, timeBase: timeBase),
            concurrent: options.threads.isConcurrent)
        let step = opened.frameRate.inverse.ticks(in: timeBase)
        output = try SmartOutput(
            files, plan: plan, like: window, codec: codec, configuration: configuration,
            sound: opened.sound.map { try $0.outputParameters() },
            clock: DecodeTimes(depth: codec.depth, step: step), options: options, cancellation: cancellation)
        sound = try Self.sound(opened, output, plan, cancellation)
        painter = LayerPainter(plan, files: files, options: options, cancellation: cancellation)
        notes = plan.notes
        work = RenderReport.Smart(
            predictedSeconds: prediction.predictedSeconds, predictedGain: prediction.predictedGain)
        work.soundDeclined = opened.soundObstacle?.reason
        copied = try PayloadHash()
    }

    private static func sound(
        _ sources: SmartSources, _ output: SmartOutput, _ plan: RenderPlan, _ cancellation: Cancellation
    ) throws -> (any SmartSound)? {
        if let format = output.audioFormat {
            return EncodedSmartSound(EncodedSound(output, format: format, cancellation: cancellation))
        }
        guard let codec = sources.sound, let stream = output.copiedSoundStream else { return nil }
        let track = try CopiedSoundTrack(codec, stream: stream, in: plan.container, cancellation: cancellation)
        return CopiedSmartSound(track) { [output] in try output.write($0) }
    }

    func run() throws -> RenderReport {
        for segment in plan.segments {
            try cancellation.check()
            try place(segment)
        }
        guard segmentsPlaced > 0 else { throw PlanningError.keepsNothing }
        try endStretch()
        meter.update(.finishing, fraction: 0.99, frames: output.frameCount, mediaSeconds: seconds)
        let worst = try verifier.settle()
        if worst < .infinity { work.worstSeamDecibels = worst }
        work.verifiedPictures = verifier.verifiedPictures
        try sound?.finish()
        work.sound = sound?.report
        try checkSoundLength()
        try output.finish(at: elapsed)
        guard output.takeCopiedHash() == copied.take() else {
            throw SmartObstacle.verification("a copied picture is not what it was in the source")
        }
        guard output.frameCount == work.copiedPictures + work.encodedPictures else {
            throw SmartObstacle.verification("the number of pictures is not the number that was placed")
        }
        try cancellation.check()
        work.decodedPictures = sources.decodedPictures
        let report = report()
        try output.commit()
        meter.update(.completed, fraction: 1, frames: output.frameCount, mediaSeconds: seconds)
        return report
    }

    /// Sound and picture end together.
    private func checkSoundLength() throws {
        guard let sound, let audio = plan.audio else { return }
        let expected = (Rational(elapsed) * timeBase).ticks(in: Rational(1, Int64(audio.sampleRate)))
        guard abs(sound.samples - expected) <= 1 else {
            throw SmartObstacle.verification("the sound does not last as long as the picture")
        }
    }

    // MARK: Segments

    private func place(_ segment: PlannedSegment) throws {
        let source = try sources.source(segment.source)
        var placed: Placed?
        for stretch in segment.stretches {
            try place(stretch, of: segment, source, &placed)
        }
        guard let placed else { return noteEmpty(segment) }
        let over =
            placed.endTime
            ?? PictureEnd.time(
                of: placed.last.time, duration: placed.last.shown, usual: usualDuration,
                told: plan.sources[segment.source].videoEnd, timeBase: timeBase)
        elapsed += over - placed.clock.first
        try sound?.end(length: Rational(over - placed.clock.first) * timeBase)
        segmentsPlaced += 1
    }

    /// What was placed of a segment so far.
    private struct Placed {
        let clock: SegmentClock
        var last: LastPicture
        /// When the first picture behind it is shown; `nil` at the source's end.
        var endTime: Int64?
    }

    private func place(
        _ stretch: SmartStretch, of segment: PlannedSegment, _ source: SmartSource, _ placed: inout Placed?
    ) throws {
        let start = stretch.start.ticksRoundedUp(in: timeBase)
        let end = stretch.end?.ticksRoundedUp(in: timeBase) ?? .max
        guard start < end else { return }
        let cutter = SegmentCutter(start..<end, depth: codec.depth)
        let from = try source.window.position(at: start)
        let head = try cutter.head(&source.window, decodingFrom: from, copies: !stretch.isLayered)
        guard let first = head.first else { return }
        let clock = placed?.clock ?? SegmentClock(start: elapsed, first: first)
        if placed == nil {
            try sound?.begin(
                segment, of: source, origin: Rational(first) * timeBase, start: Rational(elapsed) * timeBase)
        }
        var (endTime, last) = (head.endTime, placed?.last ?? LastPicture(time: first))
        if let seam = head.seam {
            try make(seam, of: source, segment, before: head.entry, clock, &last)
            try advanceSound(to: last.time, clock)
        }
        if let entry = head.entry {
            endTime = try copy(from: entry, of: source, segment, cutter, clock, &last)
        }
        placed = Placed(clock: clock, last: last, endTime: endTime)
    }

    /// From a source's ticks to the programme's.
    private struct SegmentClock {
        var start: Int64
        var first: Int64
        func output(_ time: Int64) -> Int64 { start + time - first }
    }

    /// Decodes, encodes and places the pictures of a seam.
    private func make(
        _ seam: SegmentCutter.Seam, of source: SmartSource, _ segment: PlannedSegment, before next: Int?,
        _ clock: SegmentClock, _ last: inout LastPicture
    ) throws {
        try endStretch()
        stretch = .seam
        try codec.beginSeam(before: next.flatMap { try source.window.packet(at: $0) })
        let pictures = WaitingPictures()
        let take = { [self] (packet: borrowing Packet) throws in
            let (picture, isFirst) = try pictures.next()
            let time = clock.output(picture.time)
            let written = try codec.seam(packet)
            try verifier.check(written, at: time, source: picture.frame)
            try output.add(written, at: time, isKey: isFirst, isCopied: false)
            work.encodedPictures += 1
            report(time)
        }
        try source.seams.decode(seam) { frame, time in
            let isFirst = pictures.isUnused
            let shown =
                try painter?.paint(frame, of: segment, at: Rational(time) * timeBase) ?? frame.reference()
            try pictures.add(shown, at: time)
            try encoder.encode(shown, isFirst: isFirst, take)
        }
        try encoder.endSeam(take)
        guard pictures.isEmpty else { throw SmartObstacle.verification("the encoder left pictures of a seam out") }
        work.seams += 1
        for time in seam.times { last.add(time) }
        last.duration = try source.window.duration(at: last.time, in: seam.decoded)
    }

    /// Copies from an entry on, and makes the tail.
    private func copy(
        from entry: Int, of source: SmartSource, _ segment: PlannedSegment, _ cutter: SegmentCutter,
        _ clock: SegmentClock, _ last: inout LastPicture
    ) throws -> Int64? {
        guard let first = try source.window.packet(at: entry) else { throw SmartObstacle.noEntry }
        let entryTime = first.picture.time
        var position = entry
        var decodable = entry
        codec.beginCopy()
        while true {
            switch try cutter.run(
                &source.window, at: position, entryTime: entryTime, decodingFrom: decodable)
            {
            case .copy(let next):
                for index in position..<next {
                    guard let held = try source.window.packet(at: index) else { break }
                    if held.picture.time < entryTime {
                        try codec.skip(held.packet)
                        continue
                    }
                    try copy(held, isFirst: index == entry, clock)
                    last.add(held.picture.time, duration: held.packet.duration)
                }
                if let newer = source.window.lastEntry(before: next), newer > decodable {
                    decodable = newer
                    source.window.forget(before: newer)
                }
                position = next
                try advanceSound(to: last.time, clock)
                report(clock.output(last.time))
            case .stop(let tail, let endTime):
                if endTime == nil, !source.window.tellsItsEnd {
                    try source.checkDecoding(decodable..<position)
                }
                if let tail { try make(tail, of: source, segment, before: nil, clock, &last) }
                return endTime
            }
        }
    }

    private func copy(_ held: WindowPacket, isFirst: Bool, _ clock: SegmentClock) throws {
        try codec.addPayload(of: held.packet, isWritten: false, to: &copied)
        let packet = try codec.copy(held.packet)
        let time = clock.output(held.picture.time)
        switch (stretch, held.picture.entry) {
        case (.none, _) where isFirst: stretch = .group
        case (.seam, _): stretch = .group
        case (.group, .closed), (.group, .open), (.group, .brokenLink): try endStretch()
        default: break
        }
        if stretch != .none { try verifier.check(packet, at: time) }
        try output.add(packet, at: time, isKey: held.packet.isKey, isCopied: true)
        work.copiedPictures += 1
    }

    private func endStretch() throws {
        if stretch != .none { try verifier.endStretch() }
        stretch = .none
    }

    private func advanceSound(to time: Int64, _ clock: SegmentClock) throws {
        try sound?.advance(to: Rational(time - clock.first) * timeBase)
    }

    private var usualDuration: Int64 {
        plan.video.map { $0.nominalFrameRate.inverse.ticks(in: timeBase) } ?? 1
    }

    // MARK: Reporting

    private var seconds: Double { (Rational(elapsed) * timeBase).seconds }

    private func report(_ time: Int64) {
        let seconds = (Rational(time) * timeBase).seconds
        meter.update(
            .encoding,
            fraction: plan.predictedDurationSeconds > 0 ? 0.99 * seconds / plan.predictedDurationSeconds : 0,
            frames: output.frameCount, mediaSeconds: seconds)
    }

    private func noteEmpty(_ segment: PlannedSegment) {
        notes.append(plan.note(emptySegment: segment))
    }

    private func report() -> RenderReport {
        if let note = output.note { notes.append(note) }
        let time = max(1e-6, meter.elapsedSeconds)
        work.seconds = time
        var report = plan.report(
            output: files.output, sizeBytes: output.sizeBytes, seconds: seconds, frames: output.frameCount,
            samples: sound?.samples ?? 0, segments: segmentsPlaced, notes: notes, elapsed: time)
        report.indexFirst = output.indexFirst
        report.smart = work
        return report
    }
}
