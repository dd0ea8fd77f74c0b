internal import Media
internal import Model
internal import Planning

/// Turns one source's pictures into the output's: orientation, colour, size, pixel format.
///
/// The filter graph is built for the format of the frames that come and rebuilt when that changes. Where nothing is
/// to be done, frames pass untouched.
final class PictureConformer {
    private let layout: PictureLayout
    private let color: ColorTreatment
    private let target: PixelFormat
    private let aspect: Rational
    private let tags: ColorTags
    private let threads: Int
    private var graph: FilterGraph?
    private var inputFormat: PictureFormat?
    private var passes = false

    init(
        layout: PictureLayout, color: ColorTreatment, target: PixelFormat, aspect: Rational, tags: ColorTags,
        threads: Int
    ) {
        (self.layout, self.color, self.target) = (layout, color, target)
        (self.aspect, self.tags, self.threads) = (aspect, tags, threads)
    }

    /// Converts in place; the frame's time is kept.
    func conform(_ frame: inout Frame) throws {
        let format = frame.pictureFormat
        if format != inputFormat { try prepare(for: format) }
        guard !passes else { return }
        let time = frame.time
        frame.time = 0
        try graph?.push(&frame)
        guard case .produced? = try graph?.pull(into: &frame) else {
            throw EngineError(.internalFault, "the filters held back a picture")
        }
        frame.time = time
        frame.dropSideData()
    }

    private func prepare(for format: PictureFormat) throws {
        inputFormat = format
        let text = FilterText.chain(layout: layout, color: color, input: format, format: target, aspect: aspect)
        passes = text.isEmpty
        guard !passes else { return }
        // Every push is one picture at time zero, so any time base will do.
        graph = try FilterGraph(text, video: format, timeBase: Rational(1, 1000), threads: threads)
    }
}
