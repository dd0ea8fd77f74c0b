internal import Media
internal import Model
internal import Planning

/// The sound of one segment: decoded frames in, exactly the segment's samples out, in the output's format.
///
/// Positions count output samples from the segment's first picture. Gaps in the source become silence, overlaps are
/// dropped, mutes and bleeps are applied, and seams are faded.
final class SegmentSound {
    /// 5 ms: short enough to lose nothing, long enough not to click.
    static let fadeSeconds = Rational(5, 1000)
    /// Timestamps of one continuous stream wander by less (containers with millisecond clocks, encoders' rounding).
    private static let jitterSeconds = 0.04
    /// The censoring tone. Source: common broadcast practice, 1 kHz.
    private static let bleepHertz = 1000.0
    private static let bleepAmplitude: Float = 0.1

    /// What is done to the samples.
    struct Shape {
        var fadesIn = false
        var fadesOut = false
        /// In source time, sorted.
        var effects: [SoundEffect] = []
    }

    private let format: AudioFormat
    private let timeBase: Rational
    /// In source seconds: what position 0 is.
    private let origin: Rational
    private let shape: Shape

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
        (self.format, self.timeBase, self.origin, self.shape) = (format, timeBase, origin, shape)
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
        let range = readyPosition..<readyPosition + Int64(count)
        applyEffects(range)
        applyFades(range, length: length)
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

    // MARK: Effects

    private var fadeSamples: Int64 { Self.fadeSeconds.ticks(in: Rational(1, Int64(format.sampleRate))) }

    private func applyFades(_ range: Range<Int64>, length: Int64?) {
        let fade = max(1, min(fadeSamples, (length ?? .max) / 2))
        if shape.fadesIn, range.lowerBound < fade {
            scale(range.lowerBound..<min(range.upperBound, fade)) { Float($0) / Float(fade) }
        }
        if shape.fadesOut, let length, range.upperBound > length - fade {
            scale(max(range.lowerBound, length - fade)..<range.upperBound) { Float(length - $0) / Float(fade) }
        }
    }

    private func applyEffects(_ range: Range<Int64>) {
        for effect in shape.effects {
            let (start, end) = (position(of: effect.start), position(of: effect.end))
            let fade = max(1, min(fadeSamples, (end - start) / 2))
            // The sound itself fades within the range's edges, so that nothing outside it is touched.
            let touched = max(start, range.lowerBound)..<max(max(start, range.lowerBound), min(end, range.upperBound))
            guard !touched.isEmpty else { continue }
            func distance(_ position: Int64) -> Float { Float(min(fade, min(position - start, end - 1 - position))) }
            scale(touched) { 1 - distance($0) / Float(fade) }
            guard effect.kind == .bleep else { continue }
            let step = 2 * Double.pi * Self.bleepHertz / Double(format.sampleRate)
            for channel in 0..<format.layout.channels where channel != lowFrequencyChannel {
                let samples = ready[channel: channel]
                for position in touched {
                    let level = Self.bleepAmplitude * distance(position) / Float(fade)
                    samples[Int(position - readyPosition)] += level * sine(step * Double(position - start))
                }
            }
        }
    }

    /// In every layout with one, the fourth channel is the subwoofer's: a 1 kHz tone does not belong there.
    private var lowFrequencyChannel: Int? { format.layout.channels >= 6 ? 3 : nil }

    private func scale(_ range: Range<Int64>, _ gain: (Int64) -> Float) {
        for channel in 0..<format.layout.channels {
            let samples = ready[channel: channel]
            for position in range { samples[Int(position - readyPosition)] *= gain(position) }
        }
    }
}
