package import Foundation

/// Decoded pictures as bytes, 4:2:0 with eight bits, for looking at them.
package struct RawVideo: Sendable {
    package let width: Int
    package let height: Int
    package let frames: [Data]

    /// - Parameter filters: libavfilter's text, applied to every frame.
    package init(_ path: String, filters: String? = nil) throws {
        let reference = try ReferenceVideo(path, filters: filters, pixelFormat: "yuv420p")
        let arguments = ["-v", "error", "-nostdin", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough"]
        let data = try Command.output(
            "ffmpeg", arguments + (filters.map { ["-vf", $0] } ?? []) + ["-pix_fmt", "yuv420p", "-f", "rawvideo", "-"])
        (width, height) = (reference.width, reference.height)
        let size = width * height + 2 * ((width + 1) / 2) * ((height + 1) / 2)
        frames = stride(from: 0, to: data.count - size + 1, by: size).map {
            data.subdata(in: $0..<$0 + size)
        }
    }

    private init(width: Int, height: Int, frames: [Data]) {
        (self.width, self.height, self.frames) = (width, height, frames)
    }

    /// A part of every picture; all numbers even.
    package func cropped(x: Int, y: Int, width: Int, height: Int) -> RawVideo {
        let parts = frames.map { frame in
            var part = Data()
            for row in y..<y + height {
                part += frame[frame.startIndex + row * self.width + x..<frame.startIndex + row * self.width + x + width]
            }
            let (across, down) = ((self.width + 1) / 2, (self.height + 1) / 2)
            for plane in 0..<2 {
                let base = frame.startIndex + self.width * self.height + plane * across * down
                for row in y / 2..<(y + height) / 2 {
                    part += frame[base + row * across + x / 2..<base + row * across + (x + width) / 2]
                }
            }
            return part
        }
        return RawVideo(width: width, height: height, frames: parts)
    }

    package func luma(_ frame: Int, x: Int, y: Int) -> Int { Int(frames[frame][y * width + x]) }

    package func chroma(_ frame: Int, x: Int, y: Int) -> (blue: Int, red: Int) {
        let (across, down) = ((width + 1) / 2, (height + 1) / 2)
        let place = width * height + (y / 2) * across + x / 2
        return (Int(frames[frame][place]), Int(frames[frame][place + across * down]))
    }

    /// The mean brightness of a rectangle.
    package func meanLuma(_ frame: Int, x: Range<Int>, y: Range<Int>) -> Double {
        var sum = 0
        for row in y { for column in x { sum += luma(frame, x: column, y: row) } }
        return Double(sum) / Double(max(1, x.count * y.count))
    }

    /// The number in the squares at the bottom left (see `Fixtures/README.md`); `nil` where there is none.
    ///
    /// - Parameters:
    ///   - square: the squares' side here, 16 unless the picture was resized.
    ///   - left, top: where the strip begins; its usual place unless given.
    package func frameNumber(_ frame: Int, square: Int = 16, left: Int = 0, top: Int? = nil) -> Int? {
        let middle = (top ?? (height - square) / square * square) + square / 2
        func isWhite(_ bit: Int) -> Bool { luma(frame, x: left + bit * square + square / 2, y: middle) > 127 }
        guard isWhite(0) else { return nil }
        return (0..<10).reduce(0) { $0 | (isWhite($1 + 1) ? 1 << $1 : 0) }
    }

    package func frameNumbers(square: Int = 16, left: Int = 0, top: Int? = nil) -> [Int?] {
        frames.indices.map { frameNumber($0, square: square, left: left, top: top) }
    }

    /// The likeness of two pictures of one size in decibels, luma and chroma together; infinite when they are equal.
    package static func psnr(_ left: Data, _ right: Data) -> Double {
        guard left.count == right.count else { return -.infinity }
        var sum = 0
        left.withUnsafeBytes { first in
            right.withUnsafeBytes { second in
                for index in 0..<first.count {
                    let difference = Int(first[index]) - Int(second[index])
                    sum += difference * difference
                }
            }
        }
        return sum == 0 ? .infinity : 10 * log10(255 * 255 * Double(left.count) / Double(sum))
    }

    /// The least likeness of pairs of frames.
    package func worstPSNR(against other: RawVideo) -> Double {
        guard frames.count == other.frames.count else { return -.infinity }
        return zip(frames, other.frames).map { Self.psnr($0, $1) }.min() ?? -.infinity
    }
}
