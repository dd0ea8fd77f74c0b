package import Model

/// Resamples frame times to one rate: at every output tick the latest frame whose time, rounded to the nearest tick,
/// has come.
///
/// Feed it frames' programme times in order; it answers how often the *previous* frame is shown. Pure bookkeeping.
package struct CadenceMapper: Sendable {
    private let rate: Rational
    /// The next output tick to fill.
    package private(set) var nextTick: Int64 = 0

    package init(framesPerSecond: Rational) { rate = framesPerSecond }

    /// The ticks at which the frame before this one is shown: those not yet filled and before this frame's own.
    package mutating func advance(toFrameAt seconds: Rational) -> Range<Int64> {
        take(upTo: seconds.ticks(in: rate.inverse))
    }

    /// The ticks at which the last frame is shown, for a programme that lasts this long.
    package mutating func finish(at seconds: Rational) -> Range<Int64> {
        take(upTo: seconds.ticks(in: rate.inverse))
    }

    private mutating func take(upTo tick: Int64) -> Range<Int64> {
        let filled = nextTick..<max(nextTick, tick)
        nextTick = filled.upperBound
        return filled
    }
}
