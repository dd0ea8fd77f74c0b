internal import Media
internal import Model

/// Lowest and highest sample over all channels, for runs of equal length.
struct WaveformPeaks {
    private let sampleRate: Int
    private let samplesPerPixel: Int
    private var data: [Int8] = []
    private var lowest: Float = 0
    private var highest: Float = 0
    private var inPixel = 0

    /// 50 pixels a second, fewer for long recordings, so that the file stays below 100,000 pixels.
    init(sampleRate: Int, expectedSeconds: Double) {
        self.sampleRate = sampleRate
        let pixelsPerSecond = min(50, max(1, 100_000 / max(1, expectedSeconds)))
        samplesPerPixel = max(1, Int(Double(sampleRate) / pixelsPerSecond))
    }

    mutating func add(_ samples: borrowing Samples) {
        var position = 0
        while position < samples.count {
            let run = min(samples.count - position, samplesPerPixel - inPixel)
            for channel in 0..<samples.channels {
                let lane = samples[channel: channel]
                for index in position..<position + run {
                    lowest = min(lowest, lane[index])
                    highest = max(highest, lane[index])
                }
            }
            position += run
            inPixel += run
            if inPixel == samplesPerPixel { endPixel() }
        }
    }

    mutating func finish() -> Waveform {
        if inPixel > 0 { endPixel() }
        return Waveform(sampleRate: sampleRate, samplesPerPixel: samplesPerPixel, data: data)
    }

    private mutating func endPixel() {
        data.append(Int8(clamping: Int((lowest * 128).rounded(.down))))
        data.append(Int8(clamping: Int((highest * 127).rounded(.up))))
        (lowest, highest, inPixel) = (0, 0, 0)
    }
}
