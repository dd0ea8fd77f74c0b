internal import Media
internal import Model
internal import Planning

/// What segments without a picture show: black, and what is laid over it.
enum BlackPictures {
    /// - Parameter length: of the segment, in seconds.
    /// - Returns: a picture for each change, with how far into the segment it is; nothing in outputs without a picture.
    static func of(
        _ segment: PlannedSegment, length: Rational, _ plan: RenderPlan, _ painter: LayerPainter?
    ) throws -> [(picture: VideoFrame, offset: Rational)] {
        guard let video = plan.video else { return [] }
        let black = try Frame.black(
            width: video.width, height: video.height, format: video.pixelFormat, fullRange: video.color.isFullRange)
        let changes =
            painter == nil ? [] : segment.layers.flatMap { [$0.start - segment.start, $0.end - segment.start] }
        return try Set([.zero] + changes).filter { $0 >= .zero && $0 < length }.sorted().map { offset in
            let picture = try painter?.paint(black, of: segment, at: segment.start + offset) ?? black.reference()
            return (VideoFrame(picture, time: 0), offset)
        }
    }
}
