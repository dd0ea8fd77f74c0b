package import Model

/// The programme's sound as a row of frames of equal length, on which every packet must lie.
///
/// Frame 0 begins with the programme; packet `n` is the one that a decoder completes frame `n` with. The packets before
/// packet 0 are the run-in that players cut off. Positions are samples from the programme's beginning.
package struct PacketGrid: Hashable, Sendable {
    package let sampleRate: Int
    /// Of one packet.
    package let frameSamples: Int64
    /// Packets before the programme, which are decoded and not played.
    package let runIn: Int64
    /// Packets before one that it takes to decode it: after as many, it sounds as if all had been decoded.
    package let history: Int64

    /// As AAC has it, where nothing else is said. Source: ISO/IEC 14496-3 §4.5.1.1.
    package init(sampleRate: Int, frameSamples: Int64 = 1024, runIn: Int64 = 1, history: Int64 = 1) {
        (self.sampleRate, self.frameSamples, self.runIn, self.history) = (sampleRate, frameSamples, runIn, history)
    }

    package var sampleSeconds: Rational { Rational(1, Int64(sampleRate)) }
    package var frameSeconds: Rational { Rational(frameSamples, Int64(sampleRate)) }
    /// How long before a segment its source's packets are wanted: half a packet for the shift, and what it takes to
    /// decode.
    package var leadSeconds: Rational { Rational((history + 2) * frameSamples, Int64(sampleRate)) }

    /// All packets of a programme of so many samples, the run-in among them.
    package func packets(end: Int64) -> Range<Int64> { -runIn..<max(0, frame(atOrAfter: end)) }

    /// The sample nearest to a time of the programme, in seconds.
    package func sample(at time: Rational) -> Int64 { time.ticks(in: sampleSeconds) }

    package func samples(ofFrame frame: Int64) -> Range<Int64> {
        frame * frameSamples..<(frame + 1) * frameSamples
    }

    /// The frame that a sample belongs to.
    package func frame(ofSample sample: Int64) -> Int64 {
        let quotient = sample / frameSamples
        return sample % frameSamples < 0 ? quotient - 1 : quotient
    }

    /// The first frame that begins at or after a sample.
    package func frame(atOrAfter sample: Int64) -> Int64 { frame(ofSample: sample + frameSamples - 1) }

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
