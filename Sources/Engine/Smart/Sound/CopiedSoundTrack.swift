internal import Media
internal import Model
internal import Planning

/// The output's sound made of its sources' AAC packets: they are copied as they are, and encoded anew only around
/// seams, mutes and bleeps.
///
/// For every segment in the programme's order: `begin`; `feed` with the source's packets, beginning `runIn` before the
/// segment; `advance` as far as it is known to last, so that what is certain can leave; `end` with its exact length,
/// when
/// `reaches` says that the packets suffice or the source has no more. Then `finish`. `drain` writes what is ready.
///
/// Each segment's sound is moved by at most half a packet (512 samples), to lie on the one grid of the output's
/// packets;
/// how far is decided by its exact place in the programme alone. Memory is bounded by the packets fed beyond what
/// `advance` was told.
final class CopiedSoundTrack {
    /// How long before a segment its source's packets are wanted: half a packet for the shift, and two to decode from.
    static func runIn(sampleRate: Int) -> Rational { Rational(3 * PacketGrid.frameSamples, Int64(sampleRate)) }

    private let programme: ProgrammeSound
    private let splicer: SoundSplicer
    private let grid: PacketGrid
    let stream: Int
    private var written: Int64 = -1

    /// - Parameters:
    ///   - source: of one source's sound; all are configured alike.
    ///   - stream: the output's, made of `outputParameters`.
    /// - Throws: `noEncoder` when what the encoder makes cannot be decoded as the source's packets are.
    init(_ source: CodecParameters, stream: Int, cancellation: Cancellation) throws {
        guard let format = source.audioFormat else { throw EngineError(.noDecoder, "the stream is no sound") }
        grid = PacketGrid(sampleRate: format.sampleRate)
        self.stream = stream
        let settings = SpliceEncoder.settings(format, sourceBitRate: source.bitRate)
        try Self.checkEncoder(settings, source)
        programme = ProgrammeSound(format: format, decoder: try PacketDecoder(source, format: format))
        let check = try JoinCheck(PacketDecoder(source, format: format))
        splicer = SoundSplicer(
            programme, joins: JoinMaker(programme, settings: settings, check: check), cancellation: cancellation)
    }

    private static func checkEncoder(_ settings: AudioEncoderSettings, _ source: CodecParameters) throws {
        let made = AACConfiguration(try CodecParameters(Encoder(audio: settings)).configuration)
        let wanted = AACConfiguration(source.configuration)
        guard let made, let wanted, made == wanted else {
            throw EngineError(.noEncoder, SoundCopyObstacle.noEncoder.reason)
        }
    }

    /// What the output's stream is to be made of.
    static func outputParameters(_ source: CodecParameters) throws -> CodecParameters {
        guard let format = source.audioFormat else { throw EngineError(.noDecoder, "the stream is no sound") }
        let encoder = try Encoder(audio: SpliceEncoder.settings(format, sourceBitRate: source.bitRate))
        let parameters = try CodecParameters(encoder)
        try parameters.setConfiguration(source.configuration)
        parameters.bitRate = source.bitRate
        return parameters
    }

    /// Of the output's packets.
    var timeBase: Rational { grid.sampleSeconds }

    func begin(_ segment: CopiedSegment) { programme.begin(segment) }

    func feed(_ packet: FedPacket) { programme.current?.feed(packet) }

    /// The segment lasts at least so many seconds.
    func advance(to length: Rational) throws {
        programme.current?.advance(to: length)
        try splicer.run()
    }

    /// Whether the packets fed are enough for a segment of so many seconds.
    func reaches(_ length: Rational) -> Bool { programme.current?.reaches(length) ?? true }

    /// - Parameter length: of the segment, in seconds.
    func end(length: Rational) throws {
        programme.current?.close(length: length)
        try splicer.run()
    }

    /// Makes the last packets. Nothing may follow.
    func finish() throws {
        programme.finish()
        try splicer.run()
    }

    /// Writes the packets that are ready.
    func drain(into muxer: inout Muxer) throws {
        for packet in splicer.ready {
            let samples = PacketGrid.samples(ofFrame: written)
            let end = min(samples.upperBound, programme.length ?? .max)
            var copy = try Packet(
                copying: packet.bytes, time: samples.lowerBound, duration: max(1, end - samples.lowerBound),
                isKey: true)
            try muxer.write(&copy, stream: stream, timeBase: timeBase)
            written += 1
        }
        splicer.ready.removeAll(keepingCapacity: true)
    }

    /// The programme's samples, once finished.
    var samples: Int64? { programme.length }

    var report: SoundCopyReport {
        var report = splicer.report
        report.largestShift = programme.largestShift
        return report
    }
}
