internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// What a decoder or a container must know of a stream, apart from whoever made it.
package final class CodecParameters {
    let pointer: UnsafeMutablePointer<AVCodecParameters>

    private init() throws(MediaError) {
        pointer = try allocated(avcodec_parameters_alloc(), "describing a stream")
    }

    deinit {
        var owned: UnsafeMutablePointer<AVCodecParameters>? = pointer
        avcodec_parameters_free(&owned)
    }

    /// Of a container's stream.
    package convenience init(_ demuxer: borrowing Demuxer, stream index: Int) throws(MediaError) {
        try self.init()
        try check(avcodec_parameters_copy(pointer, demuxer.stream(index).pointee.codecpar), "describing a stream")
    }

    /// Of what an encoder makes.
    package convenience init(_ encoder: borrowing Encoder) throws(MediaError) {
        try self.init()
        try check(avcodec_parameters_from_context(pointer, encoder.context), "describing a stream")
    }

    /// The decoder's configuration ("extradata"), such as an AudioSpecificConfig or an avcC; empty where there is none.
    package var configuration: [UInt8] {
        UnsafeRawBufferPointer(start: pointer.pointee.extradata, count: Int(pointer.pointee.extradata_size))
            .map(\.self)
    }

    package func setConfiguration(_ bytes: [UInt8]) throws(MediaError) {
        try setExtradata(of: pointer, to: bytes)
    }

    /// Bits per second; `nil` when unknown.
    package var bitRate: Int? {
        get { pointer.pointee.bit_rate > 0 ? Int(pointer.pointee.bit_rate) : nil }
        set { pointer.pointee.bit_rate = Int64(newValue ?? 0) }
    }

    /// Samples of sound that players cut off the beginning.
    package var primingSamples: Int {
        get { Int(pointer.pointee.initial_padding) }
        set { pointer.pointee.initial_padding = Int32(clamping: newValue) }
    }

    /// The same, to be changed by itself.
    package func copy() throws(MediaError) -> CodecParameters {
        let fresh = try CodecParameters()
        try check(avcodec_parameters_copy(fresh.pointer, pointer), "describing a stream")
        return fresh
    }

    /// What raw audio the stream's decoder makes; `nil` where it is no sound.
    package var audioFormat: AudioFormat? {
        guard pointer.pointee.codec_type == AVMEDIA_TYPE_AUDIO, pointer.pointee.sample_rate > 0 else { return nil }
        return AudioFormat(
            sampleRate: Int(pointer.pointee.sample_rate), layout: ChannelLayout(pointer.pointee.ch_layout))
    }
}

extension Demuxer {
    /// The decoder's configuration of a stream ("extradata"); empty where the container has none.
    package func configuration(ofStream index: Int) -> [UInt8] {
        let parameters = stream(index).pointee.codecpar.pointee
        return UnsafeRawBufferPointer(start: parameters.extradata, count: Int(parameters.extradata_size)).map(\.self)
    }
}

extension Decoder {
    /// - Parameters:
    ///   - timeBase: of the packets that will be sent.
    ///   - threads: 1 decodes on the calling thread; more are libavcodec's frame threads.
    package init(
        _ parameters: CodecParameters, timeBase: Rational, threads: Int, limits: DemuxerLimits = DemuxerLimits()
    ) throws(MediaError) {
        context = try Self.open(parameters.pointer, timeBase: timeBase.avRational, threads: threads, limits: limits)
    }
}

extension Muxer {
    /// A stream of packets that come from several makers.
    package mutating func addStream(_ parameters: CodecParameters, timeBase: Rational) throws(MediaError) -> Int {
        let stream = try allocated(avformat_new_stream(context, nil), "adding a stream")
        try check(avcodec_parameters_copy(stream.pointee.codecpar, parameters.pointer), "adding a stream")
        stream.pointee.codecpar.pointee.codec_tag = 0
        stream.pointee.time_base = timeBase.avRational
        return Int(stream.pointee.index)
    }
}

extension Packet {
    /// A packet of its own, with a copy of `bytes`; times in ticks of whatever time base it is written in.
    package init(copying bytes: [UInt8], time: Int64, duration: Int64, isKey: Bool) throws(MediaError) {
        var fresh: UnsafeMutablePointer<AVPacket>? = try allocated(av_packet_alloc(), "making a packet")
        let pointer = fresh.unsafelyUnwrapped
        do throws(MediaError) {
            try check(av_new_packet(pointer, Int32(bytes.count)), "making a packet")
        } catch {
            av_packet_free(&fresh)
            throw error
        }
        if !bytes.isEmpty { pointer.pointee.data.update(from: bytes, count: bytes.count) }
        (pointer.pointee.pts, pointer.pointee.dts, pointer.pointee.duration) = (time, time, duration)
        if isKey { pointer.pointee.flags |= AV_PKT_FLAG_KEY }
        self.init(owning: pointer)
    }
}
