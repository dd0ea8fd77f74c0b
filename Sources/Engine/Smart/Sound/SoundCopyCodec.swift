internal import Media
internal import Model
internal import Planning

/// What copying sound takes of one codec. Everything else is the same for all.
protocol SoundCopyCodec {
    var format: AudioFormat { get }
    var grid: PacketGrid { get }
    /// Frames from a join on in which it may be heard.
    var settling: Int64 { get }
    /// Decoders make up noise, or coding takes so much away that frames are far from what was meant without any join: one
    /// is judged by the frames beside it, too.
    var hasLooseFrames: Bool { get }
    /// Frames encoded before the first packet that is kept, for the encoder to find its way.
    var warmUp: Int64 { get }
    /// Frames from one failed search for a join to the next.
    var retryDistance: Int64 { get }
    /// Frames encoded before the programme's first packet, which decoders begin with.
    var beginningWarmUp: Int64 { get }
    /// Frames that a packet of the encoder comes after its own.
    var encoderDelay: Int64 { get }
    /// Of the packets around seams.
    var splice: AudioEncoderSettings { get }

    /// For decoders of single packets.
    func decoderParameters() throws -> CodecParameters
    /// What the output's stream is made of.
    func outputParameters() throws -> CodecParameters
    /// Whether a container counts the run-in as a delay of its own and subtracts it from every timestamp, which
    /// libavformat leaves to its caller to add.
    func storesDelay(in container: OutputSettings.Container) -> Bool
    /// Whether this machine's encoder makes packets that decode as the source's do.
    func checkEncoder() throws -> Bool

    /// A packet of the source as the output has it: without the header that some containers leave on it. `nil` where it
    /// is not of the kind that the source's description promised; then none can be copied.
    func payload(of packet: [UInt8]) -> [UInt8]?
    /// Whether a stream can begin with a packet of a source.
    func canBegin(with packet: SoundPacket) -> Bool
    /// Whether a packet may follow one of another maker: nothing that is known before decoding speaks against it.
    func meets(_ before: SoundPacket, _ after: SoundPacket) -> Bool

    /// Ways to change the sound of the joint frame so that encoded packets follow on a copied one, best first; without
    /// any it is encoded as it is.
    ///
    /// - Parameter own: what the encoder made in the place of the copied one.
    func entryChanges(own: SoundPacket, copied: SoundPacket) -> [SoundChange]
    /// Ways to make the last encoded packet, best first. Without any, no copied one can follow it.
    func exits(_ exit: SoundExit) -> [SoundExitAttempt]
}

/// Sound of one frame multiplied, sample by sample, in all channels of full bandwidth.
struct SoundChange {
    let factors: [Float]

    /// The low-frequency channel's slope is the sine for every encoder. Source: ISO/IEC 14496-3 §4.5.2.2.
    func apply(to samples: inout SoundFrame) {
        for channel in samples.indices where samples.count < 6 || channel != 3 {
            for index in factors.indices { samples[channel][index] *= factors[index] }
        }
    }
}

/// A place where copied packets are to follow on encoded ones.
struct SoundExit {
    /// The last packet that the encoder made.
    let last: SoundPacket
    /// The first one copied.
    let first: SoundPacket
    /// The source's packets before it, the nearest one first, as far as they are there.
    let earlier: [SoundPacket]
}

/// A way to make the last encoded packet.
struct SoundExitAttempt {
    /// Another encoder's; `nil` takes it from the one that is there.
    var encoder: AudioEncoderSettings?
    /// Applied to the frame behind the packet's own.
    var change: SoundChange?
    /// What becomes of the packet; `nil` where it cannot be used.
    ///
    /// - Parameter before: the same encoder's packet before it.
    var finish: (_ last: SoundPacket, _ before: SoundPacket?) -> SoundPacket? = { last, _ in last }

    var needsEncoder: Bool { encoder != nil || change != nil }
}

extension SoundCopyCodec {
    /// A frame of silence.
    var silence: SoundFrame {
        SoundFrame(
            repeating: [Float](repeating: 0, count: Int(grid.frameSamples)), count: format.layout.channels)
    }

    /// Fewer packets in a row are not worth two joins, which cost as much to make.
    var leastCopied: Int64 { max(SoundCutter.leastCopied, settling + 3) }

    func entryChanges(own: SoundPacket, copied: SoundPacket) -> [SoundChange] { [] }
    func storesDelay(in container: OutputSettings.Container) -> Bool { false }
}

enum SoundCopyCodecs {
    /// - Parameters:
    ///   - sound: what all sources have in common.
    ///   - source: of one of them.
    static func make(_ sound: CopyableSound, _ source: CodecParameters) throws -> any SoundCopyCodec {
        guard let format = source.audioFormat else { throw EngineError(.noDecoder, "the stream is no sound") }
        return switch sound.codec {
        case .aac: try AACSoundCodec(source, format, sound)
        case .opus: try OpusSoundCodec(source, format, sound)
        case .mp3: MP3SoundCodec(source, format, sound)
        }
    }
}
