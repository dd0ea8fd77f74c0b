internal import Media
internal import Model
internal import Planning

/// The render's output being written: container, picture track and sound track.
final class OutputFile {
    private let staged: StagedFile
    private var muxer: Muxer
    let video: VideoTrack?
    private var audio: AudioTrack?
    let audioFormat: AudioFormat?

    /// - Parameter videoTimeBase: of the frames that will be submitted.
    init(path: String, plan: RenderPlan, videoTimeBase: Rational, threads: ThreadBudget) throws {
        staged = try StagedFile(destination: path)
        muxer = try Muxer(format: plan.container.muxerName, sink: staged)
        if let picture = plan.video {
            let settings = try VideoRecipe.settings(for: picture, timeBase: videoTimeBase, threads: threads.encoder)
            let encoder = try Encoder(video: settings)
            let stream = try muxer.addStream(
                encoder, hdr: picture.hdr, tag: VideoRecipe.containerTag(picture.codec, plan.container))
            video = VideoTrack(EncoderStage(encoder, concurrent: threads.isConcurrent), stream: stream)
        } else {
            video = nil
        }
        if let sound = plan.audio {
            let format = AudioFormat(sampleRate: sound.sampleRate, layout: try ChannelLayout(named: sound.layout))
            let encoder = try Encoder(
                audio: AudioEncoderSettings(
                    encoder: try Self.encoderName(sound.codec), format: format, bitRate: sound.bitRate))
            let stream = try muxer.addStream(encoder)
            let isMatroska = plan.container == .mkv || plan.container == .webm
            audio = try AudioTrack(
                encoder, format: format, stream: stream, storesDelay: isMatroska && sound.codec == .opus)
            audioFormat = format
        } else {
            audio = nil
            audioFormat = nil
        }
        switch plan.container {
        case .mp4, .mov: try muxer.begin(options: ["strict": "unofficial"], index: .first(staged))
        // The picture begins at zero; sound's priming may lie before. libavformat would shift everything by it.
        case .mkv, .webm: try muxer.begin(options: ["avoid_negative_ts": "disabled"])
        }
    }

    private static func encoderName(_ codec: AudioSettings.Codec) throws -> String {
        let name =
            switch codec {
            case .aac: "aac"
            case .opus: "libopus"
            case .mp3: "libmp3lame"
            }
        guard Encoder.exists(name) else { throw EngineError(.noEncoder, "this FFmpeg was built without \(name)") }
        return name
    }

    /// Takes samples from a segment's sound into the sound track.
    func takeSound(from sound: SegmentSound, upTo position: Int64, length: Int64?) throws {
        guard audio != nil else { return }
        sound.take(upTo: position, length: length, into: &audio!.queue)
        try audio?.drain(into: &muxer)
    }

    /// Writes the packets that the picture's encoder has ready.
    func drainVideo() throws { try video?.drain(into: &muxer) }

    func finish() throws {
        try video?.finish(into: &muxer)
        try audio?.finish(into: &muxer)
        try muxer.finish()
    }

    /// Puts the finished file under its name.
    func commit() throws { try staged.commit() }

    var sizeBytes: Int64 { staged.sizeBytes ?? 0 }
}

extension OutputSettings.Container {
    var muxerName: String {
        switch self {
        case .mp4: "mp4"
        case .mov: "mov"
        case .mkv: "matroska"
        case .webm: "webm"
        }
    }
}
