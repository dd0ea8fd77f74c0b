internal import Media
internal import Model
internal import Planning

/// Places pictures on the programme's clock, keeping the source's spacing or resampling to one rate.
///
/// One picture is held back until the next one tells how long it lasts.
final class ProgrammeVideo {
    private enum Pacing {
        case source
        case constant(CadenceMapper)
    }

    private let track: VideoTrack
    private var pacing: Pacing
    private var held: VideoFrame?

    /// The time base that frames are submitted in.
    static func timeBase(_ cadence: Cadence) -> Rational {
        switch cadence {
        case .source(let timeBase): timeBase
        case .constant(let rate, _): rate.inverse
        }
    }

    init(_ track: VideoTrack, cadence: Cadence) {
        self.track = track
        switch cadence {
        case .source: pacing = .source
        case .constant(let rate, _): pacing = .constant(CadenceMapper(framesPerSecond: rate))
        }
    }

    /// - Parameter time: since the programme's beginning, in seconds; above every earlier one.
    func add(_ frame: consuming Frame, at time: Rational) throws {
        let tick = time.ticks(in: track.timeBase)
        try release { mapper in
            mapper.advance(toFrameAt: time)
        } source: {
            tick
        }
        held = VideoFrame(frame, time: tick)
    }

    func finish(at time: Rational) throws {
        let tick = time.ticks(in: track.timeBase)
        try release { mapper in
            mapper.finish(at: time)
        } source: {
            tick
        }
    }

    private func release(
        constant ticks: (inout CadenceMapper) -> Range<Int64>, source next: () -> Int64
    ) throws {
        switch pacing {
        case .source:
            guard let held else { return }
            self.held = nil
            try track.submit(held.frame.reference(), at: held.time, duration: max(1, next() - held.time))
        case .constant(var mapper):
            let shown = ticks(&mapper)
            pacing = .constant(mapper)
            guard let held else { return }
            for tick in shown { try track.submit(held.frame.reference(), at: tick, duration: 1) }
        }
    }
}
