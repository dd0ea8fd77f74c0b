/// An amount of credit in millionths: whole numbers only, so that nothing is ever rounded unseen.
///
/// Amounts are bounded by `largest` in either direction, far from where 64 bits end, so that the databases cannot
/// overflow either. Arithmetic that would leave the bounds has no result.
package struct MicroCredits: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// A thousand million credits.
    package static let largest = MicroCredits(unchecked: 1_000_000_000_000_000)
    package static let zero = MicroCredits(unchecked: 0)
    private static let perCredit: Int64 = 1_000_000

    package let value: Int64

    private init(unchecked value: Int64) { self.value = value }

    /// `nil` beyond the bounds.
    package init?(_ value: Int64) {
        guard (-Self.largest.value...Self.largest.value).contains(value) else { return nil }
        self.value = value
    }

    /// Reads `12`, `12.5`, `-0.000001`: digits, and at most six after the point.
    package init?(text: some StringProtocol) {
        var digits = Substring(text)
        let isNegative = digits.hasPrefix("-")
        if isNegative { digits.removeFirst() }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) }),
            parts[0].utf8.count <= 12
        else { return nil }
        let fraction = parts.count == 2 ? parts[1] : "0"
        guard fraction.utf8.count <= 6, let whole = Int64(parts[0]),
            let rest = Int64(fraction + String(repeating: "0", count: 6 - fraction.utf8.count))
        else { return nil }
        let value = whole * Self.perCredit + rest
        self.init(isNegative ? -value : value)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// Credits in decimal, without zeros that say nothing: the same text reads back as the same amount.
    package var text: String {
        let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: UInt64(Self.perCredit))
        let sign = value < 0 ? "-" : ""
        guard rest > 0 else { return "\(sign)\(whole)" }
        var fraction = String(String(UInt64(Self.perCredit) + rest).dropFirst())
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(sign)\(whole).\(fraction)"
    }

    package var description: String { text }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    package var magnitude: MicroCredits { MicroCredits(unchecked: abs(value)) }

    /// `nil` beyond the bounds.
    package func adding(_ other: MicroCredits) -> MicroCredits? { MicroCredits(value + other.value) }
    package func subtracting(_ other: MicroCredits) -> MicroCredits? { MicroCredits(value - other.value) }

    /// `self × numerator ÷ denominator`, rounded up to the next millionth; `nil` beyond the bounds.
    ///
    /// None of the three is negative, and the denominator is not zero.
    package func scaled(by numerator: Int64, over denominator: Int64) -> MicroCredits? {
        guard value >= 0, numerator >= 0, denominator > 0 else { return nil }
        let product = UInt64(value).multipliedFullWidth(by: UInt64(numerator))
        let divisor = UInt64(denominator)
        guard product.high < divisor else { return nil }
        let (quotient, remainder) = divisor.dividingFullWidth(product)
        guard quotient <= UInt64(Self.largest.value) else { return nil }
        return MicroCredits(Int64(quotient) + (remainder > 0 ? 1 : 0))
    }
}

extension MicroCredits: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let amount = MicroCredits(try container.decode(Int64.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "an amount beyond all bounds")
        }
        self = amount
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}
