internal import Media
internal import Model
internal import Planning

/// Levels and loudness of a source's sound, window by window.
final class SoundAnalysis {
    private let format: AudioFormat
    private let windowSamples: Int
    private let sound: SegmentSound
    private var waiting: Samples
    private var graph: FilterGraph
    private var measured: Frame
    private var position: Int64 = 0
    /// Mean square over all channels, a window each.
    private(set) var powers: [Float] = []
    private(set) var loudness = AnalysisReport.Loudness(integratedLufs: nil, rangeLu: nil, truePeakDbtp: nil)

    init(stream: AudioStream) throws {
        format = AudioFormat(
            sampleRate: stream.sampleRate, layout: ChannelLayout.usual(channels: min(8, max(1, stream.channels))))
        windowSamples = max(1, format.sampleRate * SilenceDetector.windowMilliseconds / 1000)
        sound = SegmentSound(format: format, timeBase: stream.timeBase, origin: .zero)
        waiting = Samples(channels: format.layout.channels)
        graph = try FilterGraph(
            "ebur128=metadata=1:peak=true", audio: format,
            timeBase: Rational(1, Int64(format.sampleRate)), threads: 1)
        measured = try Frame()
    }

    var endSeconds: Double { Double(position + Int64(waiting.count)) / Double(format.sampleRate) }

    func add(_ frame: AudioFrame) throws {
        try sound.feed(frame)
        sound.take(upTo: sound.endPosition, length: nil, into: &waiting)
        // A tenth of a second at a time, the step that loudness is measured in.
        while waiting.count >= windowSamples * 10 { try measure(windowSamples * 10) }
    }

    func finish() throws {
        try sound.flush()
        sound.take(upTo: sound.endPosition, length: nil, into: &waiting)
        if waiting.count > 0 { try measure(waiting.count) }
        try graph.finish()
        try readLoudness()
    }

    private func measure(_ count: Int) throws {
        addPowers(count)
        var frame = try Frame.samples(count: count, rate: format.sampleRate, layout: format.layout)
        waiting.move(count, into: frame)
        frame.time = position
        position += Int64(count)
        try graph.push(&frame)
        try readLoudness()
    }

    private func addPowers(_ count: Int) {
        let channels = format.layout.channels
        for start in stride(from: 0, to: count, by: windowSamples) {
            let end = min(count, start + windowSamples)
            var sum: Float = 0
            for channel in 0..<channels {
                let lane = waiting[channel: channel]
                for index in start..<end { sum += lane[index] * lane[index] }
            }
            powers.append(sum / Float((end - start) * channels))
        }
    }

    /// The filter notes its measures on every frame; the last one's cover everything.
    private func readLoudness() throws {
        while case .produced = try graph.pull(into: &measured) {
            if let value = measured.metadata("lavfi.r128.I").flatMap(Double.init) {
                // The meter's gate leaves -70 where nothing was above it.
                loudness.integratedLufs = value > -70 ? value : nil
            }
            loudness.rangeLu = measured.metadata("lavfi.r128.LRA").flatMap(Double.init) ?? loudness.rangeLu
            let peaks = (0..<format.layout.channels).compactMap {
                measured.metadata("lavfi.r128.true_peaks_ch\($0)").flatMap(Double.init)
            }
            if let highest = peaks.max(), highest > 0 { loudness.truePeakDbtp = decibels(ofAmplitude: highest) }
        }
    }
}
