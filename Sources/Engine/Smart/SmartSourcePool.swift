internal import Media
internal import Model
internal import Planning

/// The sources of a smart render, opened as they are needed. All must be coded alike.
final class SmartSourcePool {
    private let plan: RenderPlan
    private let files: RenderFiles
    private let options: RenderOptions
    private let cancellation: Cancellation
    private var recent = RecentSources<SmartSource>()
    private var closedPictures = 0
    /// Of all sources; `nil` until one was opened.
    private(set) var codec: (any PictureCodec)?
    /// Their pictures' clock; `nil` until one was opened.
    private(set) var timeBase: Rational?

    init(_ plan: RenderPlan, files: RenderFiles, options: RenderOptions, cancellation: Cancellation) {
        (self.plan, self.files, self.options, self.cancellation) = (plan, files, options, cancellation)
    }

    /// - Parameter index: into the plan's sources.
    /// - Throws: `SmartObstacle` when its pictures cannot be copied beside those of the sources before.
    func source(_ index: Int) throws -> SmartSource {
        try recent.opened(index, open: open) { closedPictures += $0.seams.decodedPictures }
    }

    /// What was decoded for seams, in all sources so far.
    var decodedPictures: Int { recent.all.reduce(closedPictures) { $0 + $1.seams.decodedPictures } }

    private func open(_ index: Int) throws -> SmartSource {
        guard let stream = plan.sources[index].videoStream else { throw SmartObstacle.noPicture }
        let (sources, name) = (files.sources, files.names[index])
        let window = try PacketWindow(
            { try sources.open(name) }, codec: { try codec($0, stream) }, stream: stream,
            soundStream: plan.audio == nil ? nil : plan.sources[index].audioStream, limits: options.limits,
            cancellation: cancellation)
        // Times are copied as they are: one clock for all.
        guard window.timeBase == timeBase ?? window.timeBase else { throw SmartObstacle.severalSources }
        timeBase = window.timeBase
        // What only packets tell of a stream (VP9, AV1) is known from here on.
        _ = try window.picture(at: 0)
        return try SmartSource(window, options: options, cancellation: cancellation)
    }

    private func codec(_ demuxer: borrowing Demuxer, _ stream: Int) throws -> any PictureCodec {
        let fresh = try options.pictureCodec(demuxer, stream)
        guard let codec else {
            codec = fresh
            return fresh
        }
        guard codec.isSame(as: fresh) else { throw SmartObstacle.severalSources }
        return codec
    }
}
