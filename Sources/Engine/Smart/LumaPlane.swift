internal import Media
internal import Model
internal import Planning

/// A picture's luma, kept to be compared with another's.
final class LumaPlane {
    private let width: Int
    private let height: Int
    private let format: PixelFormat
    private let rowBytes: Int
    private let samples: UnsafeMutablePointer<UInt8>

    init(copying picture: borrowing Frame) throws {
        (width, height, format) = (picture.width, picture.height, picture.pictureFormat.pixelFormat)
        guard let plane = picture.plane(0) else { throw EngineError(.internalFault, "a picture without samples") }
        rowBytes = format.bitDepth > 8 ? 2 * width : width
        samples = .allocate(capacity: max(1, rowBytes * height))
        for row in 0..<height {
            (samples + row * rowBytes).initialize(from: plane.base + row * plane.stride, count: rowBytes)
        }
    }

    deinit { samples.deallocate() }

    /// Decibels; infinite for equal pictures, nothing for ones of different sizes.
    func psnr(of picture: borrowing Frame) -> Double {
        guard picture.width == width, picture.height == height, picture.pictureFormat.pixelFormat == format,
            let other = picture.plane(0)
        else { return 0 }
        var squares: UInt64 = 0
        for row in 0..<height {
            let (first, second) = (samples + row * rowBytes, other.base + row * other.stride)
            if format.bitDepth > 8 {
                squares += first.withMemoryRebound(to: UInt16.self, capacity: width) { first in
                    second.withMemoryRebound(to: UInt16.self, capacity: width) {
                        Self.squaredDifference(first, $0, width)
                    }
                }
            } else {
                squares += Self.squaredDifference(first, second, width)
            }
        }
        guard squares > 0 else { return .infinity }
        let error = (Double(squares) / Double(width * height)).squareRoot()
        return decibels(ofAmplitude: Double((1 << format.bitDepth) - 1) / error)
    }

    private static func squaredDifference<Sample: FixedWidthInteger & UnsignedInteger>(
        _ left: UnsafePointer<Sample>, _ right: UnsafePointer<Sample>, _ count: Int
    ) -> UInt64 {
        // 4096 squares of eight bits, or 1024 of ten, fit 32 bits with room to spare; rows come in such pieces.
        var total: UInt64 = 0
        var start = 0
        while start < count {
            let end = min(count, start + 1024)
            var sum: UInt32 = 0
            for index in start..<end {
                let difference = Int32(truncatingIfNeeded: left[index]) &- Int32(truncatingIfNeeded: right[index])
                sum &+= UInt32(bitPattern: difference &* difference)
            }
            total += UInt64(sum)
            start = end
        }
        return total
    }
}
