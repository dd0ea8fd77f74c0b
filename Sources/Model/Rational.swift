/// An exact fraction: seconds, a time base, a frame rate or an aspect ratio.
///
/// Always in lowest terms with a positive denominator. Comparisons are exact for every value (128-bit products).
package struct Rational: Hashable, Sendable {
    package let numerator: Int64
    package let denominator: Int64

    package static let zero = Rational(0)
    package static let one = Rational(1)

    /// - Precondition: `denominator` is not zero, and neither part is `Int64.min`.
    package init(_ numerator: Int64, _ denominator: Int64 = 1) {
        precondition(denominator != 0, "a rational's denominator cannot be zero")
        let divisor = Int64(greatestCommonDivisor(numerator.magnitude, denominator.magnitude))
        let sign: Int64 = denominator < 0 ? -1 : 1
        self.numerator = sign * numerator / divisor
        self.denominator = sign * denominator / divisor
    }

    package var seconds: Double { Double(numerator) / Double(denominator) }
    package var inverse: Rational { Rational(denominator, numerator) }

    /// This many seconds in whole milliseconds, nearest, halves away from zero.
    package var milliseconds: Int64 { ticks(in: Rational(1, 1000)) }

    /// How many ticks of `timeBase` seconds this is, nearest, halves away from zero.
    ///
    /// Saturates at the limits of `Int64`.
    package func ticks(in timeBase: Rational) -> Int64 {
        let dividend = Int128(numerator) * Int128(timeBase.denominator)
        let divisor = Int128(denominator) * Int128(timeBase.numerator)
        return Int64(clamping: roundedQuotient(dividend, divisor))
    }

    /// The smallest count of ticks of `timeBase` seconds that is not less than this.
    package func ticksRoundedUp(in timeBase: Rational) -> Int64 {
        let dividend = Int128(numerator) * Int128(timeBase.denominator)
        let divisor = Int128(denominator) * Int128(timeBase.numerator)
        let quotient = dividend / divisor
        return Int64(clamping: quotient * divisor < dividend ? quotient + 1 : quotient)
    }

    package static func + (left: Rational, right: Rational) -> Rational {
        reduced(
            Int128(left.numerator) * Int128(right.denominator) + Int128(right.numerator) * Int128(left.denominator),
            Int128(left.denominator) * Int128(right.denominator)
        )
    }

    package static func - (left: Rational, right: Rational) -> Rational {
        left + Rational(-right.numerator, right.denominator)
    }

    package static func * (left: Rational, right: Rational) -> Rational {
        reduced(
            Int128(left.numerator) * Int128(right.numerator),
            Int128(left.denominator) * Int128(right.denominator)
        )
    }

    package static func / (left: Rational, right: Rational) -> Rational { left * right.inverse }

    /// Lowest terms; where even those exceed 64 bits, the nearest fraction in nanoseconds.
    private static func reduced(_ numerator: Int128, _ denominator: Int128) -> Rational {
        let divisor = Int128(greatestCommonDivisor(numerator.magnitude, denominator.magnitude))
        if let top = Int64(exactly: numerator / divisor), let bottom = Int64(exactly: denominator / divisor) {
            return Rational(top, bottom)
        }
        // A denominator this large comes of times that no clock has; nanoseconds are finer than any of them.
        let billion = 1_000_000_000.0
        return Rational(Int64((Double(numerator) / Double(denominator) * billion).rounded()), Int64(billion))
    }
}

extension Rational: Comparable {
    package static func < (left: Rational, right: Rational) -> Bool {
        Int128(left.numerator) * Int128(right.denominator) < Int128(right.numerator) * Int128(left.denominator)
    }
}

extension Rational: CustomStringConvertible {
    package var description: String { "\(numerator)/\(denominator)" }
}

extension Rational: Codable {
    /// As a string, `"30000/1001"`, the way the field writes rates.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let top = Int64(parts[0]), let bottom = Int64(parts[1]), bottom > 0, top > Int64.min
        else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected a fraction like 30000/1001")
        }
        self.init(top, bottom)
    }
}

private func greatestCommonDivisor<Integer: FixedWidthInteger & UnsignedInteger>(
    _ left: Integer, _ right: Integer
) -> Integer {
    var (larger, smaller) = (left, right)
    while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
    return max(1, larger)
}

private func roundedQuotient(_ dividend: Int128, _ divisor: Int128) -> Int128 {
    let sign: Int128 = (dividend < 0) == (divisor < 0) ? 1 : -1
    let (top, bottom) = (dividend.magnitude, divisor.magnitude)
    return sign * Int128((top + bottom / 2) / bottom)
}
