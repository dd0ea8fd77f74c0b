internal import Media
internal import Model
internal import Planning

/// MPEG audio, Layer III. As in AAC, packets overlap, and their slopes must meet; there is one shape of each.
///
/// A packet's sound may begin in packets before it (the bit reservoir). Where copied packets follow on encoded ones, the
/// last encoded one carries at its end what the source had there.
struct MP3SoundCodec: SoundCopyCodec {
    let format: AudioFormat
    let grid: PacketGrid
    let settling: Int64 = 1
    let hasLooseFrames = true
    let retryDistance: Int64 = 64
    let warmUp: Int64 = 6
    var beginningWarmUp: Int64 { warmUp }
    let encoderDelay: Int64 = 3
    let splice: AudioEncoderSettings
    private let source: CodecParameters
    private let isLowRate: Bool

    /// The packets that 511 bytes lie in: of 64 kb/s or more, fewer yet.
    private static let history: Int64 = 8
    /// In bits a second for each channel.
    private static let leastBitRate = 128_000

    init(_ source: CodecParameters, _ format: AudioFormat, _ sound: CopyableSound) {
        (self.source, self.format) = (source, format)
        isLowRate = sound.frameSamples == 576
        grid = PacketGrid(
            sampleRate: format.sampleRate, frameSamples: Int64(sound.frameSamples), runIn: 1, history: Self.history)
        let wanted = max((source.bitRate ?? 0) * 5 / 4, Self.leastBitRate * format.layout.channels)
        splice = Self.settings(format, bitRate: Self.rate(atLeast: wanted, isLowRate))
    }

    private static func rate(atLeast wanted: Int, _ isLowRate: Bool) -> Int {
        let rates = MP3FrameHead.bitRates(isLowRate)
        return rates.first { $0 >= wanted } ?? rates[rates.count - 1]
    }

    private static func settings(_ format: AudioFormat, bitRate: Int) -> AudioEncoderSettings {
        var settings = AudioEncoderSettings(encoder: "libmp3lame", format: format, bitRate: bitRate)
        // All that is there: the source's own encoder has decided on that.
        settings.options = ["reservoir": "0", "cutoff": "\(format.sampleRate * 9 / 20)"]
        return settings
    }

    func decoderParameters() -> CodecParameters { source }

    func outputParameters() throws -> CodecParameters {
        let parameters = try CodecParameters(Encoder(audio: splice))
        parameters.primingSamples = Int(grid.runIn * grid.frameSamples)
        parameters.bitRate = source.bitRate
        return parameters
    }

    func checkEncoder() throws -> Bool {
        guard Encoder.exists(splice.encoder) else { return false }
        return try Encoder(audio: splice).samplesPerFrame == Int(grid.frameSamples)
    }

    func payload(of packet: [UInt8]) -> [UInt8]? {
        guard let head = MP3FrameHead(packet), head.sampleRate == format.sampleRate,
            head.channels == format.layout.channels, head.isLowRate == isLowRate
        else { return nil }
        return packet
    }

    func canBegin(with packet: SoundPacket) -> Bool { MP3FrameHead(packet.bytes)?.mainDataBegin == 0 }

    func meets(_ before: SoundPacket, _ after: SoundPacket) -> Bool {
        guard let before = MP3FrameHead(before.bytes)?.last, let after = MP3FrameHead(after.bytes)?.first,
            before.count == after.count
        else { return false }
        return zip(before, after).allSatisfy { $0.endsLong == $1.beginsLong && !$0.isMixed && !$1.isMixed }
    }

    func exits(_ exit: SoundExit) -> [SoundExitAttempt] {
        guard let begin = MP3FrameHead(exit.first.bytes)?.mainDataBegin,
            let tail = Self.mainData(before: exit, begin), meets(exit.last, exit.first)
        else { return [] }
        func carry(_ last: SoundPacket, _: SoundPacket?) -> SoundPacket? {
            MP3FrameHead(last.bytes)?.carrying(tail[...], behind: last.bytes).map(SoundPacket.init)
        }
        // Where it is too much for one packet, there must be less of its own.
        let own = splice.bitRate ?? 0
        let poorer = [own * 3 / 4, own / 2].map { wanted in
            SoundExitAttempt(
                encoder: Self.settings(format, bitRate: Self.rate(atLeast: wanted, isLowRate)), finish: carry)
        }
        return [SoundExitAttempt(finish: carry)] + (begin == 0 ? [] : poorer)
    }

    /// The last bytes of main data before the first copied packet; `nil` where so much is not known.
    private static func mainData(before exit: SoundExit, _ count: Int) -> [UInt8]? {
        var found: [UInt8] = []
        for packet in exit.earlier where found.count < count {
            guard let head = MP3FrameHead(packet.bytes) else { return nil }
            found = head.mainData(packet.bytes) + found
        }
        return found.count < count ? nil : Array(found.suffix(count))
    }
}
