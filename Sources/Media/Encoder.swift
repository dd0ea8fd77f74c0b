internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// How a video encoder is set up. `options` are libavcodec's or the library's own, by name.
package struct VideoEncoderSettings: Sendable {
    package var encoder: String
    package var width: Int
    package var height: Int
    package var pixelFormat: PixelFormat
    /// Width by height of a sample; `nil` says nothing of it.
    package var sampleAspectRatio: Rational? = .one
    package var timeBase: Rational
    /// For rate control and headers; frames may be spaced otherwise.
    package var nominalFrameRate: Rational?
    package var color = ColorTags()
    package var options: [String: String] = [:]
    package var threads = 1
    /// The longest distance between keyframes in frames; `nil` is the encoder's own.
    package var keyframeInterval: Int?
    /// Parameter sets in the container instead of in every keyframe.
    package var globalHeader = true
    /// A fixed quantiser, 1 (best) to 31, for encoders that work by one (JPEG).
    package var fixedQuantiser: Int?

    package init(encoder: String, width: Int, height: Int, pixelFormat: PixelFormat, timeBase: Rational) {
        (self.encoder, self.width, self.height) = (encoder, width, height)
        (self.pixelFormat, self.timeBase) = (pixelFormat, timeBase)
    }
}

package struct AudioEncoderSettings: Sendable {
    package var encoder: String
    package var format: AudioFormat
    package var bitRate: Int?
    package var globalHeader = true
    /// libavcodec's or the library's own, by name.
    package var options: [String: String] = [:]

    package init(encoder: String, format: AudioFormat, bitRate: Int?) {
        (self.encoder, self.format, self.bitRate) = (encoder, format, bitRate)
    }
}

/// One stream's encoder. Not thread-safe; its own threads are inside.
package struct Encoder: ~Copyable {
    let context: UnsafeMutablePointer<AVCodecContext>
    private var reachedEnd = false

    package init(video settings: VideoEncoderSettings) throws(MediaError) {
        let codec = try Self.find(settings.encoder)
        context = try Self.open(codec, options: settings.options) { (context) throws(MediaError) in
            guard rp_encoder_takes_pixel_format(codec, settings.pixelFormat.av) else {
                throw MediaError(
                    rp_error_invalid_data, "encoding \(settings.pixelFormat) with \(settings.encoder)", code: .noEncoder
                )
            }
            context.pointee.width = Int32(settings.width)
            context.pointee.height = Int32(settings.height)
            context.pointee.pix_fmt = settings.pixelFormat.av
            context.pointee.sample_aspect_ratio = settings.sampleAspectRatio?.avRational ?? AVRational(num: 0, den: 1)
            context.pointee.time_base = settings.timeBase.avRational
            if let rate = settings.nominalFrameRate { context.pointee.framerate = rate.avRational }
            context.pointee.color_range = settings.color.avRange
            context.pointee.colorspace = settings.color.avMatrix
            context.pointee.color_primaries = settings.color.avPrimaries
            context.pointee.color_trc = settings.color.avTransfer
            context.pointee.chroma_sample_location = settings.color.avChroma
            context.pointee.thread_count = Int32(settings.threads)
            if let interval = settings.keyframeInterval { context.pointee.gop_size = Int32(interval) }
            if settings.globalHeader { context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER }
            if let quantiser = settings.fixedQuantiser {
                context.pointee.flags |= AV_CODEC_FLAG_QSCALE
                context.pointee.global_quality = Int32(quantiser) * FF_QP2LAMBDA
            }
        }
    }

    package init(audio settings: AudioEncoderSettings) throws(MediaError) {
        let codec = try Self.find(settings.encoder)
        context = try Self.open(codec, options: settings.options) { (context) throws(MediaError) in
            context.pointee.sample_fmt = rp_encoder_sample_format(codec)
            guard context.pointee.sample_fmt != AV_SAMPLE_FMT_NONE else {
                throw MediaError(rp_error_invalid_data, "encoding with \(settings.encoder)", code: .noEncoder)
            }
            context.pointee.sample_rate = Int32(settings.format.sampleRate)
            try settings.format.layout.write(to: &context.pointee.ch_layout)
            context.pointee.time_base = AVRational(num: 1, den: Int32(settings.format.sampleRate))
            if let rate = settings.bitRate { context.pointee.bit_rate = Int64(rate) }
            if settings.globalHeader { context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER }
        }
    }

    private static func find(_ name: String) throws(MediaError) -> UnsafePointer<AVCodec> {
        guard let codec = avcodec_find_encoder_by_name(name) else {
            throw MediaError(rp_error_encoder_not_found, "finding the encoder \(name)", code: .noEncoder)
        }
        return codec
    }

    private static func open(
        _ codec: UnsafePointer<AVCodec>, options: [String: String],
        configure: (UnsafeMutablePointer<AVCodecContext>) throws(MediaError) -> Void
    ) throws(MediaError) -> UnsafeMutablePointer<AVCodecContext> {
        LogCapture.clear()
        let context = try allocated(avcodec_alloc_context3(codec), "making an encoder")
        var owned: UnsafeMutablePointer<AVCodecContext>? = context
        var dictionary: OpaquePointer?
        defer { av_dict_free(&dictionary) }
        do throws(MediaError) {
            try configure(context)
            for (key, value) in options.sorted(by: { $0.key < $1.key }) { av_dict_set(&dictionary, key, value, 0) }
            try check(
                avcodec_open2(context, codec, &dictionary), "opening the encoder \(String(cString: codec.pointee.name))"
            )
            // A misspelt option is ignored by libavcodec; to us it is a fault.
            if let left = av_dict_get(dictionary, "", nil, AV_DICT_IGNORE_SUFFIX) {
                throw MediaError(
                    rp_error_invalid_data, "setting the encoder option \(String(cString: left.pointee.key))",
                    code: .internalFault)
            }
        } catch {
            avcodec_free_context(&owned)
            throw error
        }
        return context
    }

    deinit {
        // SVT-AV1 1.4 waits for ever when it is closed before its end: then it is left to the process's end.
        if !reachedEnd, String(cString: context.pointee.codec.pointee.name) == "libsvtav1" { return }
        var owned: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&owned)
    }

    package var timeBase: Rational { Rational(context.pointee.time_base) ?? .one }
    /// What decoders of its packets are set up with.
    package var configuration: [UInt8] {
        Array(UnsafeBufferPointer(start: context.pointee.extradata, count: Int(context.pointee.extradata_size)))
    }
    /// How many of its pictures may be shown later than others that are decoded after them, at most.
    package var reorderDepth: Int { Int(context.pointee.has_b_frames) }
    /// Samples an audio encoder wants in every frame but the last; 0 when any count will do.
    package var samplesPerFrame: Int { Int(context.pointee.frame_size) }
    /// Samples that a decoder will drop from the beginning.
    package var primingSamples: Int { Int(context.pointee.initial_padding) }

    /// The rate nearest to the wanted one that this encoder can write.
    package static func sampleRate(of encoder: String, near wanted: Int) throws(MediaError) -> Int {
        Int(rp_encoder_sample_rate(try find(encoder), Int32(wanted)))
    }

    /// Which libavcodec this is, to the last digit of its version.
    package static var libraryVersion: String { "\(avcodec_version()) \(String(cString: av_version_info()))" }

    /// Whether this build of FFmpeg has the encoder.
    package static func exists(_ name: String) -> Bool { avcodec_find_encoder_by_name(name) != nil }

    /// Hands over a picture, or planar float samples.
    package mutating func send(_ frame: borrowing Frame) throws(MediaError) {
        if context.pointee.codec_type == AVMEDIA_TYPE_AUDIO, context.pointee.sample_fmt == AV_SAMPLE_FMT_FLT {
            let interleaved = try frame.interleaved()
            try check(avcodec_send_frame(context, interleaved.pointer), "encoding a frame")
        } else {
            try check(avcodec_send_frame(context, frame.pointer), "encoding a frame")
        }
    }

    package mutating func finish() throws(MediaError) {
        try check(avcodec_send_frame(context, nil), "finishing the encoder")
    }

    package mutating func receive(into packet: inout Packet) throws(MediaError) -> PullResult {
        let status = avcodec_receive_packet(context, packet.pointer)
        if status == rp_error_again { return .needsInput }
        if status == rp_error_eof {
            reachedEnd = true
            return .endOfStream
        }
        try check(status, "encoding a frame")
        return .produced
    }
}
