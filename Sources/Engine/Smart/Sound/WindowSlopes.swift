internal import Glibc
internal import Planning

/// The two rising slopes of AAC's long windows, and what takes sound windowed by one to the other.
///
/// Source: ISO/IEC 14496-3 §4.6.11.3.2.
enum WindowSlopes {
    static let sine = (0..<length).map { sin(Double.pi / Double(2 * length) * (Double($0) + 0.5)) }
    static let kaiserBessel = makeKaiserBessel()
    private static let length = 1024
    private static let alpha = 4.0

    static func slope(_ shape: AACBlockHead.Shape) -> [Double] { shape == .sine ? sine : kaiserBessel }

    /// What to multiply sound with so that an encoder's slope makes of it what a decoder expects of its own.
    ///
    /// Exact, it is as much as twelvefold, which the encoder may take for an attack and code in short blocks. Where it
    /// is
    /// that much, the slopes themselves are near zero, so that it may be limited: to 4 it leaves an error of -36 dB, to
    /// 2 one of -27 dB; without any correction it is -19 dB.
    ///
    /// - Parameter rising: the slope of a packet's first frame; else that of its second.
    static func correction(
        from encoder: AACBlockHead.Shape, to decoder: AACBlockHead.Shape, rising: Bool, limit: Double = .infinity
    ) -> [Float] {
        let ratio = zip(slope(decoder), slope(encoder)).map { Float(min(limit, $0 / $1)) }
        return rising ? ratio : ratio.reversed()
    }

    private static func makeKaiserBessel() -> [Double] {
        let half = Double(length) / 2
        let kernel = (0...length).map { index in
            let place = (Double(index) - half) / half
            return bessel(Double.pi * alpha * max(0, 1 - place * place).squareRoot())
        }
        let total = kernel.reduce(0, +)
        var sum = 0.0
        return kernel.prefix(length).map { value in
            sum += value
            return (sum / total).squareRoot()
        }
    }

    /// The modified Bessel function of the first kind and order zero, by its power series.
    private static func bessel(_ value: Double) -> Double {
        var (sum, term, step) = (1.0, 1.0, 1.0)
        while term > 1e-16 * sum {
            let factor = value / (2 * step)
            term *= factor * factor
            sum += term
            step += 1
        }
        return sum
    }
}
