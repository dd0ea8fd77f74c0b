internal import Media
internal import Model
internal import Planning

/// Opus of one stream. Packets overlap by 2.5 ms only, but each is coded by what it differs from those before, and comes
/// out of a filter of the pitch that both sides know: behind a join, decoders come to the same state within some
/// packets. An encoder that has heard the same for a while is near that state: joins measure -30 to -50 dB. Told to rely
/// on less (`packet_loss`), it leaves the filter out, and joins measure -10 dB.
struct OpusSoundCodec: SoundCopyCodec {
    let format: AudioFormat
    let grid: PacketGrid
    let settling: Int64
    let hasLooseFrames = false
    let retryDistance: Int64 = 16
    let warmUp: Int64
    let beginningWarmUp: Int64 = 0
    let encoderDelay: Int64
    let splice: AudioEncoderSettings
    private let source: CodecParameters
    private let configuration: OpusConfiguration

    /// What a decoder is given before it is listened to: 80 ms at 48 kHz. Source: RFC 7845 §4.6.
    private static let preRoll: Int64 = 3840
    /// In bits a second for each channel: nothing that is heard may be lost in coding for the second time.
    private static let bitRate = 160_000
    private static let sampleRate = 48_000

    init(_ source: CodecParameters, _ format: AudioFormat, _ sound: CopyableSound) throws {
        guard let configuration = OpusConfiguration(source.configuration) else {
            throw EngineError(.noDecoder, SoundCopyObstacle.unreadableConfiguration.reason)
        }
        (self.source, self.format, self.configuration) = (source, format, configuration)
        let samples = Int64(sound.frameSamples)
        func packets(_ count: Int64) -> Int64 { (count + samples - 1) / samples }
        grid = PacketGrid(
            sampleRate: Self.sampleRate, frameSamples: samples, runIn: packets(Self.preRoll),
            history: packets(2 * Self.preRoll))
        settling = packets(3 * 960)
        warmUp = packets(8 * 960)
        encoderDelay = packets(312)
        var settings = AudioEncoderSettings(
            encoder: "libopus", format: format, bitRate: Self.bitRate * format.layout.channels)
        settings.options = [
            "application": "audio", "frame_duration": "\(Double(samples) * 1000 / Double(Self.sampleRate))",
        ]
        splice = settings
    }

    /// No packet's sound is to be cut off.
    func decoderParameters() throws -> CodecParameters {
        let parameters = try source.copy()
        var plain = configuration
        plain.preSkip = 0
        try parameters.setConfiguration(plain.bytes)
        parameters.primingSamples = 0
        return parameters
    }

    func outputParameters() throws -> CodecParameters {
        let parameters = try CodecParameters(Encoder(audio: splice))
        let skipped = grid.runIn * grid.frameSamples
        let described = OpusConfiguration(
            channels: configuration.channels, preSkip: Int(skipped), inputRate: configuration.inputRate)
        try parameters.setConfiguration(described.bytes)
        parameters.primingSamples = Int(skipped)
        parameters.bitRate = source.bitRate
        return parameters
    }

    /// Source: RFC 9559 §5.1.4.1.25.
    func storesDelay(in container: OutputSettings.Container) -> Bool { container == .mkv || container == .webm }

    func checkEncoder() throws -> Bool {
        guard Encoder.exists(splice.encoder) else { return false }
        return try Encoder(audio: splice).samplesPerFrame == Int(grid.frameSamples)
    }

    func payload(of packet: [UInt8]) -> [UInt8]? {
        OpusPacketHead(packet)?.samples == Int(grid.frameSamples) ? packet : nil
    }

    /// Decoders that begin with it are off by -20 dB after 80 ms; those that begin with an encoder's first are not.
    func canBegin(with packet: SoundPacket) -> Bool { false }

    /// Packets of linear prediction (SILK, hybrid) have another state, and what is between the two is made up by decoders,
    /// each in its way. Source: RFC 6716 §4.5.
    func meets(_ before: SoundPacket, _ after: SoundPacket) -> Bool {
        [before, after].allSatisfy { OpusPacketHead($0.bytes)?.mode == .celt }
    }

    func exits(_ exit: SoundExit) -> [SoundExitAttempt] { [SoundExitAttempt()] }
}
