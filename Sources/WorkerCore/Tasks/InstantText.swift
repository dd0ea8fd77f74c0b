/// Points in time as ISO 8601 has them, in milliseconds since 1970.
package enum InstantText {
    /// `2026-01-02T03:04:05.678901+02:00`. Without an offset it is UTC, as Celery means it.
    package static func milliseconds(_ text: String) -> Int64? {
        let form = /(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?/
        guard let match = text.wholeMatch(of: form)?.output,
            let year = Int64(match.1), let month = Int64(match.2), let day = Int64(match.3),
            let hour = Int64(match.4), let minute = Int64(match.5), let second = Int64(match.6),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var seconds = (days(year: year, month: month, day: day) * 24 + hour) * 3600 + minute * 60 + second
        if let offset = match.8, offset != "Z" {
            let digits = offset.filter(\.isNumber)
            guard let hours = Int64(digits.prefix(2)), let minutes = Int64(digits.suffix(2)) else { return nil }
            seconds -= (offset.first == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
        }
        let fraction = Int64((match.7.map(String.init) ?? "").padded(to: 3)) ?? 0
        return seconds * 1000 + fraction
    }

    /// `2026-01-02T03:04:05.678000+00:00`, as Python's `isoformat` has it.
    package static func text(milliseconds: Int64) -> String { "\(stem(milliseconds))000+00:00" }

    /// `2026-01-02T03:04:05.678Z`. Source: RFC 3339 §5.6.
    package static func universal(milliseconds: Int64) -> String { "\(stem(milliseconds))Z" }

    private static func stem(_ milliseconds: Int64) -> String {
        let (days, rest) = milliseconds.quotientAndRemainder(flooring: 86_400_000)
        let (year, month, day) = date(days: days)
        func pad(_ value: Int64, _ digits: Int) -> String {
            String(repeating: "0", count: max(0, digits - "\(value)".count)) + "\(value)"
        }
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))T\(pad(rest / 3_600_000, 2)):"
            + "\(pad(rest / 60_000 % 60, 2)):\(pad(rest / 1000 % 60, 2)).\(pad(rest % 1000, 3))"
    }

    /// Days since 1970 in the Gregorian calendar. Years are counted from March, so that a leap day is a year's last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = shifted >= 0 ? shifted / 400 : (shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(flooring: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Int64 {
    fileprivate func quotientAndRemainder(flooring divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

extension String {
    /// The first `count` digits, filled up with zeros.
    fileprivate func padded(to count: Int) -> String {
        String(prefix(count)) + String(repeating: "0", count: Swift.max(0, count - self.count))
    }
}
