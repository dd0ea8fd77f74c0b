package import Media
package import Model
internal import Planning

/// How proxies are to be made.
package struct ProxyOptions {
    package enum When: String, CaseIterable, Sendable {
        case always
        /// Only for sources that browsers cannot play; the other outputs are made all the same.
        case unplayable
    }

    package var when: When = .always
    package var threads = ThreadBudget(total: availableCores())
    package var salvage = false
    package var limits = DemuxerLimits()

    package init() {}
}

/// Makes everything an editor in a browser needs of one source, from one decode: a scrubbable proxy, sound for
/// transcription, a sprite sheet, a waveform and a poster.
package struct ProxyBuilder {
    package static let outputNames = ["proxy.mp4", "audio.mp3", "sprite.jpg", "waveform.json", "poster.jpg"]

    private let source: String
    private let sources: any SourceProvider
    private let outputs: any OutputProvider
    private let options: ProxyOptions
    private let meter: ProgressMeter
    private let cancellation: Cancellation

    package init(
        _ source: String, in sources: any SourceProvider, outputs: any OutputProvider, options: ProxyOptions,
        meter: ProgressMeter, cancellation: Cancellation
    ) {
        (self.source, self.sources, self.outputs, self.options) = (source, sources, outputs, options)
        (self.meter, self.cancellation) = (meter, cancellation)
    }

    package init(
        path: String, folder: String, options: ProxyOptions, meter: ProgressMeter, cancellation: Cancellation
    ) {
        self.init(
            path, in: LocalSources(), outputs: LocalOutputs(folder: folder), options: options, meter: meter,
            cancellation: cancellation)
    }

    package func run() throws -> ProxyReport {
        do {
            return try build()
        } catch let error as MediaError where error.code == .cancelled {
            throw EngineError(.cancelled, "the proxy was cancelled; nothing was written")
        }
    }

    private func build() throws -> ProxyReport {
        meter.update(.probing, fraction: 0)
        let probe = try Prober.probe(
            sources.open(source), name: source, limits: options.limits, cancellation: cancellation)
        let (video, audio) = try probe.mainStreams(salvage: options.salvage)
        try outputs.prepare()
        if let name = Self.outputNames.first(where: { outputs.isSource(source, output: $0) }) {
            throw EngineError(.outputIsSource, "the source would be overwritten by its own \(name)")
        }

        var report = ProxyReport(source: source, proxyMethod: .encoded, proxyReason: "")
        let obstacle = ProxyRules.obstacle(probe)
        if options.when == .unplayable, probe.browserPlayable.playable {
            (report.proxyMethod, report.proxyReason) = (.notNeeded, probe.browserPlayable.reason)
        } else if obstacle == nil {
            (report.proxyMethod, report.proxyReason) = (.remuxed, "the source meets every property of a proxy")
        } else {
            report.proxyReason = obstacle ?? ""
        }

        var remux: Remuxer.Copy?
        if report.proxyMethod == .remuxed, let video {
            let outcome = try Remuxer.remux(
                sources.open(source), probe: probe, video: video, audio: audio, to: "proxy.mp4", in: outputs,
                limits: options.limits, cancellation: cancellation)
            switch outcome {
            case .copied(let copy):
                remux = copy
                report.proxy = copy.file.file.destination
                report.indexFirst = copy.file.indexFirst
                report.notes += [copy.file.note].compactMap(\.self)
                report.frames = copy.packets[video.index]
            case .unsuited(let reason): (report.proxyMethod, report.proxyReason) = (.encoded, reason)
            }
        }
        let pass = try ProxyPass(
            probe: probe, video: video, audio: audio, makeSource: { [sources, source] in try sources.open(source) },
            outputs: outputs, encodesProxy: report.proxyMethod == .encoded, options: options, meter: meter,
            cancellation: cancellation)
        try pass.run(&report)
        // All or nothing: names appear only when everything is there.
        try outputs.commit((remux.map { [$0.file.file] } ?? []) + pass.finished)
        report.elapsedSeconds = meter.elapsedSeconds
        report.speed = report.durationSeconds / max(1e-6, report.elapsedSeconds)
        meter.update(.completed, fraction: 1, frames: report.frames ?? 0, mediaSeconds: report.durationSeconds)
        return report
    }
}
