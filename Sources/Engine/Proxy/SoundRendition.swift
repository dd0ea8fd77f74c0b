internal import Media
internal import Model

/// One rendition of the sound being written: conformed samples, its encoder, and where it goes.
///
/// The proxy's own sound and the transcription's are two of these, fed by one decode.
final class SoundRendition {
    private let sound: SegmentSound
    private let format: AudioFormat
    private let track: AudioTrack
    private var taken: Samples
    private(set) var peaks: WaveformPeaks?

    init(
        settings: AudioEncoderSettings, muxer: inout Muxer, sourceTimeBase: Rational, peaks: WaveformPeaks? = nil
    ) throws {
        format = settings.format
        track = try AudioTrack(Encoder(audio: settings), format: settings.format, muxer: &muxer)
        taken = Samples(channels: settings.format.layout.channels)
        self.peaks = peaks
        sound = SegmentSound(format: settings.format, timeBase: sourceTimeBase, origin: .zero)
    }

    func add(_ frame: AudioFrame, into muxer: inout Muxer) throws {
        try sound.feed(frame)
        try take(upTo: sound.endPosition, into: &muxer)
    }

    func finish(into muxer: inout Muxer) throws -> Double {
        try sound.flush()
        let end = sound.endPosition
        try take(upTo: end, into: &muxer)
        try track.finish(into: &muxer)
        return Double(end) / Double(format.sampleRate)
    }

    func waveform() -> Waveform? { peaks?.finish() }

    private func take(upTo position: Int64, into muxer: inout Muxer) throws {
        sound.take(upTo: position, length: nil, into: &taken)
        peaks?.add(taken)
        track.queue.append(taken.count, from: &taken)
        try track.drain(into: &muxer)
    }
}
