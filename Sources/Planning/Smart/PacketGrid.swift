package import Model

/// The programme's sound as a row of AAC frames of 1024 samples each, on which every packet must lie.
///
/// Frame 0 begins with the programme; packet `n` completes frame `n` and begins frame `n + 1`, so that the first packet
/// is -1, the run-in that players cut off. Positions are samples from the programme's beginning.
package struct PacketGrid: Hashable, Sendable {
    /// Source: ISO/IEC 14496-3 §4.5.1.1.
    package static let frameSamples: Int64 = 1024

    package let sampleRate: Int

    package init(sampleRate: Int) { self.sampleRate = sampleRate }

    package var sampleSeconds: Rational { Rational(1, Int64(sampleRate)) }
    package var frameSeconds: Rational { Rational(Self.frameSamples, Int64(sampleRate)) }

    /// The sample nearest to a time of the programme, in seconds.
    package func sample(at time: Rational) -> Int64 { time.ticks(in: sampleSeconds) }

    package static func samples(ofFrame frame: Int64) -> Range<Int64> {
        frame * frameSamples..<(frame + 1) * frameSamples
    }

    /// The frame that a sample belongs to.
    package static func frame(ofSample sample: Int64) -> Int64 {
        let quotient = sample / frameSamples
        return sample % frameSamples < 0 ? quotient - 1 : quotient
    }

    /// The first frame that begins at or after a sample.
    package static func frame(atOrAfter sample: Int64) -> Int64 { frame(ofSample: sample + frameSamples - 1) }

    /// Where packets go whose sound belongs at `time` of the programme, in seconds: on the nearest frame.
    ///
    /// It depends on the exact time and on nothing placed before, so that no error is ever handed on.
    package func placement(at time: Rational) -> PacketPlacement {
        let frame = time.ticks(in: frameSeconds)
        return PacketPlacement(frame: frame, shift: Rational(frame) * frameSeconds - time)
    }
}

/// Where on the grid a run of packets begins, and by how much that moves its sound.
package struct PacketPlacement: Hashable, Sendable {
    package let frame: Int64
    /// In seconds, positive when the sound comes late; half a frame at most, either way.
    package let shift: Rational
}
