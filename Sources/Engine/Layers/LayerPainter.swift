internal import Lettering
internal import Media
internal import Model
internal import Planning

/// Lays a plan's captions and images over pictures of the output's size. Used from one thread.
final class LayerPainter {
    private let plan: RenderPlan
    private let layers: PlannedLayers
    private let video: VideoPlan
    private let files: RenderFiles
    private let options: RenderOptions
    private let cancellation: Cancellation
    private let tone: LayerTone

    private var overlays: [Int: PictureLayer] = [:]
    private var letterer: TextSetter?
    /// The captions that were shown last, which the next picture most often shows, too.
    private var caption: (layers: [Layer], picture: PictureLayer?)?

    /// - Returns: `nil` where nothing is laid over anything.
    init?(_ plan: RenderPlan, files: RenderFiles, options: RenderOptions, cancellation: Cancellation) {
        guard let layers = plan.layers, let video = plan.video else { return nil }
        (self.plan, self.layers, self.video) = (plan, layers, video)
        (self.files, self.options, self.cancellation) = (files, options, cancellation)
        tone = LayerTone(video.color.assumed(height: video.height), bitDepth: video.bitDepth)
    }

    /// - Parameters:
    ///   - time: the picture's, in the segment's source.
    /// - Returns: the picture itself where nothing lies over it; else one of its own.
    func paint(_ picture: borrowing Frame, of segment: PlannedSegment, at time: Rational) throws -> Frame {
        let shown = segment.layers(at: time)
        guard !shown.isEmpty else { return try picture.reference() }
        let painted = try picture.copy()
        for layer in shown where layer.kind == .overlay { try overlay(layer.index).paint(on: painted) }
        let captions = shown.filter { $0.kind == .caption }
        if !captions.isEmpty { try self.caption(captions)?.paint(on: painted) }
        return painted
    }

    private func overlay(_ index: Int) throws -> PictureLayer {
        if let known = overlays[index] { return known }
        let planned = layers.overlays[index]
        let width = max(2, Int((planned.width * Double(video.width)).rounded()))
        let image = try OverlayImage(
            files.sources.open(files.names[planned.source]), stream: plan.sources[planned.source].videoStream,
            width: width, pixelAspect: video.sampleAspectRatio, limits: options.limits, cancellation: cancellation)
        let layer = PictureLayer(
            pixels: image.pixels, width: image.width, height: image.height,
            x: Int((planned.x * Double(video.width)).rounded()), y: Int((planned.y * Double(video.height)).rounded()),
            opacity: planned.opacity, tone: tone)
        overlays[index] = layer
        return layer
    }

    private func caption(_ shown: [Layer]) throws -> PictureLayer? {
        if let caption, caption.layers == shown { return caption.picture }
        let letterer = try self.letterer ?? TextSetter(layers.style, video: video, fonts: options.fonts)
        self.letterer = letterer
        let picture = try letterer.set(shown.map { layers.texts[$0.index] }).map { text in
            PictureLayer(pixels: text.pixels, width: text.width, height: text.height, x: text.x, y: text.y, tone: tone)
        }
        caption = (shown, picture)
        return picture
    }
}

/// Owns what sets texts in one style.
private final class TextSetter {
    private let letterer: Letterer

    init(_ style: CaptionStyle, video: VideoPlan, fonts: FontSet) throws(LetteringError) {
        letterer = try Letterer(
            header: CaptionScript(style, width: video.width, height: video.height).header, font: style.font,
            fonts: fonts, width: video.width, height: video.height, pixelAspect: video.sampleAspectRatio.seconds)
    }

    func set(_ texts: [String]) throws(LetteringError) -> LetteredText? {
        try letterer.set(CaptionScript.event(texts))
    }
}
