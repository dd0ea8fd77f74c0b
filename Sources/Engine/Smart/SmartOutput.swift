internal import Media
internal import Model
internal import Planning

/// A smart render's output being written: coded pictures and encoded sound.
final class SmartOutput: SampleSink {
    private let file: MuxedFile
    private let outputs: any OutputProvider
    private var pictures: CodedTrack
    private let pictureStream: Int
    private let timeBase: Rational
    private let codec: any PictureCodec
    private var copied: PayloadHash
    private var audio: AudioTrack?
    /// The stream that sound is copied into; its time base is its sample.
    private(set) var copiedSoundStream: Int?
    /// For sound that is encoded; `nil` where it is copied, or there is none.
    var audioFormat: AudioFormat? { audio?.format }

    /// - Parameters:
    ///   - window: of a source whose pictures are copied.
    ///   - configuration: for decoders of the output's pictures.
    ///   - sound: what copied sound is described by; `nil` has it encoded.
    ///   - clock: in ticks of the window's time base, as everything here.
    init(
        _ files: RenderFiles, plan: RenderPlan, like window: PacketWindow, codec: any PictureCodec,
        configuration: [UInt8], sound: CodecParameters?, clock: DecodeTimes, options: RenderOptions,
        cancellation: Cancellation
    ) throws {
        (outputs, self.codec) = (files.outputs, codec)
        copied = try PayloadHash()
        timeBase = window.timeBase
        pictures = CodedTrack(clock)
        file = try MuxedFile(files, plan: plan, options: options, cancellation: cancellation)
        pictureStream = try file.muxer.addStream(
            like: window.stream, of: window.demuxer, configuration: configuration, timeBase: timeBase,
            tag: plan.video.flatMap { VideoRecipe.containerTag($0.codec, plan.container) })
        if let audio = plan.audio {
            if let sound {
                let stream = try file.muxer.addStream(sound, timeBase: Rational(1, Int64(audio.sampleRate)))
                if let language = audio.language { file.muxer.setLanguage(language, ofStream: stream) }
                copiedSoundStream = stream
            } else {
                self.audio = try AudioTrack(audio, in: plan.container, muxer: &file.muxer)
            }
        }
        try file.begin(plan, videoTimeBase: timeBase)
    }

    /// - Parameter time: when it is shown, in ticks since the programme's beginning.
    func add(_ packet: consuming Packet, at time: Int64, isKey: Bool, isCopied: Bool) throws {
        try pictures.add(packet, at: time, isKey: isKey, isCopied: isCopied)
        try pictures.drain(write)
    }

    private func write(_ packet: inout Packet, isCopied: Bool) throws {
        if isCopied { try codec.addPayload(of: packet, isWritten: true, to: &copied) }
        try file.muxer.write(&packet, stream: pictureStream, timeBase: timeBase)
    }

    /// What the copied pictures were when they were written.
    func takeCopiedHash() -> [UInt8] { copied.take() }

    func takeSound(from sound: SegmentSound, upTo position: Int64, length: Int64?) throws {
        guard let audio else { return }
        sound.take(upTo: position, length: length, into: &audio.queue)
        try audio.drain(into: &file.muxer)
    }

    /// Writes the packets of copied sound that are ready.
    func write(_ track: CopiedSoundTrack) throws { try track.drain(into: &file.muxer) }

    var frameCount: Int { pictures.frameCount }

    /// - Parameter end: when the last picture is over.
    func finish(at end: Int64) throws {
        try pictures.finish(at: end, write)
        try audio?.finish(into: &file.muxer)
        try file.muxer.finish()
    }

    /// Puts the finished file under its name.
    func commit() throws { try outputs.commit([file.file]) }

    var sizeBytes: Int64 { file.file.sizeBytes ?? 0 }
    var indexFirst: Bool? { file.indexFirst }
    var note: String? { file.note }
}
