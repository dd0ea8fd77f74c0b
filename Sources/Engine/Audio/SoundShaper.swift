internal import Media
internal import Model
internal import Planning

/// What is done to a segment's samples: fades at its seams, mutes and bleeps within.
struct SoundShaper {
    /// 5 ms: short enough to lose nothing, long enough not to click.
    static let fadeSeconds = Rational(5, 1000)
    /// The censoring tone. Source: common broadcast practice, 1 kHz.
    private static let bleepHertz = 1000.0
    private static let bleepAmplitude: Float = 0.1

    struct Shape {
        var fadesIn = false
        var fadesOut = false
        /// In source time, sorted.
        var effects: [SoundEffect] = []
    }

    let shape: Shape
    private let format: AudioFormat
    /// In source seconds: what position 0 is.
    private let origin: Rational

    init(_ shape: Shape, format: AudioFormat, origin: Rational) {
        (self.shape, self.format, self.origin) = (shape, format, origin)
    }

    /// The fade of a segment or an effect of so many samples.
    func fade(length: Int64) -> Int64 {
        max(1, min(Self.fadeSeconds.ticks(in: Rational(1, Int64(format.sampleRate))), length / 2))
    }

    /// The positions that mutes and bleeps change, in source samples from the origin.
    var altered: [Range<Int64>] {
        shape.effects.map { position(of: $0.start)..<max(position(of: $0.start), position(of: $0.end)) }
    }

    private func position(of seconds: Rational) -> Int64 {
        (seconds - origin).ticks(in: Rational(1, Int64(format.sampleRate)))
    }

    /// - Parameter position: of the first sample, in source samples from the origin.
    func applyEffects(to samples: UnsafeMutableBufferPointer<Float>, channel: Int, from position: Int64) {
        let range = position..<position + Int64(samples.count)
        for (effect, altered) in zip(shape.effects, altered) {
            let (start, end) = (altered.lowerBound, altered.upperBound)
            let fade = fade(length: end - start)
            // The sound itself fades within the range's edges, so that nothing outside it is touched.
            let touched = altered.clamped(to: range)
            guard !touched.isEmpty else { continue }
            let isBleep = effect.kind == .bleep && channel != lowFrequencyChannel
            let step = 2 * Double.pi * Self.bleepHertz / Double(format.sampleRate)
            for position in touched {
                let distance = Float(min(fade, min(position - start, end - 1 - position)))
                let index = Int(position - range.lowerBound)
                samples[index] *= 1 - distance / Float(fade)
                guard isBleep else { continue }
                let level = Self.bleepAmplitude * distance / Float(fade)
                samples[index] += level * sine(step * Double(position - start))
            }
        }
    }

    /// - Parameters:
    ///   - position: of the first sample, from the segment's beginning.
    ///   - length: the segment's, when it is known.
    func applyFades(to samples: UnsafeMutableBufferPointer<Float>, from position: Int64, length: Int64?) {
        let fade = fade(length: length ?? .max)
        let end = position + Int64(samples.count)
        func scale(_ range: Range<Int64>, _ gain: (Int64) -> Float) {
            for place in range { samples[Int(place - position)] *= gain(place) }
        }
        if shape.fadesIn, position < fade {
            scale(position..<min(end, fade)) { Float($0) / Float(fade) }
        }
        if shape.fadesOut, let length, end > length - fade {
            scale(max(position, length - fade)..<end) { Float(length - $0) / Float(fade) }
        }
    }

    /// In every layout with one, the fourth channel is the subwoofer's: a 1 kHz tone does not belong there.
    private var lowFrequencyChannel: Int? { format.layout.channels >= 6 ? 3 : nil }
}
