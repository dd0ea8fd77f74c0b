/// A point in time as an edit gives it: whole or decimal milliseconds, or `{"value": 36036, "rate": 24000}`.
///
/// A rational means `value / rate` seconds, as in OpenTimelineIO's RationalTime; a fractional rate such as
/// 29.97 is not accepted, because it is never what is meant: give `{"value": n * 1001, "rate": 30000}`.
package struct EditTime: Sendable, Hashable {
    package let seconds: Rational

    /// Ten years: beyond any recording, and small enough that all arithmetic on times is exact.
    static let limitSeconds: Int64 = 315_360_000
    /// The finest rate accepted, in ticks per second.
    static let limitRate: Int64 = 1_000_000_000

    package init(seconds: Rational) { self.seconds = seconds }
    package init(milliseconds: Int64) { seconds = Rational(milliseconds, 1000) }
}

extension EditTime: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case value, rate }

    package init(from decoder: any Decoder) throws {
        let path = decoder.codingPath.jsonPath
        if let single = try? decoder.singleValueContainer(), let number = try? single.decode(Double.self) {
            let limit = Double(Self.limitSeconds) * 1000
            guard number.isFinite, abs(number) <= limit else {
                throw EditError.invalid(path: path, reason: "is not a time in milliseconds")
            }
            // Decimals are taken to the microsecond; whole milliseconds are exact.
            seconds = Rational(Int64((number * 1000).rounded()), 1_000_000)
            return
        }
        let container: KeyedDecodingContainer<CodingKeys>
        do {
            container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        } catch is DecodingError {
            throw EditError.invalid(path: path, reason: "is neither milliseconds nor {\"value\", \"rate\"}")
        }
        guard let value = try container.wholeNumber(.value) else {
            throw EditError.invalid(path: path + ".value", reason: "is missing")
        }
        guard let rate = try container.wholeNumber(.rate) else {
            throw EditError.invalid(path: path + ".rate", reason: "is missing")
        }
        guard rate > 0, rate <= Self.limitRate else {
            throw EditError.invalid(path: path + ".rate", reason: "must be 1 to \(Self.limitRate) ticks per second")
        }
        guard value > Int64.min, value.magnitude / UInt64(rate) <= UInt64(Self.limitSeconds) else {
            throw EditError.invalid(path: path + ".value", reason: "is too far away")
        }
        seconds = Rational(value, rate)
    }

    package func encode(to encoder: any Encoder) throws {
        if (seconds * Rational(1000)).denominator == 1 {
            var container = encoder.singleValueContainer()
            try container.encode((seconds * Rational(1000)).numerator)
        } else {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(seconds.numerator, forKey: .value)
            try container.encode(seconds.denominator, forKey: .rate)
        }
    }
}
