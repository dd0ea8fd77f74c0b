internal import Media
internal import Model
internal import Planning

/// A file's sound that is encoded while the file is written.
final class AudioTrack {
    private let sound: SoundEncoder
    private let stream: SoundStream

    init(_ encoder: consuming Encoder, format: AudioFormat, muxer: inout Muxer) throws {
        sound = try SoundEncoder(encoder, format: format)
        stream = try sound.addStream(to: &muxer, storesDelay: false)
    }

    init(_ plan: AudioPlan, in container: OutputSettings.Container, muxer: inout Muxer) throws {
        sound = try SoundEncoder(plan)
        stream = try plan.addStream(of: sound, in: container, muxer: &muxer)
    }

    var format: AudioFormat { sound.format }
    var queue: Samples {
        _read { yield sound.queue }
        _modify { yield &sound.queue }
    }

    /// Encodes whole frames out of what is queued.
    func drain(into muxer: inout Muxer) throws {
        try sound.drain { packet in try stream.write(&packet, into: &muxer) }
    }

    func finish(into muxer: inout Muxer) throws {
        try sound.finish { packet in try stream.write(&packet, into: &muxer) }
    }
}
