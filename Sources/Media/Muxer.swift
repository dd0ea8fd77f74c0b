internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// Where an MP4's or MOV's index (moov) goes.
package enum IndexPlacement: Sendable {
    case last
    /// Before the media, in so many bytes set aside; last after all when it comes out larger. Takes one pass, so that
    /// the media can leave while it is written. Nothing is written to the bytes set aside before the end.
    case first(reserved: Int64)
}

/// A container being written. Packets may come in any order between streams; each stream's own must be in order.
package struct Muxer: ~Copyable {
    let context: UnsafeMutablePointer<AVFormatContext>
    private let bridge: OutputBridge
    private var reservation: Range<Int64>?
    /// Set when an index that was to stand first had no room there.
    package private(set) var indexOverflowed = false

    /// How much of one stream comes before the next has its turn. A run of packets costs the index as much as five
    /// frames do, so that frame by frame would double it; players have more than this in hand.
    private static let chunkMicroseconds: Int32 = 500_000
    /// Box size and type.
    private static let boxHeaderBytes: Int64 = 8

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
    }

    deinit {
        avformat_free_context(context)
        withExtendedLifetime(bridge) {}
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
        // Writers refuse a codec that says otherwise than the container; the container's word outranks it.
        let aspect = av_guess_sample_aspect_ratio(nil, source, nil)
        stream.pointee.sample_aspect_ratio = aspect
        stream.pointee.codecpar.pointee.sample_aspect_ratio = aspect
        return Int(stream.pointee.index)
    }

    /// A stream coded like one of a file and turned like it, with a codec configuration of its own.
    ///
    /// - Parameters:
    ///   - configuration: what decoders are set up with (for H.264 in MP4: the contents of `avcC`).
    ///   - timeBase: of the packets that will be written.
    ///   - tag: names the codec in MP4 and MOV; `nil` is the usual one.
    package mutating func addStream(
        like index: Int, of demuxer: borrowing Demuxer, configuration: [UInt8], timeBase: Rational, tag: String? = nil
    ) throws(MediaError) -> Int {
        let number = try addStream(copying: index, of: demuxer)
        let stream = context.pointee.streams[number].unsafelyUnwrapped
        try setExtradata(of: stream.pointee.codecpar, to: configuration)
        try copyOrientation(from: demuxer.stream(index), to: stream)
        if let tag { stream.pointee.codecpar.pointee.codec_tag = fourCharacterCode(tag) }
        stream.pointee.time_base = timeBase.avRational
        return number
    }

    /// How players are to turn the picture.
    private func copyOrientation(
        from source: UnsafeMutablePointer<AVStream>, to stream: UnsafeMutablePointer<AVStream>
    ) throws(MediaError) {
        var size = 0
        guard let matrix = rp_stream_side_data(source, AV_PKT_DATA_DISPLAYMATRIX, &size) else { return }
        try check(
            rp_stream_add_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, matrix, size), "turning the picture upright")
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
        if case .first(let reserved) = index {
            // Less could not even be made a `free` box.
            av_dict_set_int(&dictionary, "moov_size", max(reserved, Self.boxHeaderBytes), 0)
            context.pointee.max_chunk_duration = Self.chunkMicroseconds
        }
        try rethrowing(avformat_write_header(context, &dictionary), "writing the header")
        if case .first = index {
            avio_flush(context.pointee.pb)
            reservation = bridge.gap
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

    /// Writes the end of the file, and the index where it belongs.
    package mutating func finish() throws {
        guard let reservation else {
            try rethrowing(av_write_trailer(context), "writing the end")
            return try flush()
        }
        // libavformat fails where an index has no room, and the whole encode would be lost. Told that nothing is set
        // aside, it writes the index behind the media, from where it is taken to wherever it fits.
        try rethrowing(av_interleaved_write_frame(context, nil), "writing the last packets")
        try flush()
        let mediaEnd = bridge.sizeBytes
        bridge.holdBack(from: mediaEnd)
        av_opt_set_int(context.pointee.priv_data, "moov_size", 0, 0)
        try rethrowing(av_write_trailer(context), "writing the index")
        try flush()
        let index = bridge.takeHeldBack()
        let rest = Int64(reservation.count - index.count)
        if Self.isIndex(index), rest == 0 || rest >= Self.boxHeaderBytes {
            try bridge.put(index, at: reservation.lowerBound)
            if rest > 0 { try makeFree(reservation.upperBound - rest..<reservation.upperBound) }
        } else {
            indexOverflowed = true
            try bridge.put(index, at: mediaEnd)
            try makeFree(reservation)
        }
    }

    package var sizeBytes: Int64 { bridge.sizeBytes }

    private func flush() throws {
        avio_flush(context.pointee.pb)
        if let failure = bridge.failure { throw failure }
    }

    /// Whether the bytes are one `moov` box and nothing else.
    private static func isIndex(_ bytes: [UInt8]) -> Bool {
        let size = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        return bytes.count >= boxHeaderBytes && size == bytes.count && bytes[4..<8].elementsEqual("moov".utf8)
    }

    /// Makes bytes that nothing was written to a `free` box. Source: ISO/IEC 14496-12 §8.1.2.
    private func makeFree(_ range: Range<Int64>) throws {
        let size = withUnsafeBytes(of: UInt32(clamping: range.count).bigEndian) { Array($0) }
        try bridge.put(size + Array("free".utf8), at: range.lowerBound)
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
