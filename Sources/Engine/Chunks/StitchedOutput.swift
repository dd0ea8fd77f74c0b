internal import Media
internal import Model
internal import Planning

/// A chunked render's output being written: pictures and sound that were encoded before.
final class StitchedOutput {
    private let file: MuxedFile
    private let outputs: any OutputProvider
    private var pictures: CodedTrack
    private let pictureStream: Int
    private let timeBase: Rational
    private let soundStream: SoundStream?

    /// - Parameters:
    ///   - encoder: one like those that made the pictures: it describes their stream, and encodes nothing.
    ///   - sound: the same for the sound; `nil` where there is none.
    init(
        _ files: RenderFiles, plan: RenderPlan, video: VideoPlan, encoder: borrowing Encoder, sound: SoundEncoder?,
        options: RenderOptions, cancellation: Cancellation
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
        if let sound {
            soundStream = try plan.audio?.addStream(of: sound, in: plan.container, muxer: &file.muxer)
        } else {
            soundStream = nil
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

    /// Takes the next packet of sound, its times in samples.
    func addSound(_ packet: consuming Packet) throws {
        try soundStream?.write(&packet, into: &file.muxer)
    }

    /// - Parameter end: when the last picture is over, in ticks.
    func finish(at end: Int64) throws {
        try pictures.finish(at: end, write)
        try file.muxer.finish()
    }

    /// Puts the finished file under its name.
    func commit() throws { try outputs.commit([file.file]) }

    var frameCount: Int { pictures.frameCount }
    var sizeBytes: Int64 { file.file.sizeBytes ?? 0 }
    var indexFirst: Bool? { file.indexFirst }
    var note: String? { file.note }
}
