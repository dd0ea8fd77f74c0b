internal import CFFmpeg
internal import CFFmpegShims

/// Scales pictures of one size and format into part of another picture, without a filter graph.
package struct Scaler: ~Copyable {
    private let context: OpaquePointer
    private let sourceHeight: Int32

    /// 8-bit 4:2:0 to 8-bit 4:2:0 or packed RGB. Area averaging: right for shrinking much.
    package init(
        width: Int, height: Int, format: PixelFormat, toWidth: Int, toHeight: Int, toFormat: PixelFormat
    ) throws(MediaError) {
        context = try allocated(
            sws_getContext(
                Int32(width), Int32(height), format.av, Int32(toWidth), Int32(toHeight), toFormat.av, SWS_AREA, nil,
                nil, nil),
            "setting up the scaler")
        sourceHeight = Int32(height)
    }

    deinit { sws_freeContext(context) }

    /// Writes into `target` with its upper left corner at (`x`, `y`), both even for subsampled formats.
    package borrowing func scale(
        _ frame: borrowing Frame, into target: borrowing Frame, x: Int, y: Int
    ) throws(MediaError) {
        let format = PixelFormat(rawValue: target.pointer.pointee.format)
        guard let descriptor = av_pix_fmt_desc_get(format.av)?.pointee else { return }
        let planar = descriptor.nb_components > 1 && descriptor.comp.0.plane != descriptor.comp.1.plane
        var planes: [UnsafeMutablePointer<UInt8>?] = [nil, nil, nil, nil]
        var strides: [Int32] = [0, 0, 0, 0]
        for index in 0..<(planar ? 3 : 1) {
            guard let plane = target.plane(index) else { continue }
            let (shiftX, shiftY) =
                index == 0 ? (0, 0) : (Int(descriptor.log2_chroma_w), Int(descriptor.log2_chroma_h))
            let bytesPerPixel = planar ? 1 : Int(descriptor.comp.0.step)
            planes[index] = plane.base + (y >> shiftY) * plane.stride + (x >> shiftX) * bytesPerPixel
            strides[index] = Int32(plane.stride)
        }
        let source = frame.pointer.pointee
        let status = withUnsafePointer(to: source.data) { data in
            withUnsafePointer(to: source.linesize) { lines in
                data.withMemoryRebound(to: UnsafePointer<UInt8>?.self, capacity: 8) { data in
                    lines.withMemoryRebound(to: Int32.self, capacity: 8) { lines in
                        sws_scale(context, data, lines, 0, sourceHeight, planes, strides)
                    }
                }
            }
        }
        try check(status, "scaling a picture")
    }
}
