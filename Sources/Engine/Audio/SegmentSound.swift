internal import Media
internal import Model
internal import Planning

/// The sound of one segment: decoded frames in, exactly the segment's samples out, in the output's format.
///
/// Positions count output samples from the segment's first picture. Gaps in the source become silence, overlaps are
/// dropped, mutes and bleeps are applied, and seams are faded.
final class SegmentSound {
    static let fadeSeconds = SoundShaper.fadeSeconds
    /// Timestamps of one continuous stream wander by less (containers with millisecond clocks, encoders' rounding).
    private static let jitterSeconds = 0.04
    typealias Shape = SoundShaper.Shape

    private let format: AudioFormat
    private let timeBase: Rational
    /// In source seconds: what position 0 is.
    private let origin: Rational
    private let shaper: SoundShaper

    private var resampler: Resampler?
    private var ready: Samples
    /// Position of the first sample in `ready`.
    private var readyPosition: Int64 = 0
    /// Position behind the last sample fed, when anything was.
    private var expectedPosition: Int64?
    /// Silence still to be made, and the frame behind it: a hole may be long, and is filled as it is taken.
    private var owedSilence: Int64 = 0
    private var held: AudioFrame?
    /// Samples of a frame's beginning that lie before position 0 and are still to be dropped.
    private var surplus: Int64 = 0

    /// - Parameters:
    ///   - timeBase: of the frames that will be fed.
    ///   - origin: the source time of position 0, in seconds.
    init(format: AudioFormat, timeBase: Rational, origin: Rational, shape: Shape = Shape()) {
        (self.format, self.timeBase, self.origin) = (format, timeBase, origin)
        shaper = SoundShaper(shape, format: format, origin: origin)
        ready = Samples(channels: format.layout.channels)
    }

    /// Positions before this can be taken.
    var endPosition: Int64 { readyEnd + owedSilence - max(0, surplus) }

    private var readyEnd: Int64 { readyPosition + Int64(ready.count) }

    /// Adds one decoded frame; frames come in order.
    func feed(_ audio: AudioFrame) throws {
        try settle()
        let start = position(of: Rational(audio.time) * timeBase)
        if let expected = expectedPosition {
            let drift = start - expected
            if abs(Double(drift)) > Self.jitterSeconds * Double(format.sampleRate) {
                try finishResampler()
                expectedPosition = start
                if drift > 0 {
                    (owedSilence, held) = (drift, audio)
                    return
                }
                surplus += -drift
                dropSurplusFromEnd()
            }
        } else {
            expectedPosition = start
            if start > 0 {
                (owedSilence, held) = (start, audio)
                return
            }
            surplus = -start
        }
        try add(audio)
    }

    private func add(_ audio: AudioFrame) throws {
        if resampler?.accepts(audio.frame) == false { try finishResampler() }
        if resampler == nil { resampler = try Resampler(for: audio.frame, to: format) }
        let samples = Double(audio.frame.sampleCount) * Double(format.sampleRate) / Double(audio.frame.sampleRate)
        try resampler?.convert(audio.frame, into: &ready)
        dropSurplus()
        expectedPosition = (expectedPosition ?? 0) + Int64(samples.rounded())
    }

    /// Makes what is left of a hole, and adds the frame behind it.
    private func settle() throws {
        makeOwedSilence(upTo: .max)
        guard let frame = held else { return }
        held = nil
        try add(frame)
    }

    private func makeOwedSilence(upTo position: Int64) {
        let made = max(0, min(owedSilence, position - readyEnd))
        ready.appendSilence(Int(made))
        owedSilence -= made
    }

    /// Gives out what the resampler still holds.
    func flush() throws {
        try settle()
        try finishResampler()
    }

    /// Goes on with silence, after a flush.
    func appendSilence(_ samples: Int) { ready.appendSilence(samples) }

    /// Makes up for what never came, so that positions up to `length` exist; more is cut off.
    func finish(length: Int64) throws {
        if readyEnd + owedSilence >= length {
            // The segment ends inside a hole: what lies behind it is not needed.
            makeOwedSilence(upTo: length)
            (owedSilence, held) = (0, nil)
        }
        try flush()
        if readyEnd < length {
            ready.appendSilence(Int(length - readyEnd))
        } else if readyEnd > length {
            ready.removeLast(Int(min(Int64(ready.count), readyEnd - length)))
        }
    }

    /// Moves the samples before `position` to the output, with effects and fades.
    ///
    /// - Parameter length: the segment's length, when it is known; only then may the last fade's samples be taken.
    func take(upTo position: Int64, length: Int64?, into output: inout Samples) {
        makeOwedSilence(upTo: position)
        let count = Int(min(position - readyPosition, Int64(ready.count)))
        guard count > 0 else { return }
        for channel in 0..<format.layout.channels {
            let samples = UnsafeMutableBufferPointer(rebasing: ready[channel: channel].prefix(count))
            shaper.applyEffects(to: samples, channel: channel, from: readyPosition)
            shaper.applyFades(to: samples, from: readyPosition, length: length)
        }
        output.append(count, from: &ready)
        readyPosition += Int64(count)
    }

    private func position(of seconds: Rational) -> Int64 {
        (seconds - origin).ticks(in: Rational(1, Int64(format.sampleRate)))
    }

    private func finishResampler() throws {
        try resampler?.finish(into: &ready)
        resampler = nil
        dropSurplus()
    }

    /// Surplus belongs to the very beginning, before anything was taken.
    private func dropSurplus() {
        let dropped = Int(min(surplus, Int64(ready.count)))
        guard dropped > 0 else { return }
        ready.removeFirst(dropped)
        surplus -= Int64(dropped)
    }

    /// Samples that come twice: the later ones win, as they follow on.
    private func dropSurplusFromEnd() {
        let dropped = Int(min(surplus, Int64(ready.count)))
        ready.removeLast(dropped)
        surplus -= Int64(dropped)
    }
}
