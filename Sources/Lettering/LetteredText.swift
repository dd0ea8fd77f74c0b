/// A part of a picture covered by text, in sRGB with straight alpha.
package struct LetteredText: Sendable, Equatable {
    /// Of its left upper pixel in the picture.
    package let x: Int
    package let y: Int
    package let width: Int
    package let height: Int
    /// Red, green, blue and alpha of each pixel, row by row.
    package private(set) var pixels: [UInt8]

    init(x: Int, y: Int, width: Int, height: Int) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
        pixels = [UInt8](repeating: 0, count: 4 * width * height)
    }

    /// Lays an evenly coloured shape over what is there. Source: the "over" operator of Porter and Duff, 1984.
    ///
    /// - Parameters:
    ///   - x: of its left upper pixel in the picture.
    ///   - coverage: 0 to 255 for each pixel, row by row, rows `stride` bytes apart.
    mutating func lay(
        _ color: (red: Int, green: Int, blue: Int, alpha: Int), x: Int, y: Int, width: Int, height: Int,
        coverage: UnsafePointer<UInt8>, stride: Int
    ) {
        for row in 0..<height {
            var place = 4 * ((y - self.y + row) * self.width + x - self.x)
            for column in 0..<width {
                let above = Int(coverage[row * stride + column]) * color.alpha
                if above > 0 {
                    // In parts of 255 × 255.
                    let below = Int(pixels[place + 3]) * (255 * 255 - above) / 255
                    let sum = above + below
                    func mixed(_ over: Int, _ under: UInt8) -> UInt8 {
                        UInt8((over * above + Int(under) * below + sum / 2) / sum)
                    }
                    pixels[place] = mixed(color.red, pixels[place])
                    pixels[place + 1] = mixed(color.green, pixels[place + 1])
                    pixels[place + 2] = mixed(color.blue, pixels[place + 2])
                    pixels[place + 3] = UInt8((sum + 127) / 255)
                }
                place += 4
            }
        }
    }
}
