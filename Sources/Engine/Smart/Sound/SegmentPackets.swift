internal import Media
internal import Model
internal import Planning

/// A segment whose sound is to be copied.
struct CopiedSegment {
    /// The source's time at which the segment begins, in seconds from its container's start.
    var origin: Rational
    /// The programme's time at which it begins, in seconds.
    var start: Rational
    var shape = SoundShaper.Shape()
}

/// One segment's packets, placed on the grid; what they sound like, and which may be copied.
final class SegmentPackets {
    /// Samples of the programme.
    let start: Int64
    private(set) var end: Int64?
    /// The segment is known to last to here at least, less what its last fade may touch.
    private var reached: Int64

    private let segment: CopiedSegment
    private let grid: PacketGrid
    private let format: AudioFormat
    private let shaper: SoundShaper
    private let decoder: SharedDecoder
    private(set) var runs: [SoundRun] = []
    private(set) var largestShift = Rational.zero

    /// Timestamps of one continuous stream wander by less, as in `SegmentSound`.
    private static let jitterSeconds = Rational(4, 100)

    init(_ segment: CopiedSegment, grid: PacketGrid, format: AudioFormat, decoder: SharedDecoder) {
        (self.segment, self.grid, self.format, self.decoder) = (segment, grid, format, decoder)
        shaper = SoundShaper(segment.shape, format: format, origin: segment.origin)
        start = grid.sample(at: segment.start)
        reached = start
    }

    private var fade: Int64 { shaper.fade(length: .max) }

    /// Adds the next packet; those that end before the segment's run-in may come and are let go.
    func feed(_ fed: FedPacket) {
        let content = grid.sample(at: fed.time - segment.origin)
        // Half a frame of shift, and packets to begin from.
        if runs.isEmpty, content < -(grid.history + 3) * grid.frameSamples { return }
        let run = run(for: fed, at: content)
        let first = run.endFrame * grid.frameSamples
        run.append(SoundPacket(fed.bytes), samples: fed.duration.map(grid.sample))
        let zero = (Rational.zero - fed.time).ticks(in: grid.sampleSeconds)
        if zero > 0 { run.begin(at: first + min(zero, grid.frameSamples)) }
        if fed.isDiscarded {
            if first <= run.audible.lowerBound {
                run.begin(at: first + grid.frameSamples)
            } else {
                run.cut(at: first)
            }
        }
    }

    /// The run that a packet belongs to: a new one where its time is not the one that follows.
    private func run(for fed: FedPacket, at content: Int64) -> SoundRun {
        let jitter = grid.sample(at: Self.jitterSeconds)
        var earliest = Int64.min
        if let last = runs.last {
            if abs(content - last.endContent) <= jitter, !last.isCut { return last }
            let placed = grid.placement(at: segment.start + fed.time - segment.origin).frame
            // Nobody takes back what may have been written.
            earliest = max(placed, horizon) * grid.frameSamples
            last.cut(at: min(earliest, last.endFrame * grid.frameSamples))
        }
        let placement = grid.placement(at: segment.start + fed.time - segment.origin)
        let shift = placement.shift < .zero ? Rational.zero - placement.shift : placement.shift
        largestShift = max(largestShift, shift)
        let run = SoundRun(placement, on: grid, content: content, shaper: shaper, earliest: earliest, decoder: decoder)
        runs.append(run)
        return run
    }

    /// The segment lasts at least so many seconds.
    func advance(to length: Rational) {
        guard end == nil else { return }
        // A segment too short for whole fades is known to its end before anything of it is.
        reached = max(reached, grid.sample(at: segment.start + length) - 2 * fade)
    }

    func close(length: Rational) { end = max(start, grid.sample(at: segment.start + length)) }

    /// Whether the packets fed are enough for a segment of so many seconds.
    func reaches(_ length: Rational) -> Bool {
        guard let last = runs.last else { return false }
        return last.endFrame * grid.frameSamples >= grid.sample(at: segment.start + length)
    }

    /// Frames before this are known for good.
    var horizon: Int64 {
        if let end { return grid.frame(ofSample: end) }
        let begun = grid.frame(ofSample: start)
        // A packet that cuts the last ones off may still come.
        guard let last = runs.last else { return begun }
        return max(begun, min(grid.frame(ofSample: reached), last.endFrame - 2))
    }

    /// The run that a clean frame belongs to; `nil` when it is not clean.
    func run(cleanAt frame: Int64) -> SoundRun? {
        let first = start + (segment.shape.fadesIn ? fade : 0)
        let last = (end ?? .max) - (segment.shape.fadesOut && end != nil ? fade : 0)
        guard first < last else { return nil }
        return runs.first { $0.isClean(frame, kept: first..<last) }
    }

    /// Adds what the segment has in a frame.
    func mix(into samples: inout SoundFrame, frame: Int64) throws {
        let range = grid.samples(ofFrame: frame)
        for run in runs {
            // Before the programme nothing is heard; but a transform that reaches there had better find no edge.
            let first = start == 0 ? Int64.min : start
            let part = range.clamped(to: first..<max(start, end ?? .max)).clamped(to: run.audible)
            guard !part.isEmpty, let source = try run.samples(frame) else { continue }
            let inside = Int(part.lowerBound - range.lowerBound)..<Int(part.upperBound - range.lowerBound)
            let position = run.content + part.lowerBound - run.frame * grid.frameSamples
            for channel in 0..<format.layout.channels {
                samples[channel].replaceSubrange(inside, with: source[channel][inside])
                samples[channel].withUnsafeMutableBufferPointer { whole in
                    let piece = UnsafeMutableBufferPointer(rebasing: whole[inside])
                    shaper.applyEffects(to: piece, channel: channel, from: position)
                    shaper.applyFades(to: piece, from: part.lowerBound - start, length: end.map { $0 - start })
                }
            }
        }
    }

    func forget(before frame: Int64) {
        for run in runs { run.forget(before: frame) }
    }
}
