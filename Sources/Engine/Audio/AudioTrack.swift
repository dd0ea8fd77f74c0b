internal import Media
internal import Model
internal import Planning

/// The output's sound: samples in, encoded packets out, timed by counting samples.
final class AudioTrack {
    private var encoder: Encoder
    private let format: AudioFormat
    private let frameSize: Int
    var queue: Samples
    private var position: Int64 = 0
    private let shift: Int64
    private var packet: Packet
    let stream: Int

    /// - Parameter storesDelay: the container counts the encoder's priming as a delay of its own and subtracts it from
    ///   every timestamp (Opus in Matroska, RFC 9559 §5.1.4.1.25), which libavformat leaves to its caller to add.
    init(_ encoder: consuming Encoder, format: AudioFormat, stream: Int, storesDelay: Bool = false) throws {
        shift = storesDelay ? Int64(encoder.primingSamples) : 0
        // Encoders that take any count get a convenient one.
        frameSize = encoder.samplesPerFrame > 0 ? encoder.samplesPerFrame : 1024
        self.encoder = encoder
        self.format = format
        self.stream = stream
        queue = Samples(channels: format.layout.channels)
        packet = try Packet()
    }

    /// Encodes whole frames out of what is queued.
    func drain(into muxer: inout Muxer) throws {
        while queue.count >= frameSize { try encode(frameSize, into: &muxer) }
    }

    func finish(into muxer: inout Muxer) throws {
        try drain(into: &muxer)
        if queue.count > 0 { try encode(queue.count, into: &muxer) }
        try encoder.finish()
        try writePackets(into: &muxer)
    }

    private func encode(_ count: Int, into muxer: inout Muxer) throws {
        let frame = try Frame.samples(count: count, rate: format.sampleRate, layout: format.layout)
        queue.move(count, into: frame)
        frame.time = position
        position += Int64(count)
        try encoder.send(frame)
        try writePackets(into: &muxer)
    }

    private func writePackets(into muxer: inout Muxer) throws {
        while case .produced = try encoder.receive(into: &packet) {
            packet.shift(by: shift)
            try muxer.write(&packet, stream: stream, timeBase: encoder.timeBase)
        }
    }
}

extension AudioTrack {
    /// Makes the track that a plan asks for, and the format of its samples.
    static func make(
        _ plan: AudioPlan, in container: OutputSettings.Container, muxer: inout Muxer
    ) throws -> (AudioTrack, AudioFormat) {
        let format = AudioFormat(sampleRate: plan.sampleRate, layout: try ChannelLayout(named: plan.layout))
        let encoder = try Encoder(
            audio: AudioEncoderSettings(
                encoder: try encoderName(plan.codec), format: format, bitRate: plan.bitRate))
        let stream = try muxer.addStream(encoder)
        if let language = plan.language { muxer.setLanguage(language, ofStream: stream) }
        let isMatroska = container == .mkv || container == .webm
        let track = try AudioTrack(
            encoder, format: format, stream: stream, storesDelay: isMatroska && plan.codec == .opus)
        return (track, format)
    }

    private static func encoderName(_ codec: AudioSettings.Codec) throws -> String {
        let name =
            switch codec {
            case .aac: "aac"
            case .opus: "libopus"
            case .mp3: "libmp3lame"
            }
        guard Encoder.exists(name) else { throw EngineError(.noEncoder, "this FFmpeg was built without \(name)") }
        return name
    }
}
