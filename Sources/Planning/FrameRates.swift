package import Model

extension VideoStream {
    /// The one rate that describes the stream best: its real rate where that holds, else its average, 240 at most.
    ///
    /// Some containers claim absurd rates (FLV and Matroska: 1000 per second, their clock); those are passed over.
    package var nominalFrameRate: Rational {
        let limit = Rational(240)
        if let real = realFrameRate, real <= limit, !variableFrameRate { return real }
        if let average = averageFrameRate, average <= limit { return average.nearestStandardRate }
        if let real = realFrameRate, real <= limit { return real }
        return Rational(30)
    }
}

extension Rational {
    /// A standard rate within half a percent, else this one to the thousandth.
    fileprivate var nearestStandardRate: Rational {
        let standard = [
            Rational(24000, 1001), Rational(24), Rational(25), Rational(30000, 1001), Rational(30), Rational(48),
            Rational(50), Rational(60000, 1001), Rational(60), Rational(120),
        ]
        let nearest = standard.min { abs($0.seconds - seconds) < abs($1.seconds - seconds) }
        if let nearest, abs(nearest.seconds - seconds) <= seconds * 0.005 { return nearest }
        return Rational(max(1000, Int64((seconds * 1000).rounded())), 1000)
    }
}
