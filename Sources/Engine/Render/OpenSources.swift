internal import Media
internal import Model
internal import Planning

/// The sources of one run, opened as they are needed.
final class OpenSources {
    /// What is wanted of them.
    enum Wanted { case all, pictures, sound }

    /// Kept open at once; each holds decoders and their frames.
    private static let limit = 3

    private let plan: RenderPlan
    private let files: RenderFiles
    private let options: RenderOptions
    private let wanted: Wanted
    private let cancellation: Cancellation
    /// Most recently used last.
    private var sessions: [(source: Int, session: SourceSession)] = []
    private var closedDamage = 0

    init(
        _ plan: RenderPlan, files: RenderFiles, options: RenderOptions, wanted: Wanted = .all,
        cancellation: Cancellation
    ) {
        (self.plan, self.files, self.options) = (plan, files, options)
        (self.wanted, self.cancellation) = (wanted, cancellation)
    }

    /// Damaged packets and frames passed over in all sources so far.
    var damagedPackets: Int { sessions.reduce(closedDamage) { $0 + $1.session.reader.damageCount } }

    /// - Parameter source: into the plan's sources.
    func session(for source: Int) throws -> SourceSession {
        if let position = sessions.firstIndex(where: { $0.source == source }) {
            let found = sessions.remove(at: position)
            sessions.append(found)
            return found.session
        }
        if sessions.count == Self.limit { closedDamage += sessions.removeFirst().session.reader.damageCount }
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
        let session = SourceSession(
            reader, conformer: reader.video.flatMap { conformer(for: planned, timeBase: $0.timeBase) })
        sessions.append((source, session))
        return session
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
