internal import Media
internal import Model
internal import Planning

/// The render's output being written: container, picture track and sound track.
final class OutputFile: SampleSink {
    private let file: MuxedFile
    private let outputs: any OutputProvider
    let video: VideoTrack?
    private let audio: AudioTrack?
    var audioFormat: AudioFormat? { audio?.format }

    /// - Parameter videoTimeBase: of the frames that will be submitted.
    init(
        _ files: RenderFiles, plan: RenderPlan, videoTimeBase: Rational, options: RenderOptions,
        cancellation: Cancellation
    ) throws {
        let threads = options.threads
        let file = try MuxedFile(files, plan: plan, options: options, cancellation: cancellation)
        (self.file, outputs) = (file, files.outputs)
        if let picture = plan.video {
            let settings = try VideoRecipe.settings(for: picture, timeBase: videoTimeBase, threads: threads.encoder)
            let encoder = try Encoder(video: settings)
            let stream = try file.muxer.addStream(
                encoder, hdr: picture.hdr, tag: VideoRecipe.containerTag(picture.codec, plan.container))
            video = VideoTrack(
                EncoderStage(encoder, concurrent: threads.isConcurrent, cancellation: cancellation), stream: stream)
        } else {
            video = nil
        }
        if let sound = plan.audio {
            audio = try AudioTrack(sound, in: plan.container, muxer: &file.muxer)
        } else {
            audio = nil
        }
        try file.begin(plan, videoTimeBase: videoTimeBase)
    }

    /// Takes samples from a segment's sound into the sound track.
    func takeSound(from sound: SegmentSound, upTo position: Int64, length: Int64?) throws {
        guard let audio else { return }
        sound.take(upTo: position, length: length, into: &audio.queue)
        try audio.drain(into: &file.muxer)
    }

    /// Writes the packets that the picture's encoder has ready.
    func drainVideo() throws { try video?.drain(into: &file.muxer) }

    /// - Parameter videoEnd: when the last picture's time is over, in the video's ticks.
    func finish(videoEnd: Int64) throws {
        try video?.finish(at: videoEnd, into: &file.muxer)
        try audio?.finish(into: &file.muxer)
        try file.muxer.finish()
    }

    /// Puts the finished file under its name.
    func commit() throws { try outputs.commit([file.file]) }

    var sizeBytes: Int64 { file.file.sizeBytes ?? 0 }
    var indexFirst: Bool? { file.indexFirst }
    var note: String? { file.note }
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
