internal import Media
internal import Model
internal import Planning

/// AAC-LC. A packet's transform is windowed by a slope over each of its two frames; in the frame where two packets
/// overlap, both must have been windowed by the same slope, long or short, of one shape.
///
/// FFmpeg's encoder knows one shape, but the shape is a bit in the packet, and sound that was changed by what two shapes
/// differ comes out of either as it should.
struct AACSoundCodec: SoundCopyCodec {
    let format: AudioFormat
    let grid: PacketGrid
    let settling: Int64 = 1
    let hasLooseFrames = true
    let retryDistance: Int64 = 64
    let warmUp: Int64 = 4
    var beginningWarmUp: Int64 { warmUp }
    let encoderDelay: Int64 = 2
    let splice: AudioEncoderSettings
    private let source: CodecParameters
    private let headers: [UInt8]?

    /// The most that sound is changed by where slopes differ, in the order tried.
    private static let corrections = [4.0, 2.0]
    /// Below this, in bits a second for each channel, a few packets would sound poorer than those around them: they are
    /// coded for the second time.
    private static let leastBitRate = 96_000

    init(_ source: CodecParameters, _ format: AudioFormat, _ sound: CopyableSound) throws {
        var source = source
        if let headers = sound.headers {
            source = try source.copy()
            try source.setConfiguration(headers)
        }
        (self.source, self.format, headers) = (source, format, sound.headers)
        grid = PacketGrid(sampleRate: format.sampleRate)
        let channels = format.layout.channels
        let wanted = max((source.bitRate ?? 0) * 3 / 2, Self.leastBitRate * channels)
        // Source: ISO/IEC 14496-3 §4.5.3.1: 6144 bits a packet and channel; some way below, for the rate control.
        let limit = 5 * format.sampleRate * channels
        var settings = AudioEncoderSettings(encoder: "aac", format: format, bitRate: min(wanted, limit))
        // Noise in place of sound, and one channel's sound in place of two, would not meet what was copied.
        settings.options = ["aac_pns": "0", "aac_is": "0"]
        splice = settings
    }

    func decoderParameters() -> CodecParameters { source }

    func outputParameters() throws -> CodecParameters {
        let parameters = try CodecParameters(Encoder(audio: splice))
        try parameters.setConfiguration(source.configuration)
        parameters.bitRate = source.bitRate
        return parameters
    }

    func checkEncoder() throws -> Bool {
        let made = AACConfiguration(try CodecParameters(Encoder(audio: splice)).configuration)
        let wanted = AACConfiguration(source.configuration)
        return made != nil && made == wanted
    }

    func payload(of packet: [UInt8]) -> [UInt8]? {
        headers.map { ADTSHead.payload(of: packet, describedBy: $0) } ?? packet
    }

    func canBegin(with packet: SoundPacket) -> Bool { true }

    func meets(_ before: SoundPacket, _ after: SoundPacket) -> Bool {
        guard let before = AACBlockHead(before.bytes), let after = AACBlockHead(after.bytes) else { return false }
        return before.endsLong == after.beginsLong
    }

    func entryChanges(own: SoundPacket, copied: SoundPacket) -> [SoundChange] {
        // The decoder takes the slope over the frame from the packet before; the encoder took its own.
        guard let own = AACBlockHead(own.bytes), let head = AACBlockHead(copied.bytes), own.endsLong, head.endsLong,
            own.shape != head.shape
        else { return [] }
        return Self.corrections.map {
            SoundChange(
                factors: WindowSlopes.correction(from: own.shape, to: head.shape, rising: true, limit: $0))
        }
    }

    func exits(_ exit: SoundExit) -> [SoundExitAttempt] {
        guard let own = AACBlockHead(exit.last.bytes), let first = AACBlockHead(exit.first.bytes),
            let shape = exit.earlier.first.flatMap({ AACBlockHead($0.bytes) })?.shape, own.endsLong == first.beginsLong
        else { return [] }
        // A single element's bit is all there is.
        guard own.endsLong, own.shape != shape, format.layout.channels <= 2 else { return [SoundExitAttempt()] }
        let reshaped = Self.corrections.map { limit in
            let factors = WindowSlopes.correction(from: own.shape, to: shape, rising: false, limit: limit)
            return SoundExitAttempt(change: SoundChange(factors: factors)) { last, before in
                guard let head = AACBlockHead(last.bytes), head.speaksForElement, head.beginsLong, head.endsLong,
                    head.shape == own.shape, before.flatMap({ AACBlockHead($0.bytes) })?.shape == own.shape
                else { return nil }
                return SoundPacket(head.reshaped(last.bytes, to: shape))
            }
        }
        return reshaped + [SoundExitAttempt()]
    }
}
