internal import Media
internal import Model
internal import Planning

/// Sound being encoded: samples in, packets out, timed by counting samples.
final class SoundEncoder {
    private var encoder: Encoder
    let format: AudioFormat
    private let frameSize: Int
    var queue: Samples
    private var position: Int64 = 0
    private var packet: Packet

    init(_ encoder: consuming Encoder, format: AudioFormat) throws {
        // Encoders that take any count get a convenient one.
        frameSize = encoder.samplesPerFrame > 0 ? encoder.samplesPerFrame : 1024
        self.encoder = encoder
        self.format = format
        queue = Samples(channels: format.layout.channels)
        packet = try Packet()
    }

    convenience init(_ plan: AudioPlan) throws {
        let format = AudioFormat(sampleRate: plan.sampleRate, layout: try ChannelLayout(named: plan.layout))
        let settings = AudioEncoderSettings(
            encoder: try plan.encoderName, format: format, bitRate: plan.bitRate)
        try self.init(try Encoder(audio: settings), format: format)
    }

    /// What decoders of its packets are set up with.
    var configuration: [UInt8] { encoder.configuration }

    /// Makes the stream of a file that its packets go to.
    func addStream(to muxer: inout Muxer, storesDelay: Bool) throws -> SoundStream {
        SoundStream(
            index: try muxer.addStream(encoder), timeBase: encoder.timeBase,
            shift: storesDelay ? Int64(encoder.primingSamples) : 0)
    }

    /// Encodes whole frames out of what is queued.
    ///
    /// - Parameter write: takes each packet, which is used again.
    func drain(_ write: (inout Packet) throws -> Void) throws {
        while queue.count >= frameSize { try encode(frameSize, write) }
    }

    func finish(_ write: (inout Packet) throws -> Void) throws {
        try drain(write)
        if queue.count > 0 { try encode(queue.count, write) }
        try encoder.finish()
        try writePackets(write)
    }

    private func encode(_ count: Int, _ write: (inout Packet) throws -> Void) throws {
        let frame = try Frame.samples(count: count, rate: format.sampleRate, layout: format.layout)
        queue.move(count, into: frame)
        frame.time = position
        position += Int64(count)
        try encoder.send(frame)
        try writePackets(write)
    }

    private func writePackets(_ write: (inout Packet) throws -> Void) throws {
        while case .produced = try encoder.receive(into: &packet) { try write(&packet) }
    }
}

/// Where encoded sound goes in a file.
struct SoundStream {
    let index: Int
    /// Of the packets, as their encoder has it.
    let timeBase: Rational
    /// What a container that counts the encoder's priming as a delay of its own will subtract from every timestamp (Opus
    /// in Matroska, RFC 9559 §5.1.4.1.25), which libavformat leaves to its caller to add.
    let shift: Int64

    func write(_ packet: inout Packet, into muxer: inout Muxer) throws {
        packet.shift(by: shift)
        try muxer.write(&packet, stream: index, timeBase: timeBase)
    }
}

extension AudioPlan {
    var encoderName: String {
        get throws {
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

    /// Makes the stream of a file that has this sound.
    func addStream(
        of sound: SoundEncoder, in container: OutputSettings.Container, muxer: inout Muxer
    ) throws -> SoundStream {
        let isMatroska = container == .mkv || container == .webm
        let stream = try sound.addStream(to: &muxer, storesDelay: isMatroska && codec == .opus)
        if let language { muxer.setLanguage(language, ofStream: stream.index) }
        return stream
    }
}
