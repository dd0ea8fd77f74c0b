internal import Media
internal import Model
internal import Planning

/// Where a segment's decoded sound comes from, in order.
protocol SoundFrames: AnyObject {
    /// Of the frames' times.
    var soundTimeBase: Rational { get }
    /// - Returns: `nil` at the source's end.
    func nextSound() throws -> AudioFrame?
}

/// Where placed samples go.
protocol SampleSink: AnyObject {
    func takeSound(from sound: SegmentSound, upTo position: Int64, length: Int64?) throws
}

/// Places the sound of segments one after the other, sample by sample on the programme's clock, for encoding.
final class EncodedSound {
    private let sink: any SampleSink
    private let format: AudioFormat
    private let cancellation: Cancellation
    private var segment: (sound: SegmentSound, frames: any SoundFrames)?
    /// Since the programme's beginning.
    private(set) var samplesPlaced: Int64 = 0

    init(_ sink: any SampleSink, format: AudioFormat, cancellation: Cancellation) {
        (self.sink, self.format, self.cancellation) = (sink, format, cancellation)
    }

    /// - Parameter origin: the source time at which the segment begins, in seconds.
    func begin(_ planned: PlannedSegment, _ frames: any SoundFrames, origin: Rational) {
        let sound = SegmentSound(
            format: format, timeBase: frames.soundTimeBase, origin: origin,
            shape: .init(fadesIn: planned.fadesIn, fadesOut: planned.fadesOut, effects: planned.sound))
        segment = (sound, frames)
    }

    /// Hands over the sound before `time` (since the segment's beginning), less what its last fade may touch.
    func advance(to time: Rational) throws {
        guard let segment else { return }
        let position = time.ticks(in: Rational(1, Int64(format.sampleRate)))
        _ = try fill(upTo: position)
        try sink.takeSound(from: segment.sound, upTo: position - holdback, length: nil)
    }

    /// Places all there is.
    ///
    /// - Parameter step: called after each second.
    /// - Returns: how long it is, in seconds.
    func advanceToEnd(_ step: (Rational) throws -> Void) throws -> Rational {
        guard let sound = segment?.sound else { return .zero }
        var position = Rational(1)
        while try fill(upTo: position.ticks(in: Rational(1, Int64(format.sampleRate)))) {
            try cancellation.check()
            try sink.takeSound(from: sound, upTo: sound.endPosition - holdback, length: nil)
            try step(position)
            position = position + .one
        }
        return Rational(sound.endPosition, Int64(format.sampleRate))
    }

    /// - Parameter end: when the segment is over, since the programme's beginning: counted from there, rounding never
    ///   adds up.
    func end(at end: Rational) throws {
        guard let sound = segment?.sound else { return }
        let end = end.ticks(in: Rational(1, Int64(format.sampleRate)))
        let samples = end - samplesPlaced
        _ = try fill(upTo: samples)
        try makeSilence(sound, upTo: samples)
        try sound.finish(length: samples)
        try sink.takeSound(from: sound, upTo: samples, length: samples)
        samplesPlaced = end
        segment = nil
    }

    /// - Returns: `false` when the source's sound ended before `position`.
    private func fill(upTo position: Int64) throws -> Bool {
        guard let segment else { return false }
        while segment.sound.endPosition < position {
            guard let frame = try segment.frames.nextSound() else { return false }
            try segment.sound.feed(frame)
        }
        return true
    }

    /// Second by second, where a source has no more sound: it may be hours.
    private func makeSilence(_ sound: SegmentSound, upTo samples: Int64) throws {
        guard sound.endPosition < samples else { return }
        try sound.flush()
        while sound.endPosition + Int64(format.sampleRate) < samples {
            try cancellation.check()
            sound.appendSilence(format.sampleRate)
            try sink.takeSound(from: sound, upTo: sound.endPosition - holdback, length: nil)
        }
    }

    private var holdback: Int64 { SegmentSound.fadeSeconds.ticks(in: Rational(1, Int64(format.sampleRate))) + 2 }
}
