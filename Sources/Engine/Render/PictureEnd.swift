internal import Model

/// When a source's last picture is over.
enum PictureEnd {
    /// After its own duration; where that is unknown, after the usual one, unless the container clearly says otherwise.
    /// Edit lists say it to the millisecond only, so that less than half a frame is their rounding.
    ///
    /// - Parameters:
    ///   - time: of the last picture; with everything else but `told` in ticks of `timeBase`.
    ///   - duration: 0 when unknown.
    ///   - told: the container's word, in seconds.
    static func time(of time: Int64, duration: Int64, usual: Int64, told: Rational?, timeBase: Rational) -> Int64 {
        let duration = max(1, duration > 0 ? duration : usual)
        let guess = time + duration
        guard let told = told?.ticks(in: timeBase), told > time, abs(told - guess) > duration / 2 else { return guess }
        return told
    }
}
