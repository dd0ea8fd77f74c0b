package import Media
package import Model
internal import Planning

package struct AnalysisOptions {
    /// 0 (only long pauses) to 100 (every pause).
    package var pacing = 50
    package var threads = ThreadBudget(total: availableCores())
    package var salvage = false
    package var limits = DemuxerLimits()

    package init() {}
}

/// Listens to and looks at a source once, and proposes the edit that tightens it.
package struct Analyzer {
    private let source: String
    private let sources: any SourceProvider
    private let options: AnalysisOptions
    private let meter: ProgressMeter
    private let cancellation: Cancellation

    package init(
        _ source: String, in sources: any SourceProvider, options: AnalysisOptions, meter: ProgressMeter,
        cancellation: Cancellation
    ) {
        (self.source, self.sources) = (source, sources)
        (self.options, self.meter, self.cancellation) = (options, meter, cancellation)
    }

    package init(path: String, options: AnalysisOptions, meter: ProgressMeter, cancellation: Cancellation) {
        self.init(path, in: LocalSources(), options: options, meter: meter, cancellation: cancellation)
    }

    package func run() throws -> AnalysisReport {
        do {
            return try analyze()
        } catch let error as MediaError where error.code == .cancelled {
            throw EngineError(.cancelled, "the analysis was cancelled")
        }
    }

    private func analyze() throws -> AnalysisReport {
        meter.update(.probing, fraction: 0)
        let probe = try Prober.probe(
            sources.open(source), name: source, limits: options.limits, cancellation: cancellation)
        let (video, audio) = try probe.mainStreams(salvage: options.salvage)
        var settings = SourceReader.Settings()
        settings.videoStream = video?.index
        settings.audioStream = audio?.index
        settings.decoderThreads = max(options.threads.decoder, options.threads.total)
        settings.limits = options.limits
        settings.salvage = options.salvage
        settings.duration = probe.duration
        let (sources, source) = (sources, source)
        let reader = try SourceReader({ try sources.open(source) }, settings: settings, cancellation: cancellation)

        var sound: SoundAnalysis?
        if let audio { sound = try SoundAnalysis(stream: audio) }
        var picture: PictureAnalysis?
        if let lane = reader.video { picture = try PictureAnalysis(timeBase: lane.timeBase) }
        let duration = probe.container.durationSeconds ?? 0
        var (end, frames, soundReached) = (0.0, 0, 0.0)

        func listen(until seconds: Double) throws {
            guard let timeBase = reader.audio?.timeBase else { return }
            while soundReached < seconds {
                try cancellation.check()
                guard let frame = try reader.nextAudio() else {
                    soundReached = .infinity
                    return
                }
                soundReached = Double(frame.time) * timeBase.seconds
                try sound?.add(frame)
                if video == nil { progress(soundReached, of: duration, frames: 0) }
            }
        }
        if let lane = reader.video {
            var lastDuration = lane.timeBase.seconds
            while let frame = try reader.peekVideo() {
                reader.takeVideo()
                let seconds = Double(frame.time) * lane.timeBase.seconds
                if frame.frame.duration > 0 { lastDuration = Double(frame.frame.duration) * lane.timeBase.seconds }
                end = max(end, seconds + lastDuration)
                try picture?.add(frame)
                try listen(until: seconds)
                frames += 1
                progress(seconds, of: duration, frames: frames)
            }
        }
        try listen(until: .infinity)
        try sound?.finish()
        try picture?.finish(at: end)

        var report = AnalysisReport(
            source: source, pacing: options.pacing,
            edit: EditDocument(
                sources: [EditSource(id: "source", uri: sources.lastingName(of: source))], programme: .edits([])))
        report.scenes = picture?.scenes
        report.black = picture?.black
        report.loudness = sound?.loudness
        let soundEnd = sound?.endSeconds ?? 0
        report.durationSeconds = max(end, soundEnd)
        if let powers = sound?.powers { propose(powers, &report, limit: probe.container.durationSeconds ?? soundEnd) }
        report.damagedPackets = reader.damageCount
        report.elapsedSeconds = meter.elapsedSeconds
        report.speed = report.durationSeconds / max(1e-6, report.elapsedSeconds)
        meter.update(.completed, fraction: 1, frames: frames, mediaSeconds: report.durationSeconds)
        return report
    }

    /// Fills in pauses and speech, and the edit that cuts the pauses.
    private func propose(_ powers: [Float], _ report: inout AnalysisReport, limit: Double) {
        let minimum = SilenceDetector.minimumSilenceMilliseconds(pacing: options.pacing)
        let found = SilenceDetector.detect(powers: powers, minimumSilenceMilliseconds: minimum)
        let end = Int64(report.durationSeconds * 1000)
        let silence = found.silence.map {
            AnalysisReport.Range(startMs: Int64($0.start), endMs: min(end, Int64($0.end)))
        }
        .filter { $0.startMs < $0.endMs }
        let whole = ProgrammeRange(start: .zero, end: Rational(end, 1000))
        let spoken =
            found.hasSpeech
            ? whole.removing(
                silence.map { ProgrammeRange(start: Rational($0.startMs, 1000), end: Rational($0.endMs, 1000)) })
            : []
        report.speech = .init(
            meanLevelDb: rounded(found.meanLevel), noiseFloorDb: rounded(found.noiseFloor),
            thresholdDb: rounded(found.threshold), minimumSilenceMs: minimum, silence: silence,
            spoken: spoken.map { .init(startMs: $0.start.milliseconds, endMs: $0.end.milliseconds) })
        guard found.hasSpeech else {
            report.notes.append("Nothing stands out from the silence, so nothing is proposed to be cut.")
            return
        }
        // An edit may not reach beyond what the container calls its end.
        let last = Int64(limit * 1000)
        report.edit.programme = .edits(
            silence.filter { $0.startMs < last }.map {
                EditOperation(
                    start: EditTime(milliseconds: $0.startMs), end: EditTime(milliseconds: min(last, $0.endMs)),
                    type: "SILENCE",
                    action: .cut)
            })
    }

    private func progress(_ seconds: Double, of duration: Double, frames: Int) {
        meter.update(
            .decoding, fraction: duration > 0 ? 0.99 * seconds / duration : 0, frames: frames, mediaSeconds: seconds)
    }

    private func rounded(_ level: Double) -> Double { (level * 10).rounded() / 10 }
}
