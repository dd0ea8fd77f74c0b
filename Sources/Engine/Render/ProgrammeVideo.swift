internal import Media
internal import Model
internal import Planning

/// Places pictures on the programme's clock, keeping the source's spacing or resampling to one rate.
final class ProgrammeVideo {
    private enum Pacing {
        case source
        /// The last picture is held back, because the next one tells how often it is shown.
        case constant(CadenceMapper, held: VideoFrame?)
    }

    private let track: VideoTrack
    private var pacing: Pacing

    init(_ track: VideoTrack, cadence: Cadence) {
        self.track = track
        switch cadence {
        case .source: pacing = .source
        case .constant(let rate, _): pacing = .constant(CadenceMapper(framesPerSecond: rate), held: nil)
        }
    }

    /// - Parameter time: since the programme's beginning, in seconds; above every earlier one.
    func add(_ frame: consuming Frame, at time: Rational) throws {
        let tick = time.ticks(in: track.timeBase)
        switch pacing {
        case .source:
            try track.submit(frame, at: tick)
        case .constant(var mapper, let held):
            try show(held, at: mapper.advance(toFrameAt: time))
            pacing = .constant(mapper, held: VideoFrame(frame, time: tick))
        }
    }

    /// - Parameter time: how long the programme lasts.
    /// - Returns: the same in ticks of the track.
    func finish(at time: Rational) throws -> Int64 {
        if case .constant(var mapper, let held) = pacing {
            try show(held, at: mapper.finish(at: time))
            pacing = .constant(mapper, held: nil)
        }
        return time.ticks(in: track.timeBase)
    }

    private func show(_ held: VideoFrame?, at ticks: Range<Int64>) throws {
        guard let held else { return }
        for tick in ticks { try track.submit(held.frame.reference(), at: tick) }
    }
}
