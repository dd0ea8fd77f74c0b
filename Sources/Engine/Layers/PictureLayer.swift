internal import Media
internal import Planning

/// An image in a video's own samples, ready to be laid over its pictures: 4:2:0, with coverage for each sample.
struct PictureLayer {
    /// One plane of it.
    private struct Plane {
        let width: Int
        let height: Int
        /// Code values, times coverage.
        var samples: [UInt32]
        /// 0 to 255.
        var coverage: [UInt8]

        init(width: Int, height: Int) {
            (self.width, self.height) = (width, height)
            samples = [UInt32](repeating: 0, count: width * height)
            coverage = [UInt8](repeating: 0, count: width * height)
        }
    }

    /// Of its left upper sample, in luma; even.
    private let x: Int
    private let y: Int
    private var planes: [Plane]

    /// - Parameters:
    ///   - pixels: red, green, blue and straight alpha, row by row.
    ///   - x: where its left upper pixel lies; it may lie outside of the picture.
    ///   - opacity: 0 to 1, of all of it.
    init(pixels: [UInt8], width: Int, height: Int, x: Int, y: Int, opacity: Double = 1, tone: LayerTone) {
        // Chroma's samples lie at even places.
        (self.x, self.y) = (x & ~1, y & ~1)
        let (left, top) = (x - self.x, y - self.y)
        let (chromaWidth, chromaHeight) = ((width + left + 1) / 2, (height + top + 1) / 2)
        var luma = Plane(width: 2 * chromaWidth, height: 2 * chromaHeight)
        var sums = [(cb: Double, cr: Double, coverage: Int)](repeating: (0, 0, 0), count: chromaWidth * chromaHeight)
        // Texts and graphics have few colours.
        var known: [UInt32: (luma: Double, cb: Double, cr: Double)] = [:]
        for row in 0..<height {
            for column in 0..<width {
                let place = 4 * (row * width + column)
                let alpha = Int((Double(pixels[place + 3]) * opacity).rounded())
                guard alpha > 0 else { continue }
                let (red, green, blue) = (pixels[place], pixels[place + 1], pixels[place + 2])
                let key = UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue)
                let code = known[key] ?? tone.code((red, green, blue))
                known[key] = code
                let index = (row + top) * luma.width + column + left
                luma.samples[index] = UInt32((code.luma * Double(alpha)).rounded())
                luma.coverage[index] = UInt8(alpha)
                let chroma = (row + top) / 2 * chromaWidth + (column + left) / 2
                sums[chroma].cb += code.cb * Double(alpha)
                sums[chroma].cr += code.cr * Double(alpha)
                sums[chroma].coverage += alpha
            }
        }
        var (cb, cr) = (
            Plane(width: chromaWidth, height: chromaHeight), Plane(width: chromaWidth, height: chromaHeight)
        )
        for (index, sum) in sums.enumerated() where sum.coverage > 0 {
            let coverage = UInt8((sum.coverage + 2) / 4)
            (cb.coverage[index], cr.coverage[index]) = (coverage, coverage)
            let part = Double(coverage) / Double(sum.coverage)
            cb.samples[index] = UInt32((sum.cb * part).rounded())
            cr.samples[index] = UInt32((sum.cr * part).rounded())
        }
        planes = [luma, cb, cr]
    }

    /// - Parameter frame: 4:2:0 of 8 or 10 bits, whose buffers belong to nobody else.
    func paint(on frame: borrowing Frame) {
        let isWide = frame.pictureFormat.pixelFormat.bitDepth > 8
        for (index, plane) in planes.enumerated() {
            guard let target = frame.plane(index) else { return }
            let half = index == 0 ? 1 : 2
            let (width, height) = ((frame.width + half - 1) / half, (frame.height + half - 1) / half)
            let (left, top) = (x / half, y / half)
            let columns = max(0, -left)..<max(max(0, -left), min(plane.width, width - left))
            for row in max(0, -top)..<max(max(0, -top), min(plane.height, height - top)) {
                let base = target.base + (row + top) * target.stride
                if isWide {
                    base.withMemoryRebound(to: UInt16.self, capacity: width) {
                        Self.blend(plane, row: row, columns: columns, onto: $0 + left)
                    }
                } else {
                    Self.blend(plane, row: row, columns: columns, onto: base + left)
                }
            }
        }
    }

    private static func blend<Sample: FixedWidthInteger & UnsignedInteger>(
        _ plane: Plane, row: Int, columns: Range<Int>, onto target: UnsafeMutablePointer<Sample>
    ) {
        plane.samples.withUnsafeBufferPointer { samples in
            plane.coverage.withUnsafeBufferPointer { coverage in
                for column in columns {
                    let index = row * plane.width + column
                    let covered = UInt32(coverage[index])
                    guard covered > 0 else { continue }
                    let mixed = samples[index] + UInt32(target[column]) * (255 - covered)
                    target[column] = Sample(truncatingIfNeeded: (mixed + 127) / 255)
                }
            }
        }
    }
}
