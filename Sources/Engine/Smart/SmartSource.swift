internal import Media
internal import Model
internal import Planning

/// One source of a smart render: its packets, and decoders for what lies at seams.
final class SmartSource {
    var window: PacketWindow
    let seams: SeamDecoder
    let sound: PacketSound?

    init(_ window: PacketWindow, options: RenderOptions, cancellation: Cancellation) throws {
        self.window = window
        seams = try SeamDecoder(
            window, threads: options.threads, limits: options.limits, cancellation: cancellation)
        sound = try PacketSound(window, limits: options.limits)
    }

    /// What its container tells, for a prediction.
    func survey(_ stream: VideoStream, container: ProbeReport.Container, duration: Double) -> SourceSurvey {
        let base = window.timeBase
        let rate = max(1, stream.nominalFrameRate.seconds)
        // The index has decode times; reordering puts presentation as many pictures later.
        let delay = container.format.hasPrefix("mov") ? Double(window.codec.depth.pictures) / rate : 0
        let keyframes = window.demuxer.keyframeTimes(ofStream: window.stream).map {
            Double(window.sinceStart($0)) * base.seconds + delay
        }
        // Matroska's index may leave keyframes out, and transport streams have none.
        let isWhole = container.format.hasPrefix("mov") && !keyframes.isEmpty
        return SourceSurvey(
            keyframes: isWhole ? keyframes : nil,
            keyframeInterval: isWhole
                ? duration / Double(keyframes.count) : stream.keyframeIntervalSeconds ?? 250 / rate,
            framesPerSecond: rate,
            bytesPerSecond: Double(container.sizeBytes) / max(0.1, duration),
            megapixels: Double(stream.codedWidth * stream.codedHeight) / 1e6, depth: window.codec.depth,
            duration: duration)
    }

    /// Decodes pictures that were copied; throws where they are damaged.
    ///
    /// - Parameter range: packets that are at hand, in decode order, from one that decoding can begin with on.
    func checkDecoding(_ range: Range<Int>) throws {
        guard let entry = try window.packet(at: range.lowerBound)?.picture.time else { return }
        let times = try range.compactMap { try window.packet(at: $0)?.picture.time }
        // Its leading pictures may refer to what is not there.
        try seams.decode(SegmentCutter.Seam(times: times.filter { $0 >= entry }.sorted(), decoded: range)) { _, _ in }
    }

    /// What tells whether its sound can be copied.
    func copiedSound(_ probe: ProbeReport, as codec: AudioSettings.Codec) throws -> CopySource {
        let configuration = window.soundStream.map { window.demuxer.configuration(ofStream: $0) } ?? []
        // AAC's configuration tells everything.
        let first = codec == .aac && !configuration.isEmpty ? nil : try window.sound(at: window.earliestSound)
        return CopySource(
            stream: probe.audio.first { $0.index == window.soundStream }, configuration: configuration,
            firstPacket: first?.packet.bytes.map(\.self) ?? [])
    }
}
