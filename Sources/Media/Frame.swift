internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// One raw picture or run of samples: a reference-counted view of buffers that are never copied by passing it on.
package struct Frame: ~Copyable {
    let pointer: UnsafeMutablePointer<AVFrame>

    package init() throws(MediaError) {
        pointer = try allocated(av_frame_alloc(), "making a frame")
    }

    init(owning pointer: UnsafeMutablePointer<AVFrame>) { self.pointer = pointer }

    deinit {
        var owned: UnsafeMutablePointer<AVFrame>? = pointer
        av_frame_free(&owned)
    }

    /// Another reference to the same buffers.
    package borrowing func reference() throws(MediaError) -> Frame {
        Frame(owning: try allocated(av_frame_clone(pointer), "referencing a frame"))
    }

    /// The same in buffers of its own.
    package borrowing func copy() throws(MediaError) -> Frame {
        let copy = try reference()
        try check(av_frame_make_writable(copy.pointer), "copying a frame")
        return copy
    }

    package mutating func clear() { av_frame_unref(pointer) }

    /// Takes the other's buffers and leaves it empty.
    package mutating func take(_ other: inout Frame) {
        av_frame_unref(pointer)
        av_frame_move_ref(pointer, other.pointer)
    }

    package var isEmpty: Bool { pointer.pointee.buf.0 == nil }

    /// Presentation time in ticks of the time base of whoever made the frame; `nil` when unset.
    package var time: Int64? {
        get { timestamp(pointer.pointee.pts) }
        nonmutating set { pointer.pointee.pts = newValue ?? rp_nopts }
    }
    /// What libavcodec makes of missing or broken timestamps; equal to `time` in a sound file.
    package var bestEffortTime: Int64? { timestamp(pointer.pointee.best_effort_timestamp) }
    /// 0 when unknown.
    package var duration: Int64 {
        get { rp_frame_duration(pointer) }
        nonmutating set { rp_frame_set_duration(pointer, newValue) }
    }
    package var isKey: Bool { rp_frame_is_key(pointer) }
    /// The decoder met errors in it.
    package var hasErrors: Bool { pointer.pointee.decode_error_flags != 0 }
    /// The decoder met errors in it, or does not vouch for what it refers to.
    package var isDamaged: Bool {
        hasErrors || pointer.pointee.flags & AV_FRAME_FLAG_CORRUPT != 0
    }

    package var width: Int { Int(pointer.pointee.width) }
    package var height: Int { Int(pointer.pointee.height) }
    package var sampleCount: Int { Int(pointer.pointee.nb_samples) }
    package var sampleRate: Int { Int(pointer.pointee.sample_rate) }
    package var channels: Int { Int(pointer.pointee.ch_layout.nb_channels) }

    /// Asks the encoder for a keyframe here, or lets it decide.
    package func requestKeyframe(_ wanted: Bool) {
        rp_frame_clear_picture_type(pointer)
        if wanted { pointer.pointee.pict_type = AV_PICTURE_TYPE_I }
    }

    /// The picture's format, as far as it decides how frames must be filtered.
    package var pictureFormat: PictureFormat {
        PictureFormat(
            width: width, height: height, pixelFormat: PixelFormat(rawValue: pointer.pointee.format),
            sampleAspectRatio: Rational(pointer.pointee.sample_aspect_ratio) ?? .one,
            color: ColorTags(frame: pointer)
        )
    }

    /// Planar 32-bit float samples of one channel.
    package func samples(channel: Int) -> UnsafeMutableBufferPointer<Float> {
        let plane = pointer.pointee.extended_data?[channel]
        return UnsafeMutableBufferPointer(
            start: plane.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: Float.self) }, count: sampleCount
        )
    }

    /// One plane of a picture: its first byte and the bytes from row to row.
    package func plane(_ index: Int) -> (base: UnsafeMutablePointer<UInt8>, stride: Int)? {
        let frame = pointer.pointee
        switch index {
        case 0: return frame.data.0.map { ($0, Int(frame.linesize.0)) }
        case 1: return frame.data.1.map { ($0, Int(frame.linesize.1)) }
        case 2: return frame.data.2.map { ($0, Int(frame.linesize.2)) }
        case 3: return frame.data.3.map { ($0, Int(frame.linesize.3)) }
        default: return nil
        }
    }

    /// An empty picture buffer; its contents are undefined.
    package static func picture(width: Int, height: Int, format: PixelFormat) throws(MediaError) -> Frame {
        let frame = try Frame()
        frame.pointer.pointee.width = Int32(width)
        frame.pointer.pointee.height = Int32(height)
        frame.pointer.pointee.format = format.rawValue
        try check(av_frame_get_buffer(frame.pointer, 0), "allocating a picture")
        return frame
    }

    /// A black picture.
    package static func black(width: Int, height: Int, format: PixelFormat, fullRange: Bool) throws(MediaError) -> Frame
    {
        let frame = try picture(width: width, height: height, format: format)
        var planes = withUnsafePointer(to: &frame.pointer.pointee.data) {
            $0.withMemoryRebound(to: UnsafeMutablePointer<UInt8>?.self, capacity: 4) {
                Array(UnsafeBufferPointer(start: $0, count: 4))
            }
        }
        let strides = withUnsafePointer(to: &frame.pointer.pointee.linesize) {
            $0.withMemoryRebound(to: Int32.self, capacity: 4) { Array(UnsafeBufferPointer(start: $0, count: 4)) }
        }.map { Int($0) }
        try check(
            av_image_fill_black(
                &planes, strides, format.av, fullRange ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG, Int32(width),
                Int32(height)),
            "making a black picture")
        return frame
    }

    /// An empty run of planar float samples; its contents are undefined.
    package static func samples(count: Int, rate: Int, layout: ChannelLayout) throws(MediaError) -> Frame {
        let frame = try Frame()
        frame.pointer.pointee.nb_samples = Int32(count)
        frame.pointer.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
        frame.pointer.pointee.sample_rate = Int32(rate)
        try layout.write(to: &frame.pointer.pointee.ch_layout)
        try check(av_frame_get_buffer(frame.pointer, 0), "allocating samples")
        return frame
    }

    /// The same samples, channel by channel within each instant, for encoders that want them so (libopus).
    borrowing func interleaved() throws(MediaError) -> Frame {
        let frame = try Frame()
        frame.pointer.pointee.nb_samples = pointer.pointee.nb_samples
        frame.pointer.pointee.format = AV_SAMPLE_FMT_FLT.rawValue
        frame.pointer.pointee.sample_rate = pointer.pointee.sample_rate
        try check(av_channel_layout_copy(&frame.pointer.pointee.ch_layout, &pointer.pointee.ch_layout), "a layout")
        try check(av_frame_get_buffer(frame.pointer, 0), "allocating samples")
        frame.pointer.pointee.pts = pointer.pointee.pts
        guard let base = frame.pointer.pointee.extended_data?[0] else { return frame }
        let (channels, count) = (channels, sampleCount)
        base.withMemoryRebound(to: Float.self, capacity: channels * count) { target in
            for channel in 0..<channels {
                let source = samples(channel: channel)
                for index in 0..<count { target[index * channels + channel] = source[index] }
            }
        }
        return frame
    }

    /// Removes metadata that describes the source's picture and would be wrong after conversion.
    package func dropSideData() {
        for kind in [
            AV_FRAME_DATA_DISPLAYMATRIX, AV_FRAME_DATA_DYNAMIC_HDR_PLUS, AV_FRAME_DATA_DOVI_METADATA,
            AV_FRAME_DATA_DOVI_RPU_BUFFER, AV_FRAME_DATA_A53_CC, AV_FRAME_DATA_SEI_UNREGISTERED,
            AV_FRAME_DATA_S12M_TIMECODE, AV_FRAME_DATA_GOP_TIMECODE, AV_FRAME_DATA_AFD, AV_FRAME_DATA_STEREO3D,
        ] {
            av_frame_remove_side_data(pointer, kind)
        }
    }

    /// Static HDR metadata that the stream carries in its own headers.
    package var hdr: (mastering: MasteringDisplay?, maxContentLightLevel: Int?, maxFrameAverageLightLevel: Int?) {
        var mastering: MasteringDisplay?
        if let bytes = sideData(AV_FRAME_DATA_MASTERING_DISPLAY_METADATA) {
            mastering = bytes.withMemoryRebound(to: AVMasteringDisplayMetadata.self, capacity: 1) {
                MasteringDisplay($0.pointee)
            }
        }
        guard let bytes = sideData(AV_FRAME_DATA_CONTENT_LIGHT_LEVEL) else { return (mastering, nil, nil) }
        return bytes.withMemoryRebound(to: AVContentLightMetadata.self, capacity: 1) {
            (mastering, Int($0.pointee.MaxCLL), Int($0.pointee.MaxFALL))
        }
    }

    private func sideData(_ kind: AVFrameSideDataType) -> UnsafeMutablePointer<UInt8>? {
        av_frame_get_side_data(pointer, kind)?.pointee.data
    }

    /// A filter's note on a frame, such as `lavfi.scd.time`.
    package func metadata(_ key: String) -> String? {
        guard let entry = av_dict_get(pointer.pointee.metadata, key, nil, 0) else { return nil }
        return entry.pointee.value.map { String(cString: $0) }
    }
}
