internal import Media
internal import Model
internal import Planning

/// Turns one source's pictures into the output's: fields woven to frames, orientation, colour, size, pixel format.
///
/// The filter graph is built for the format of the frames that come and rebuilt when that changes. Where nothing is
/// to be done, frames pass untouched. Deinterlacing looks at the next picture, so that pictures then come out one
/// late; `finish` gives the last.
final class PictureConformer {
    private let recipe: PictureRecipe
    private let timeBase: Rational
    private let threads: Int
    private var graph: FilterGraph?
    private var inputFormat: PictureFormat?
    private var passes = false
    /// Pictures that a rebuilt graph's predecessor still held.
    private var leftOver: [VideoFrame] = []

    /// - Parameter timeBase: of the pictures' times.
    init(_ recipe: PictureRecipe, timeBase: Rational, threads: Int) {
        (self.recipe, self.timeBase, self.threads) = (recipe, timeBase, threads)
    }

    /// Takes a picture and gives the next finished one, if any; times are kept.
    func conform(_ picture: VideoFrame) throws -> VideoFrame? {
        let format = picture.frame.pictureFormat
        if format != inputFormat {
            while let last = try finish() { leftOver.append(last) }
            try prepare(for: format)
        }
        guard !passes else { return picture }
        picture.frame.time = picture.time
        try graph?.push(&picture.frame)
        return try next()
    }

    /// Gives what is still held, one picture a call, and begins anew.
    func finish() throws -> VideoFrame? {
        if let next = try next() { return next }
        guard graph != nil else { return nil }
        try graph?.finish()
        if let last = try next() { return last }
        graph = nil
        inputFormat = nil
        return nil
    }

    private func next() throws -> VideoFrame? {
        if !leftOver.isEmpty { return leftOver.removeFirst() }
        guard graph != nil else { return nil }
        var frame = try Frame()
        guard case .produced? = try graph?.pull(into: &frame), let time = frame.time else { return nil }
        frame.dropSideData()
        let ticks = (Rational(time) * (graph?.timeBase ?? timeBase)).ticks(in: timeBase)
        return VideoFrame(frame, time: ticks)
    }

    private func prepare(for format: PictureFormat) throws {
        inputFormat = format
        let text = FilterText.chain(recipe, input: format)
        passes = text.isEmpty
        graph = passes ? nil : try FilterGraph(text, video: format, timeBase: timeBase, threads: threads)
    }
}

/// What is to become of a source's pictures.
struct PictureRecipe {
    var layout: PictureLayout
    var color: ColorTreatment
    var deinterlaces = false
    var pixelFormat: PixelFormat
    var sampleAspectRatio: Rational = .one
}
