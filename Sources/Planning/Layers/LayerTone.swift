package import Model

/// What sRGB colours are in a video's own code values.
///
/// SDR takes them as they are, by its matrix and range. In HDR they are lit as graphics are, with white at 203 cd/m², in
/// BT.2020's primaries. Sources: IEC 61966-2-1, ITU-R BT.601, BT.709 and BT.2020 (matrices and ranges), BT.2100 (PQ, HLG),
/// BT.2408 §2.1 (graphics white), BT.2087 (primaries).
package struct LayerTone: Sendable {
    private enum Light { case sdr, pq, hlg }

    private let light: Light
    private let red: Double
    private let blue: Double
    private let bitDepth: Int
    private let isFullRange: Bool

    /// - Parameters:
    ///   - color: of the output, `assumed`.
    package init(_ color: ColorTags, bitDepth: Int) {
        switch color.transfer {
        case "smpte2084": light = .pq
        case "arib-std-b67": light = .hlg
        default: light = .sdr
        }
        switch color.matrix {
        case "bt2020nc", "bt2020c": (red, blue) = (0.2627, 0.0593)
        case "smpte170m", "bt470bg", "fcc": (red, blue) = (0.299, 0.114)
        default: (red, blue) = (0.2126, 0.0722)
        }
        self.bitDepth = bitDepth
        isFullRange = color.isFullRange
    }

    /// - Parameter pixel: red, green and blue of sRGB, 0 to 255.
    /// - Returns: luma and both chromas, in code values.
    package func code(_ pixel: (red: UInt8, green: UInt8, blue: UInt8)) -> (luma: Double, cb: Double, cr: Double) {
        let (r, g, b) = signal(Double(pixel.red) / 255, Double(pixel.green) / 255, Double(pixel.blue) / 255)
        let y = red * r + (1 - red - blue) * g + blue * b
        let (cb, cr) = ((b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red)))
        let unit = Double(1 << (bitDepth - 8))
        if isFullRange {
            let most = Double((1 << bitDepth) - 1)
            return (y * most, cb * most + 128 * unit, cr * most + 128 * unit)
        }
        return ((219 * y + 16) * unit, (224 * cb + 128) * unit, (224 * cr + 128) * unit)
    }

    /// What the transfer function makes of the colour, 0 to 1.
    private func signal(_ r: Double, _ g: Double, _ b: Double) -> (Double, Double, Double) {
        guard light != .sdr else { return (r, g, b) }
        let (r, g, b) = (Self.linear(r), Self.linear(g), Self.linear(b))
        let wide = (
            0.6274 * r + 0.3293 * g + 0.0433 * b, 0.0691 * r + 0.9195 * g + 0.0114 * b,
            0.0164 * r + 0.0880 * g + 0.8956 * b
        )
        return (encoded(wide.0), encoded(wide.1), encoded(wide.2))
    }

    private static func linear(_ value: Double) -> Double {
        value <= 0.04045 ? value / 12.92 : power((value + 0.055) / 1.055, 2.4)
    }

    /// - Parameter light: of graphics white.
    private func encoded(_ light: Double) -> Double {
        switch self.light {
        case .sdr: return light
        case .pq:
            let p = power(light * 203 / 10_000, 0.1593017578125)
            return power((0.8359375 + 18.8515625 * p) / (1 + 18.6875 * p), 78.84375)
        case .hlg:
            // White is at three quarters of the signal; the scene's light that gives it is 0.2646.
            let scene = light * 0.2646
            guard scene > 1 / 12.0 else { return (3 * scene).squareRoot() }
            return 0.17883277 * naturalLogarithm(12 * scene - 0.28466892) + 0.55991073
        }
    }
}
