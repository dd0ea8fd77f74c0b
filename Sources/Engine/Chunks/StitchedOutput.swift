internal import Media
internal import Model
internal import Planning

/// A chunked render's output being written: pictures that were encoded before, and sound that is encoded now.
final class StitchedOutput: SampleSink {
    private let file: MuxedFile
    private let outputs: any OutputProvider
    private var pictures: CodedTrack
    private let pictureStream: Int
    private let timeBase: Rational
    private let audio: AudioTrack?
    /// For sound; `nil` where there is none.
    let audioFormat: AudioFormat?

    /// - Parameter encoder: one like those that made the pictures: it describes their stream, and encodes nothing.
    init(
        _ files: RenderFiles, plan: RenderPlan, video: VideoPlan, encoder: borrowing Encoder, options: RenderOptions,
        cancellation: Cancellation
    ) throws {
        timeBase = video.cadence.timeBase
        outputs = files.outputs
        // x265 reorders by two at most, and libavcodec does not pass on whether it does.
        let depth = max(encoder.reorderDepth, video.codec == .hevc ? 2 : 0)
        pictures = CodedTrack(
            DecodeTimes(
                depth: ReorderDepth(depth),
                step: video.nominalFrameRate.inverse.ticks(in: video.cadence.timeBase)))
        file = try MuxedFile(files, plan: plan, options: options, cancellation: cancellation)
        pictureStream = try file.muxer.addStream(
            encoder, hdr: video.hdr, tag: VideoRecipe.containerTag(video.codec, plan.container))
        if let sound = plan.audio {
            (audio, audioFormat) = try AudioTrack.make(sound, in: plan.container, muxer: &file.muxer)
        } else {
            (audio, audioFormat) = (nil, nil)
        }
        try file.begin(plan, videoTimeBase: timeBase)
    }

    /// Takes the next picture in decode order, its time in the output's ticks.
    func add(_ packet: consuming Packet) throws {
        let (time, isKey) = (packet.presentationTime ?? 0, packet.isKey)
        try pictures.add(packet, at: time, isKey: isKey, isCopied: true)
        try pictures.drain(write)
    }

    private func write(_ packet: inout Packet, isCopied: Bool) throws {
        try file.muxer.write(&packet, stream: pictureStream, timeBase: timeBase)
    }

    func takeSound(from sound: SegmentSound, upTo position: Int64, length: Int64?) throws {
        guard let audio else { return }
        sound.take(upTo: position, length: length, into: &audio.queue)
        try audio.drain(into: &file.muxer)
    }

    /// - Parameter end: when the last picture is over, in ticks.
    func finish(at end: Int64) throws {
        try pictures.finish(at: end, write)
        try audio?.finish(into: &file.muxer)
        try file.muxer.finish()
    }

    /// Puts the finished file under its name.
    func commit() throws { try outputs.commit([file.file]) }

    var frameCount: Int { pictures.frameCount }
    var sizeBytes: Int64 { file.file.sizeBytes ?? 0 }
    var indexFirst: Bool? { file.indexFirst }
    var note: String? { file.note }
}
