package import Media
internal import Model

/// How alike the pictures of two files are, frame by frame, on 8-bit luma and chroma.
package struct PictureComparison: Sendable {
    package struct FrameScore: Sendable {
        /// Over all planes; infinite for equal pictures.
        package var psnr: Double
        /// Mean over 8×8 blocks of luma. Source: Wang et al., IEEE TIP 13(4), 2004.
        package var ssim: Double
    }

    package var scores: [FrameScore] = []
    /// Frames that only one of the files has.
    package var unmatched = 0

    package static func compare(
        _ expected: String, _ actual: String, cancellation: Cancellation
    ) throws -> PictureComparison {
        let (left, right) = (
            try PictureSequence(expected, cancellation: cancellation),
            try PictureSequence(actual, cancellation: cancellation)
        )
        var result = PictureComparison()
        while true {
            let (first, second) = (try left.next(), try right.next())
            guard let first, let second else {
                if first == nil, second == nil { return result }
                result.unmatched += 1
                continue
            }
            guard first.frame.width == second.frame.width, first.frame.height == second.frame.height else {
                result.scores.append(FrameScore(psnr: 0, ssim: 0))
                continue
            }
            result.scores.append(try score(eightBit(first.frame), eightBit(second.frame)))
        }
    }

    /// A PNG with the expected picture, the actual one, and their difference four times amplified, side by side.
    package static func picture(
        ofFrame number: Int, _ expected: String, _ actual: String, cancellation: Cancellation
    ) throws -> [UInt8]? {
        guard let left = try frame(number, of: expected, cancellation),
            let right = try frame(number, of: actual, cancellation)
        else { return nil }
        let (width, height) = (left.frame.width, left.frame.height)
        let canvas = try Frame.picture(width: width * 3, height: height, format: .rgb24)
        try draw(left.frame, on: canvas, x: 0, width, height)
        try draw(right.frame, on: canvas, x: width, width, height)
        guard let (base, stride) = canvas.plane(0) else { return nil }
        for row in 0..<height {
            let line = base + row * stride
            for byte in 0..<width * 3 {
                let difference = abs(Int(line[byte]) - Int(line[width * 3 + byte]))
                line[width * 6 + byte] = UInt8(min(255, difference * 4))
            }
        }
        return try StillPicture.encodePNG(canvas)
    }

    private static func frame(_ number: Int, of path: String, _ cancellation: Cancellation) throws -> VideoFrame? {
        let pictures = try PictureSequence(path, cancellation: cancellation)
        for _ in 0..<number { _ = try pictures.next() }
        return try pictures.next()
    }

    private static func draw(
        _ frame: borrowing Frame, on canvas: borrowing Frame, x: Int, _ width: Int, _ height: Int
    ) throws {
        let scaler = try Scaler(
            width: frame.width, height: frame.height, format: frame.pictureFormat.pixelFormat, toWidth: width,
            toHeight: height, toFormat: .rgb24)
        try scaler.scale(frame, into: canvas, x: x, y: 0)
    }

    private static func eightBit(_ frame: borrowing Frame) throws -> Frame {
        let format = frame.pictureFormat.pixelFormat
        guard format != .yuv420p, format != .yuvj420p else { return try frame.reference() }
        let copy = try Frame.picture(width: frame.width, height: frame.height, format: .yuv420p)
        let scaler = try Scaler(
            width: frame.width, height: frame.height, format: format, toWidth: frame.width, toHeight: frame.height,
            toFormat: .yuv420p)
        try scaler.scale(frame, into: copy, x: 0, y: 0)
        return copy
    }

    private static func score(_ left: borrowing Frame, _ right: borrowing Frame) throws -> FrameScore {
        var (squares, count) = (0, 0)
        for plane in PixelFormat.yuv420p.planes(width: left.width, height: left.height) {
            guard let a = left.plane(plane.index), let b = right.plane(plane.index) else { continue }
            for row in 0..<plane.rows {
                for column in 0..<plane.bytesPerRow {
                    let difference = Int(a.base[row * a.stride + column]) - Int(b.base[row * b.stride + column])
                    squares += difference * difference
                }
            }
            count += plane.rows * plane.bytesPerRow
        }
        let psnr =
            squares == 0 ? .infinity : decibels(ofAmplitude: 255 / (Double(squares) / Double(count)).squareRoot())
        return FrameScore(psnr: psnr, ssim: structuralSimilarity(left, right))
    }

    private static func structuralSimilarity(_ left: borrowing Frame, _ right: borrowing Frame) -> Double {
        guard let a = left.plane(0), let b = right.plane(0) else { return 0 }
        let (c1, c2) = (6.5025, 58.5225)
        var (total, blocks) = (0.0, 0)
        for top in stride(from: 0, to: max(1, left.height - 7), by: 8) {
            for start in stride(from: 0, to: max(1, left.width - 7), by: 8) {
                var (sumA, sumB, squareA, squareB, product) = (0, 0, 0, 0, 0)
                for row in top..<min(top + 8, left.height) {
                    for column in start..<min(start + 8, left.width) {
                        let (x, y) = (Int(a.base[row * a.stride + column]), Int(b.base[row * b.stride + column]))
                        sumA += x
                        sumB += y
                        squareA += x * x
                        squareB += y * y
                        product += x * y
                    }
                }
                let count = Double((min(top + 8, left.height) - top) * (min(start + 8, left.width) - start))
                let (meanA, meanB) = (Double(sumA) / count, Double(sumB) / count)
                let (varianceA, varianceB) = (
                    Double(squareA) / count - meanA * meanA, Double(squareB) / count - meanB * meanB
                )
                let covariance = Double(product) / count - meanA * meanB
                total +=
                    (2 * meanA * meanB + c1) * (2 * covariance + c2)
                    / ((meanA * meanA + meanB * meanB + c1) * (varianceA + varianceB + c2))
                blocks += 1
            }
        }
        return blocks == 0 ? 1 : total / Double(blocks)
    }
}
