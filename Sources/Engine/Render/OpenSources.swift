internal import Media
internal import Model
internal import Planning

/// The sources of one run, opened as they are needed.
final class OpenSources {
    /// What is wanted of them.
    enum Wanted { case all, pictures, sound }

    private let plan: RenderPlan
    private let files: RenderFiles
    private let options: RenderOptions
    private let wanted: Wanted
    private let cancellation: Cancellation
    private var recent = RecentSources<SourceSession>()
    private var closedDamage = 0

    init(
        _ plan: RenderPlan, files: RenderFiles, options: RenderOptions, wanted: Wanted = .all,
        cancellation: Cancellation
    ) {
        (self.plan, self.files, self.options) = (plan, files, options)
        (self.wanted, self.cancellation) = (wanted, cancellation)
    }

    /// Damaged packets and frames passed over in all sources so far.
    var damagedPackets: Int { recent.all.reduce(closedDamage) { $0 + $1.reader.damageCount } }

    /// - Parameter source: into the plan's sources.
    func session(for source: Int) throws -> SourceSession {
        try recent.opened(source, open: open) { closedDamage += $0.reader.damageCount }
    }

    private func open(_ source: Int) throws -> SourceSession {
        let planned = plan.sources[source]
        var settings = SourceReader.Settings()
        settings.videoStream = plan.video == nil ? nil : planned.videoStream
        settings.audioStream = plan.audio == nil || wanted == .pictures ? nil : planned.audioStream
        settings.decoderThreads = options.threads.decoder
        settings.limits = options.limits
        settings.salvage = options.salvage
        settings.duration = planned.duration
        settings.givesPictures = wanted != .sound
        let (sources, name) = (files.sources, files.names[source])
        let reader = try SourceReader({ try sources.open(name) }, settings: settings, cancellation: cancellation)
        return SourceSession(
            reader, conformer: reader.video.flatMap { conformer(for: planned, timeBase: $0.timeBase) })
    }

    private func conformer(for source: PlannedSource, timeBase: Rational) -> PictureConformer? {
        guard wanted != .sound, let video = plan.video, let layout = source.layout, let color = source.color else {
            return nil
        }
        return PictureConformer(
            PictureRecipe(
                layout: layout, color: color, deinterlaces: source.interlaced, pixelFormat: video.pixelFormat,
                sampleAspectRatio: video.sampleAspectRatio),
            timeBase: timeBase, threads: options.threads.filters)
    }
}
