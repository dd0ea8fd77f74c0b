internal import CFFmpeg
internal import CFFmpegShims
package import Model

/// An `AVPixelFormat`, by number.
package struct PixelFormat: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let yuv420p = PixelFormat(rawValue: AV_PIX_FMT_YUV420P.rawValue)
    package static let yuvj420p = PixelFormat(rawValue: AV_PIX_FMT_YUVJ420P.rawValue)
    package static let yuv420p10 = PixelFormat(rawValue: AV_PIX_FMT_YUV420P10LE.rawValue)
    package static let rgb24 = PixelFormat(rawValue: AV_PIX_FMT_RGB24.rawValue)

    package init?(named name: String) {
        let format = av_get_pix_fmt(name)
        guard format != AV_PIX_FMT_NONE else { return nil }
        rawValue = format.rawValue
    }

    var av: AVPixelFormat { AVPixelFormat(rawValue: rawValue) }

    package var description: String { av_get_pix_fmt_name(av).map { String(cString: $0) } ?? "none" }
    package var bitDepth: Int { av_pix_fmt_desc_get(av).map { Int($0.pointee.comp.0.depth) } ?? 8 }
}

/// What a picture is made of: equal formats can share one filter graph.
package struct PictureFormat: Hashable, Sendable {
    package var width: Int
    package var height: Int
    package var pixelFormat: PixelFormat
    package var sampleAspectRatio: Rational
    package var color: ColorTags

    package init(
        width: Int, height: Int, pixelFormat: PixelFormat, sampleAspectRatio: Rational, color: ColorTags
    ) {
        (self.width, self.height, self.pixelFormat) = (width, height, pixelFormat)
        (self.sampleAspectRatio, self.color) = (sampleAspectRatio, color)
    }
}

/// A channel layout by FFmpeg's name, such as `stereo` or `5.1`.
package struct ChannelLayout: Hashable, Sendable {
    package let name: String
    package let channels: Int

    package static let mono = ChannelLayout(name: "mono", channels: 1)
    package static let stereo = ChannelLayout(name: "stereo", channels: 2)

    private init(name: String, channels: Int) { (self.name, self.channels) = (name, channels) }

    /// Throws when FFmpeg does not know the name.
    package init(named name: String) throws(MediaError) {
        var layout = AVChannelLayout()
        try check(av_channel_layout_from_string(&layout, name), "reading the channel layout \(name)")
        self.init(name: name, channels: Int(layout.nb_channels))
        av_channel_layout_uninit(&layout)
    }

    /// The usual layout of so many channels.
    package static func usual(channels: Int) -> ChannelLayout {
        var layout = AVChannelLayout()
        av_channel_layout_default(&layout, Int32(channels))
        defer { av_channel_layout_uninit(&layout) }
        return ChannelLayout(layout)
    }

    /// Layouts without named positions become the usual layout of as many channels.
    init(_ layout: AVChannelLayout) {
        guard layout.order == AV_CHANNEL_ORDER_NATIVE else {
            var usual = AVChannelLayout()
            av_channel_layout_default(&usual, layout.nb_channels)
            self.init(name: Self.describe(usual), channels: Int(layout.nb_channels))
            av_channel_layout_uninit(&usual)
            return
        }
        self.init(name: Self.describe(layout), channels: Int(layout.nb_channels))
    }

    static func describe(_ layout: AVChannelLayout) -> String {
        var layout = layout
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { text in
            guard let start = text.baseAddress, av_channel_layout_describe(&layout, start, text.count) > 0 else {
                return "unknown"
            }
            return String(cString: start)
        }
    }

    func write(to layout: inout AVChannelLayout) throws(MediaError) {
        av_channel_layout_uninit(&layout)
        try check(av_channel_layout_from_string(&layout, name), "reading the channel layout \(name)")
    }
}

/// What raw audio is made of.
package struct AudioFormat: Hashable, Sendable {
    package var sampleRate: Int
    package var layout: ChannelLayout

    package init(sampleRate: Int, layout: ChannelLayout) { (self.sampleRate, self.layout) = (sampleRate, layout) }
}

extension ColorTags {
    init(
        range: AVColorRange, matrix: AVColorSpace, primaries: AVColorPrimaries, transfer: AVColorTransferCharacteristic,
        chroma: AVChromaLocation
    ) {
        self.init(
            range: range == AVCOL_RANGE_UNSPECIFIED ? nil : av_color_range_name(range).map { String(cString: $0) },
            matrix: matrix == AVCOL_SPC_UNSPECIFIED ? nil : av_color_space_name(matrix).map { String(cString: $0) },
            primaries: primaries == AVCOL_PRI_UNSPECIFIED
                ? nil : av_color_primaries_name(primaries).map { String(cString: $0) },
            transfer: transfer == AVCOL_TRC_UNSPECIFIED
                ? nil : av_color_transfer_name(transfer).map { String(cString: $0) },
            chromaLocation: chroma == AVCHROMA_LOC_UNSPECIFIED
                ? nil : av_chroma_location_name(chroma).map { String(cString: $0) }
        )
    }

    init(frame: UnsafePointer<AVFrame>) {
        let tags = frame.pointee
        self.init(
            range: tags.color_range, matrix: tags.colorspace, primaries: tags.color_primaries,
            transfer: tags.color_trc, chroma: tags.chroma_location
        )
    }

    init(parameters: UnsafePointer<AVCodecParameters>) {
        let tags = parameters.pointee
        self.init(
            range: tags.color_range, matrix: tags.color_space, primaries: tags.color_primaries,
            transfer: tags.color_trc, chroma: tags.chroma_location
        )
    }

    var avRange: AVColorRange { AVColorRange(rawValue: Self.value(range, av_color_range_from_name)) }
    var avMatrix: AVColorSpace {
        AVColorSpace(
            rawValue: Self.value(matrix, av_color_space_from_name, unknown: Int32(AVCOL_SPC_UNSPECIFIED.rawValue)))
    }
    var avPrimaries: AVColorPrimaries {
        AVColorPrimaries(
            rawValue: Self.value(
                primaries, av_color_primaries_from_name, unknown: Int32(AVCOL_PRI_UNSPECIFIED.rawValue)))
    }
    var avTransfer: AVColorTransferCharacteristic {
        AVColorTransferCharacteristic(
            rawValue: Self.value(transfer, av_color_transfer_from_name, unknown: Int32(AVCOL_TRC_UNSPECIFIED.rawValue)))
    }
    var avChroma: AVChromaLocation {
        AVChromaLocation(rawValue: Self.value(chromaLocation, av_chroma_location_from_name))
    }

    private static func value(
        _ name: String?, _ lookup: (UnsafePointer<CChar>) -> Int32, unknown: Int32 = 0
    ) -> UInt32 {
        guard let name else { return UInt32(unknown) }
        let found = lookup(name)
        return UInt32(found < 0 ? unknown : found)
    }
}
