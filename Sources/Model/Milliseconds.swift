extension Double {
    /// Seconds as whole milliseconds, rounded up; `nil` for what is no length of time, or one of centuries.
    ///
    /// What a decimal fraction becomes in binary is not a part of a millisecond: 32.002 s are 32,002 ms, although a thousand
    /// times the number is a little more.
    package var millisecondsRoundedUp: Int64? {
        guard (0...1e10).contains(self) else { return nil }
        let (milliseconds, nearest) = (self * 1000, (self * 1000).rounded())
        return Int64(abs(milliseconds - nearest) < 1e-4 ? nearest : milliseconds.rounded(.up))
    }
}
