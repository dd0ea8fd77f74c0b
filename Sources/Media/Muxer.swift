internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// Where an MP4's or MOV's index (moov) goes.
package enum IndexPlacement {
    case last
    /// Before the media, which is moved up at the end: needs to read back, wastes no byte.
    case first(any RereadableSink)
    /// Before the media, in so many bytes set aside: one pass, for outputs that leave while they are written.
    case reserved(bytes: Int64)
}

/// A container being written. Packets may come in any order between streams; each stream's own must be in order.
package struct Muxer: ~Copyable {
    private let context: UnsafeMutablePointer<AVFormatContext>
    private let bridge: OutputBridge
    private let sink: any ByteSink
    private let cancellation: Cancellation
    private var rereader: InputBridge?
    private var reservation: (position: Int64, size: Int64)?

    /// - Parameter format: libavformat's name, such as `mp4`, `mov`, `matroska`, `webm`, `mp3`.
    package init(format: String, sink: any ByteSink, cancellation: Cancellation) throws(MediaError) {
        let bridge = try OutputBridge(sink, cancellation: cancellation)
        var fresh: UnsafeMutablePointer<AVFormatContext>?
        try check(avformat_alloc_output_context2(&fresh, nil, format, nil), "making a \(format) writer")
        let context = try allocated(fresh, "making a \(format) writer")
        context.pointee.pb = bridge.context
        context.pointee.flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT
        rp_format_deny_nested_io(context)
        self.context = context
        self.bridge = bridge
        self.sink = sink
        self.cancellation = cancellation
    }

    deinit {
        avformat_free_context(context)
        withExtendedLifetime((bridge, rereader)) {}
    }

    /// - Returns: the stream's index.
    package mutating func addStream(
        _ encoder: borrowing Encoder, hdr: HDRMetadata? = nil, tag: String? = nil
    )
        throws(MediaError) -> Int
    {
        let stream = try allocated(avformat_new_stream(context, nil), "adding a stream")
        try check(avcodec_parameters_from_context(stream.pointee.codecpar, encoder.context), "adding a stream")
        stream.pointee.time_base = encoder.context.pointee.time_base
        stream.pointee.avg_frame_rate = encoder.context.pointee.framerate
        stream.pointee.sample_aspect_ratio = encoder.context.pointee.sample_aspect_ratio
        if let tag { stream.pointee.codecpar.pointee.codec_tag = fourCharacterCode(tag) }
        if let hdr { try attach(hdr, to: stream) }
        return Int(stream.pointee.index)
    }

    /// A stream whose packets are copied from a file.
    package mutating func addStream(copying index: Int, of demuxer: borrowing Demuxer) throws(MediaError) -> Int {
        let source = demuxer.stream(index)
        let stream = try allocated(avformat_new_stream(context, nil), "adding a stream")
        try check(avcodec_parameters_copy(stream.pointee.codecpar, source.pointee.codecpar), "adding a stream")
        stream.pointee.codecpar.pointee.codec_tag = 0
        stream.pointee.time_base = source.pointee.time_base
        stream.pointee.avg_frame_rate = source.pointee.avg_frame_rate
        stream.pointee.sample_aspect_ratio = source.pointee.sample_aspect_ratio
        return Int(stream.pointee.index)
    }

    package mutating func setLanguage(_ language: String, ofStream index: Int) {
        av_dict_set(&context.pointee.streams[index].unsafelyUnwrapped.pointee.metadata, "language", language, 0)
    }

    /// The muxer's own time base of a stream, known once the header is written.
    package func timeBase(ofStream index: Int) -> Rational {
        Rational(context.pointee.streams[index].unsafelyUnwrapped.pointee.time_base) ?? .one
    }

    /// Whether the codec may be stored in this container at all.
    package func accepts(_ encoder: borrowing Encoder) -> Bool {
        avformat_query_codec(context.pointee.oformat, encoder.context.pointee.codec_id, FF_COMPLIANCE_NORMAL) == 1
    }

    /// Writes the header.
    package mutating func begin(options: [String: String] = [:], index: IndexPlacement = .last) throws {
        var dictionary: OpaquePointer?
        defer { av_dict_free(&dictionary) }
        for (key, value) in options.sorted(by: { $0.key < $1.key }) { av_dict_set(&dictionary, key, value, 0) }
        switch index {
        case .last: break
        case .first(let sink):
            let reader = try InputBridge(sink, cancellation: cancellation)
            rereader = reader
            rp_format_reread_through(context, reader.context)
            av_dict_set(&dictionary, "movflags", "+faststart", AV_DICT_APPEND)
        case .reserved(let bytes): av_dict_set_int(&dictionary, "moov_size", bytes, 0)
        }
        try rethrowing(avformat_write_header(context, &dictionary), "writing the header")
        if case .reserved(let bytes) = index {
            // movenc leaves the gap between ftyp and mdat; the header of mdat, 16 bytes, follows it at once.
            avio_flush(context.pointee.pb)
            reservation = (bridge.sizeBytes - bytes - 16, bytes)
        }
        if let left = av_dict_get(dictionary, "", nil, AV_DICT_IGNORE_SUFFIX) {
            throw MediaError(
                rp_error_invalid_data, "setting the container option \(String(cString: left.pointee.key))",
                code: .internalFault)
        }
    }

    /// Writes one packet, its times in `timeBase`; the packet is empty afterwards.
    package mutating func write(_ packet: inout Packet, stream index: Int, timeBase: Rational) throws {
        packet.rescale(from: timeBase, to: self.timeBase(ofStream: index))
        packet.pointer.pointee.stream_index = Int32(index)
        packet.pointer.pointee.pos = -1
        try rethrowing(av_interleaved_write_frame(context, packet.pointer), "writing a packet")
    }

    /// Writes the end of the file.
    ///
    /// - Parameter indexFits: `false` when the index is known to outgrow its reservation; it is then written last.
    package mutating func finish(indexFits: Bool = true) throws {
        let overflow = indexFits ? nil : reservation
        // Without this the trailer would fail and the whole encode be lost.
        if overflow != nil { av_opt_set_int(context.pointee.priv_data, "moov_size", 0, 0) }
        try rethrowing(av_write_trailer(context), "writing the index")
        avio_flush(context.pointee.pb)
        if let failure = bridge.failure { throw failure }
        if let overflow { try fillReservation(overflow) }
    }

    package var sizeBytes: Int64 { bridge.sizeBytes }

    /// Makes the unused gap a `free` box. Source: ISO/IEC 14496-12 §8.1.2.
    private func fillReservation(_ gap: (position: Int64, size: Int64)) throws {
        var header = withUnsafeBytes(of: UInt32(clamping: gap.size).bigEndian) { Array($0) }
        header += Array("free".utf8)
        try header.withUnsafeBytes { try sink.write($0, at: gap.position) }
    }

    private func rethrowing(_ status: Int32, _ operation: String) throws {
        if let failure = bridge.failure { throw failure }
        try check(status, operation)
    }

    private func attach(_ hdr: HDRMetadata, to stream: UnsafeMutablePointer<AVStream>) throws(MediaError) {
        if let mastering = hdr.mastering {
            try withUnsafeBytesTyped(of: mastering.av) { (bytes) throws(MediaError) in
                try check(
                    rp_stream_add_side_data(
                        stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, bytes.baseAddress, bytes.count),
                    "describing the mastering display")
            }
        }
        if let peak = hdr.maxContentLightLevel {
            var light = AVContentLightMetadata()
            light.MaxCLL = UInt32(peak)
            light.MaxFALL = UInt32(hdr.maxFrameAverageLightLevel ?? 0)
            try withUnsafeBytesTyped(of: light) { (bytes) throws(MediaError) in
                try check(
                    rp_stream_add_side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, bytes.baseAddress, bytes.count),
                    "describing the light level")
            }
        }
    }
}

private func withUnsafeBytesTyped<Value>(
    of value: Value, _ body: (UnsafeRawBufferPointer) throws(MediaError) -> Void
) throws(MediaError) {
    var failure: MediaError?
    withUnsafeBytes(of: value) { bytes in
        do throws(MediaError) { try body(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
}

/// Source: ISO/IEC 14496-12 §4.2, codes as FFmpeg stores them, first character lowest.
private func fourCharacterCode(_ text: String) -> UInt32 {
    text.utf8.reversed().reduce(0) { $0 << 8 | UInt32($1) }
}
