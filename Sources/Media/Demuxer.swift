internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// What a demuxer may be asked to open.
package struct DemuxerLimits: Sendable {
    /// 8K UHD and a half more: 50 million pixels.
    package var maximumPixels: Int64 = 50_000_000
    package var maximumStreams: Int = 64
    /// Containers by libavformat's names. Playlists and everything else that names other resources is absent:
    /// HLS, DASH, concat, image sequences.
    package static let allowedFormats: Set<String> = [
        "mov", "matroska", "webm", "mpegts", "mpeg", "avi", "flv", "mp3", "aac", "ac3", "eac3", "flac", "ogg", "wav",
        "w64", "aiff", "asf", "mxf", "caf", "amr", "m4v", "h264", "hevc", "mpegvideo", "obu", "ivf", "dv", "gif",
        "apng", "png_pipe", "jpeg_pipe", "webp_pipe", "bmp_pipe", "tiff_pipe",
    ]

    package init() {}
}

/// An opened container: its streams, and its packets in file order.
///
/// Opened over a `ByteSource` only: FFmpeg gets no path, no URL and no protocol, and cannot follow what a file names.
/// Not thread-safe.
package struct Demuxer: ~Copyable {
    let context: UnsafeMutablePointer<AVFormatContext>
    private let bridge: InputBridge

    /// Reads the header and enough packets to know every stream.
    ///
    /// - Parameter readsMedia: `false` leaves it at what the header says, and reads no packet.
    package init(
        _ source: any ByteSource, limits: DemuxerLimits = DemuxerLimits(), readsMedia: Bool = true,
        cancellation: Cancellation
    ) throws {
        let bridge = try InputBridge(source, cancellation: cancellation)
        do {
            context = try Self.open(bridge, limits: limits, readsMedia: readsMedia)
        } catch {
            throw bridge.failure ?? error
        }
        self.bridge = bridge
    }

    deinit {
        var owned: UnsafeMutablePointer<AVFormatContext>? = context
        avformat_close_input(&owned)
        // The bridge must outlive the context that reads through it.
        withExtendedLifetime(bridge) {}
    }

    private static func open(
        _ bridge: InputBridge, limits: DemuxerLimits, readsMedia: Bool
    ) throws(MediaError) -> UnsafeMutablePointer<AVFormatContext> {
        LogCapture.clear()
        let format = try recognise(bridge)
        let fresh = try allocated(avformat_alloc_context(), "opening the file")
        var context: UnsafeMutablePointer<AVFormatContext>? = fresh
        fresh.pointee.pb = bridge.context
        // Far above the limit: libavformat calls its own limit a lack of memory.
        fresh.pointee.max_streams = Int32(clamping: max(1000, 2 * limits.maximumStreams))
        rp_format_deny_nested_io(fresh)
        var options: OpaquePointer?
        av_dict_set(&options, "protocol_whitelist", "none", 0)
        defer { av_dict_free(&options) }
        try check(avformat_open_input(&context, "", format, &options), "opening the file", code: .damagedMedia)
        do throws(MediaError) {
            try checkStreamCount(fresh, limits)
            if readsMedia { try findStreamInfo(fresh, limits: limits) }
            // Some containers tell of streams only as they come.
            try checkStreamCount(fresh, limits)
        } catch {
            avformat_close_input(&context)
            throw error
        }
        return fresh
    }

    /// Below this libavformat merely cannot rule a format out: noise looks like MP3 now and then.
    private static let leastProbeScore: Int32 = 10

    private static func checkStreamCount(
        _ context: UnsafeMutablePointer<AVFormatContext>, _ limits: DemuxerLimits
    ) throws(MediaError) {
        guard context.pointee.nb_streams <= UInt32(limits.maximumStreams) else {
            throw MediaError(rp_error_invalid_data, "opening the file", code: .tooManyStreams)
        }
    }

    private static func recognise(_ bridge: InputBridge) throws(MediaError) -> UnsafePointer<AVInputFormat> {
        var format: UnsafePointer<AVInputFormat>?
        let status = av_probe_input_buffer2(bridge.context, &format, "", nil, 0, 0)
        guard status >= Self.leastProbeScore, let format else {
            throw MediaError(
                status < 0 ? status : rp_error_invalid_data, "recognising the file",
                code: status == rp_error_exit ? .cancelled : .notMedia)
        }
        let names = String(cString: format.pointee.name).split(separator: ",")
        guard names.contains(where: { DemuxerLimits.allowedFormats.contains(String($0)) }) else {
            let isText = names.contains { ["srt", "ass", "webvtt", "tty", "subviewer", "microdvd"].contains($0) }
            throw MediaError(
                rp_error_invalid_data, "opening a file of format \(String(cString: format.pointee.name))",
                code: isText ? .notMedia : .formatNotAllowed)
        }
        return format
    }

    private static func findStreamInfo(
        _ context: UnsafeMutablePointer<AVFormatContext>, limits: DemuxerLimits
    ) throws(MediaError) {
        let count = Int(context.pointee.nb_streams)
        let options = UnsafeMutablePointer<OpaquePointer?>.allocate(capacity: max(1, count))
        options.initialize(repeating: nil, count: max(1, count))
        defer {
            for index in 0..<count { av_dict_free(&options[index]) }
            options.deallocate()
        }
        for index in 0..<count {
            // Before the decoder allocates a picture, a declared size can be refused.
            if let parameters = context.pointee.streams[index]?.pointee.codecpar.pointee {
                let pixels = Int64(parameters.width) * Int64(parameters.height)
                guard pixels <= limits.maximumPixels else {
                    throw MediaError(rp_error_invalid_data, "opening the video", code: .tooManyPixels)
                }
            }
            av_dict_set_int(&options[index], "max_pixels", limits.maximumPixels, 0)
            // The first frames are decoded for what their headers tell; nobody looks at these pictures.
            av_dict_set(&options[index], "skip_loop_filter", "all", 0)
            av_dict_set(&options[index], "skip_idct", "all", 0)
        }
        try check(avformat_find_stream_info(context, options), "reading the streams")
    }

    // MARK: The container

    package var formatName: String { String(cString: context.pointee.iformat.pointee.name) }
    /// The time that counts as zero, in microseconds. Source: ffmpeg's input start_time handling.
    package var startMicroseconds: Int64 { timestamp(context.pointee.start_time) ?? 0 }
    package var durationMicroseconds: Int64? {
        timestamp(context.pointee.duration).flatMap { $0 > 0 ? $0 : nil }
    }
    package var bitRate: Int64? { context.pointee.bit_rate > 0 ? context.pointee.bit_rate : nil }
    package var streamCount: Int { Int(context.pointee.nb_streams) }
    /// A single picture, such as a PNG or JPEG file.
    package var isStillImage: Bool { formatName.hasSuffix("_pipe") }

    func stream(_ index: Int) -> UnsafeMutablePointer<AVStream> {
        precondition(index >= 0 && index < streamCount, "there is no stream \(index)")
        return context.pointee.streams[index].unsafelyUnwrapped
    }

    // MARK: Packets

    /// Reads the next packet of a wanted stream.
    ///
    /// - Returns: `false` at the end of the file.
    /// - Throws: the byte source's own error, or `MediaError`.
    package mutating func read(into packet: inout Packet) throws -> Bool {
        packet.clear()
        let status = av_read_frame(context, packet.pointer)
        if status == rp_error_eof, bridge.failure == nil { return false }
        if status < 0 {
            throw bridge.failure
                ?? MediaError(status, "reading a packet", code: status == rp_error_io ? .truncated : nil)
        }
        return true
    }

    /// Reads only these streams from now on.
    package mutating func select(streams wanted: Set<Int>) {
        for index in 0..<streamCount {
            stream(index).pointee.discard = wanted.contains(index) ? AVDISCARD_DEFAULT : AVDISCARD_ALL
        }
    }

    /// Goes to the last keyframe of `stream` at or before `time`, in that stream's ticks, as far as the container knows.
    ///
    /// - Returns: `false` when the container cannot seek there.
    package mutating func seek(stream index: Int, before time: Int64) -> Bool {
        av_seek_frame(context, Int32(index), time, AVSEEK_FLAG_BACKWARD) >= 0
    }
}

extension Demuxer {
    /// MP4's `ftyp` brand, without trailing spaces.
    package var majorBrand: String? {
        guard let entry = av_dict_get(context.pointee.metadata, "major_brand", nil, 0), let value = entry.pointee.value
        else { return nil }
        let text = String(cString: value)
        return text.split(separator: " ").first.map(String.init)
    }

    /// The duration comes from nothing better than size divided by bit rate.
    package var durationIsGuessed: Bool { context.pointee.duration_estimation_method == AVFMT_DURATION_FROM_BITRATE }
}
