internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// What pulling from a decoder, filter graph or encoder gave.
package enum PullResult: Sendable {
    case produced
    case needsInput
    case endOfStream
}

/// One stream's decoder. Not thread-safe; its own threads are inside.
package struct Decoder: ~Copyable {
    let context: UnsafeMutablePointer<AVCodecContext>

    /// - Parameters:
    ///   - threads: 1 decodes on the calling thread; more are libavcodec's frame threads.
    package init(
        _ demuxer: borrowing Demuxer, stream index: Int, threads: Int,
        limits: DemuxerLimits = DemuxerLimits()
    ) throws(MediaError) {
        let stream = demuxer.stream(index)
        context = try Self.open(
            stream.pointee.codecpar, timeBase: stream.pointee.time_base, threads: threads, limits: limits)
    }

    static func open(
        _ parameters: UnsafePointer<AVCodecParameters>, timeBase: AVRational, threads: Int, limits: DemuxerLimits,
        errors: Int32 = 0
    ) throws(MediaError) -> UnsafeMutablePointer<AVCodecContext> {
        guard let codec = avcodec_find_decoder(parameters.pointee.codec_id) else {
            throw MediaError(rp_error_decoder_not_found, "finding a decoder", code: .noDecoder)
        }
        var fresh: UnsafeMutablePointer<AVCodecContext>? = try allocated(
            avcodec_alloc_context3(codec), "making a decoder")
        let context = fresh.unsafelyUnwrapped
        do throws(MediaError) {
            try check(avcodec_parameters_to_context(context, parameters), "setting up the decoder")
            context.pointee.pkt_timebase = timeBase
            context.pointee.max_pixels = limits.maximumPixels
            context.pointee.thread_count = Int32(threads)
            context.pointee.err_recognition |= errors
            context.pointee.request_sample_fmt = AV_SAMPLE_FMT_FLTP
            try check(avcodec_open2(context, codec, nil), "opening the decoder", code: .noDecoder)
        } catch {
            avcodec_free_context(&fresh)
            throw error
        }
        return context
    }

    /// A decoder of what is being written, that takes nothing for good which is not: every error is one.
    ///
    /// - Parameters:
    ///   - index: a stream of the same codec.
    ///   - configuration: what is written for decoders to set themselves up with.
    package init(
        checking configuration: [UInt8], like demuxer: borrowing Demuxer, stream index: Int, timeBase: Rational
    ) throws(MediaError) {
        let parameters = try CodecParameters(demuxer, stream: index)
        try parameters.setConfiguration(configuration)
        context = try Self.open(
            parameters.pointer, timeBase: timeBase.avRational, threads: 1, limits: DemuxerLimits(),
            // Not hashes that pictures carry, which hold only where loop filters are not passed over.
            errors: AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE)
    }

    deinit {
        var owned: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&owned)
    }

    /// Hands over one packet. All frames must have been received before.
    ///
    /// - Returns: `false` when the packet is damaged and was skipped.
    package mutating func send(_ packet: borrowing Packet) throws(MediaError) -> Bool {
        let status = avcodec_send_packet(context, packet.pointer)
        if Self.isDamage(status) { return false }
        try check(status, "decoding a packet")
        return true
    }

    /// Announces the end of the stream; what remains is then received until `endOfStream`.
    package mutating func finish() throws(MediaError) {
        let status = avcodec_send_packet(context, nil)
        if status != rp_error_eof { try check(status, "finishing the decoder") }
    }

    /// - Throws: `damagedMedia` for a frame that could not be decoded; the next call goes on behind it.
    package mutating func receive(into frame: inout Frame) throws(MediaError) -> PullResult {
        let status = avcodec_receive_frame(context, frame.pointer)
        if status == rp_error_again { return .needsInput }
        if status == rp_error_eof { return .endOfStream }
        try check(status, "decoding a frame", code: Self.isDamage(status) ? .damagedMedia : nil)
        return .produced
    }

    /// Decoders report bad bits with many codes (invalid data, EPERM, EINVAL, "patch welcome"); what is left are
    /// memory and the end.
    private static func isDamage(_ status: Int32) -> Bool {
        status < 0 && ![rp_error_nomem, rp_error_eof, rp_error_again, rp_error_exit].contains(status)
    }

    /// Hands out every picture, also those that come before the decoder takes itself to have recovered from its start.
    package mutating func showAll(_ all: Bool = true) {
        if all {
            context.pointee.flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT
        } else {
            context.pointee.flags &= ~AV_CODEC_FLAG_OUTPUT_CORRUPT
        }
    }

    /// Leaves the smoothing of block edges out of the packets sent from now on: they are read as thoroughly, in less time,
    /// but their pictures are not exact.
    ///
    /// Only for a decoder of one thread. Source: FFmpeg AVCodecContext.skip_loop_filter.
    package mutating func skipLoopFilter(_ isSkipped: Bool) {
        context.pointee.skip_loop_filter = isSkipped ? AVDISCARD_ALL : AVDISCARD_DEFAULT
    }

    /// Leaves out, of the packets sent from now on, pictures that no other refers to.
    ///
    /// Source: FFmpeg AVCodecContext.skip_frame.
    package mutating func skipUnreferenced(_ areSkipped: Bool) {
        context.pointee.skip_frame = areSkipped ? AVDISCARD_NONREF : AVDISCARD_DEFAULT
    }

    /// Forgets all state, for a new position.
    package mutating func reset() { avcodec_flush_buffers(context) }
}

/// Replaces what a codec is set up with, followed by the zeros that libavcodec's readers run into.
func setExtradata(
    of parameters: UnsafeMutablePointer<AVCodecParameters>, to bytes: [UInt8]
) throws(MediaError) {
    let size = bytes.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)
    let fresh = try allocated(av_mallocz(size), "setting up a codec")
    fresh.copyMemory(from: bytes, byteCount: bytes.count)
    av_free(parameters.pointee.extradata)
    parameters.pointee.extradata = fresh.assumingMemoryBound(to: UInt8.self)
    parameters.pointee.extradata_size = Int32(bytes.count)
}
