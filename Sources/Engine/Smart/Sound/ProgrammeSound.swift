internal import Media
internal import Model
internal import Planning

/// The programme's sound as it is meant: frame by frame along the grid, whichever segments they come from.
final class ProgrammeSound {
    let grid: PacketGrid
    private let codec: any SoundCopyCodec
    private let decoder: SharedDecoder
    private var segments: [SegmentPackets] = []
    /// The programme's samples, once all segments are over.
    private(set) var length: Int64?
    private var pastShift = Rational.zero

    init(_ codec: any SoundCopyCodec) throws {
        grid = codec.grid
        self.codec = codec
        decoder = SharedDecoder(try PacketDecoder(codec), history: grid.history)
    }

    // MARK: Segments, in order

    func begin(_ segment: CopiedSegment) {
        segments.append(SegmentPackets(segment, grid: grid, format: codec.format, decoder: decoder))
    }

    /// The segment that is being fed.
    var current: SegmentPackets? { segments.last }

    func finish() { length = segments.last?.end ?? 0 }

    var largestShift: Rational { segments.reduce(pastShift) { max($0, $1.largestShift) } }

    // MARK: Frames

    /// Frames before this are known for good.
    var horizon: Int64 {
        if let length { return grid.packets(end: length).upperBound }
        return segments.last?.horizon ?? 0
    }

    /// The run of a frame that sounds just as the source's packets make it; `nil` for other frames.
    func run(cleanAt frame: Int64) -> SoundRun? {
        let samples = grid.samples(ofFrame: frame)
        let segment = segments.first { $0.start <= samples.lowerBound && samples.upperBound <= $0.end ?? .max }
        return segment?.run(cleanAt: frame)
    }

    /// The samples of a frame, silent outside the programme.
    func samples(_ frame: Int64) throws -> SoundFrame {
        var samples = codec.silence
        let range = grid.samples(ofFrame: frame)
        for segment in segments where range.lowerBound < segment.end ?? .max {
            try segment.mix(into: &samples, frame: frame)
        }
        return samples
    }

    /// Lets go of what only frames before this need.
    func forget(before frame: Int64) {
        while segments.count > 1, let end = segments.first?.end, grid.frame(ofSample: end) < frame - 1 {
            pastShift = max(pastShift, segments.removeFirst().largestShift)
        }
        for segment in segments { segment.forget(before: frame) }
    }
}
