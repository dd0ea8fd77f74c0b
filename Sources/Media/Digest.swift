internal import CFFmpeg
internal import Model

/// SHA-256 by libavutil.
package struct Digest: ~Copyable {
    private let context: OpaquePointer

    package init() throws(MediaError) {
        let fresh = try allocated(av_sha_alloc(), "making a hash")
        // Only an unknown number of bits could fail, and 256 is known.
        av_sha_init(fresh, 256)
        context = fresh
    }

    deinit { av_free(UnsafeMutableRawPointer(context)) }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        av_sha_update(context, start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// 64 hexadecimal digits.
    package consuming func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        av_sha_final(context, &digest)
        return Hexadecimal.text(digest)
    }
}

extension Frame {
    /// Adds the visible samples, row by row, plane by plane.
    package func addPixels(to digest: inout Digest) {
        let format = pictureFormat.pixelFormat
        for plane in format.planes(width: width, height: height) {
            guard let (base, stride) = self.plane(plane.index) else { continue }
            for row in 0..<plane.rows {
                digest.add(UnsafeRawBufferPointer(start: base + row * stride, count: plane.bytesPerRow))
            }
        }
    }
}

extension PixelFormat {
    package struct Plane {
        package var index: Int
        package var rows: Int
        package var bytesPerRow: Int
    }

    /// The planes that hold samples, and how much of each is visible.
    package func planes(width: Int, height: Int) -> [Plane] {
        let count = max(0, Int(av_pix_fmt_count_planes(av)))
        let shift = Int(av_pix_fmt_desc_get(av)?.pointee.log2_chroma_h ?? 0)
        return (0..<count).map { index in
            let isChroma = index == 1 || index == 2
            return Plane(
                index: index, rows: isChroma ? (height + (1 << shift) - 1) >> shift : height,
                bytesPerRow: Int(av_image_get_linesize(av, Int32(width), Int32(index))))
        }
    }
}
