/// Exponential backoff with full jitter: a pause is anything between nothing and a bound that doubles.
///
/// Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
package struct Backoff: Sendable, Equatable {
    package var baseSeconds: Double
    package var capSeconds: Double

    package init(baseSeconds: Double, capSeconds: Double) {
        (self.baseSeconds, self.capSeconds) = (baseSeconds, capSeconds)
    }

    /// - Parameters:
    ///   - attempt: 1 after the first failure.
    ///   - unit: in 0..<1, evenly spread.
    package func pauseSeconds(afterAttempt attempt: Int, unit: Double) -> Double {
        let bound = min(capSeconds, baseSeconds * Double(1 << min(30, max(0, attempt - 1))))
        return bound * unit
    }
}
