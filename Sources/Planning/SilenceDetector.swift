/// Finds pauses in a run of sound levels. Pure: levels in, ranges out.
///
/// The threshold follows the recording: it lies a fixed distance below the mean level, above the noise floor and below
/// the loud parts, so that a quiet speaker and a noisy room are both judged right.
package struct SilenceDetector: Sendable {
    /// How pacing maps to the shortest pause that is reported: 0 is patient, 100 is brisk.
    package static func minimumSilenceMilliseconds(pacing: Int) -> Int { 3000 - 27 * min(100, max(0, pacing)) }

    package static let windowMilliseconds = 10
    /// Kept around speech, so that no breath or consonant is cut.
    package static let paddingMilliseconds = 100
    /// A louder blip shorter than this is a click, not speech.
    private static let clickMilliseconds = 30
    private static let distanceBelowMean = 16.0
    private static let distanceAboveFloor = 6.0
    private static let distanceBelowPeaks = 12.0
    private static let thresholdBounds = -70.0 ... -20.0
    /// Digital silence has no level; this stands for it.
    package static let silentLevel = -120.0

    package struct Result: Sendable, Equatable {
        package var meanLevel: Double
        package var noiseFloor: Double
        package var threshold: Double
        /// Padded, in milliseconds; sorted.
        package var silence: [ClosedIntRange]
        /// Whether anything at all was above the threshold.
        package var hasSpeech: Bool
    }

    /// `[start, end)` in milliseconds.
    package struct ClosedIntRange: Sendable, Equatable {
        package var start: Int
        package var end: Int
    }

    /// - Parameter powers: mean squares of successive windows, full scale 1.
    package static func detect(powers: [Float], minimumSilenceMilliseconds: Int) -> Result {
        let levels = powers.map { level(Double($0)) }
        let mean = level(powers.isEmpty ? 0 : powers.reduce(0.0) { $0 + Double($1) } / Double(powers.count))
        let sorted = levels.sorted()
        let floor = sorted.isEmpty ? silentLevel : sorted[sorted.count / 10]
        let peaks = sorted.isEmpty ? silentLevel : sorted[sorted.count * 95 / 100]
        let wanted = min(max(mean - distanceBelowMean, floor + distanceAboveFloor), peaks - distanceBelowPeaks)
        let threshold = min(max(wanted, thresholdBounds.lowerBound), thresholdBounds.upperBound)

        let loud = withoutClicks(levels.map { $0 >= threshold })
        var silence: [ClosedIntRange] = []
        var start = 0
        for end in 0...loud.count where end == loud.count || loud[end] {
            appendPause(from: start, to: end, of: loud.count, minimumSilenceMilliseconds, to: &silence)
            start = end + 1
        }
        return Result(
            meanLevel: mean, noiseFloor: floor, threshold: threshold, silence: silence, hasSpeech: loud.contains(true))
    }

    private static func appendPause(
        from start: Int, to end: Int, of count: Int, _ minimum: Int, to silence: inout [ClosedIntRange]
    ) {
        guard (end - start) * windowMilliseconds >= minimum else { return }
        // No speech to protect at the recording's own ends.
        let from = start * windowMilliseconds + (start == 0 ? 0 : paddingMilliseconds)
        let to = end * windowMilliseconds - (end == count ? 0 : paddingMilliseconds)
        if from < to { silence.append(ClosedIntRange(start: from, end: to)) }
    }

    private static func withoutClicks(_ loud: [Bool]) -> [Bool] {
        var result = loud
        var position = 0
        while position < loud.count {
            guard loud[position] else {
                position += 1
                continue
            }
            let end = loud[position...].firstIndex(of: false) ?? loud.count
            if (end - position) * windowMilliseconds < clickMilliseconds {
                for index in position..<end { result[index] = false }
            }
            position = end
        }
        return result
    }

    private static func level(_ power: Double) -> Double {
        power > 1e-12 ? 10 * logarithm(power) : silentLevel
    }
}
