internal import Media
internal import Model
internal import Planning

/// An image that is laid over pictures, decoded and brought to its width: sRGB with straight alpha.
struct OverlayImage {
    let width: Int
    let height: Int
    /// Red, green, blue and alpha, row by row.
    let pixels: [UInt8]

    /// More is no image to be laid over a video.
    private static let maximumSide = 16_384

    /// The first picture of the stream, as wide as is asked for; its height follows.
    ///
    /// - Parameter pixelAspect: of the pictures it is laid over.
    init(
        _ source: any ByteSource, stream: Int?, width: Int, pixelAspect: Rational, limits: DemuxerLimits,
        cancellation: Cancellation
    ) throws {
        var demuxer = try Demuxer(source, limits: limits, cancellation: cancellation)
        guard let stream else { throw EngineError(.noStreams, "there is no picture to lay over others") }
        demuxer.select(streams: [stream])
        var decoder = try Decoder(demuxer, stream: stream, threads: 1, limits: limits)
        var picture = try Self.first(of: &decoder, &demuxer)
        let format = picture.pictureFormat
        let shape =
            Rational(Int64(picture.height), Int64(picture.width)) / format.sampleAspectRatio * pixelAspect
        let height = min(Self.maximumSide, max(2, Int((Double(width) * shape.seconds).rounded())))
        let text = "scale=\(width):\(height):flags=lanczos:out_range=pc,format=rgba"
        var graph = try FilterGraph(
            text, video: format, timeBase: demuxer.timeBase(ofStream: stream), threads: 1)
        picture.time = 0
        var output = try Frame()
        try graph.push(&picture)
        try graph.finish()
        guard case .produced = try graph.pull(into: &output), let plane = output.plane(0) else {
            throw EngineError(.internalFault, "an image was not brought to its size")
        }
        (self.width, self.height) = (output.width, output.height)
        pixels = (0..<output.height).flatMap { row in
            UnsafeBufferPointer(start: plane.base + row * plane.stride, count: 4 * output.width)
        }
    }

    private static func first(of decoder: inout Decoder, _ demuxer: inout Demuxer) throws -> Frame {
        var packet = try Packet()
        var frame = try Frame()
        var isAtEnd = false
        while true {
            switch try decoder.receive(into: &frame) {
            case .produced: return frame
            case .endOfStream: throw EngineError(.damagedMedia, "an image cannot be decoded")
            case .needsInput where isAtEnd: throw EngineError(.damagedMedia, "an image cannot be decoded")
            case .needsInput:
                isAtEnd = try !demuxer.read(into: &packet)
                if isAtEnd { try decoder.finish() } else { _ = try decoder.send(packet) }
            }
        }
    }
}
