internal import Media
internal import Model
internal import Planning

/// The output's sound made of its sources' packets: they are copied as they are, and encoded anew only around seams,
/// mutes and bleeps.
///
/// For every segment in the programme's order: `begin`; `feed` with the source's packets, beginning the grid's
/// `leadSeconds` before the segment; `advance` as far as it is known to last, so that what is certain can leave; `end`
/// with its exact length, when `reaches` says that the packets suffice or the source has no more. Then `finish`. `drain`
/// writes what is ready.
///
/// Each segment's sound is moved by at most half a packet, to lie on the one grid of the output's packets; how far is
/// decided by its exact place in the programme alone. Memory is bounded by the packets fed beyond what `advance` was
/// told.
final class CopiedSoundTrack {
    private let codec: any SoundCopyCodec
    private let programme: ProgrammeSound
    private let splicer: SoundSplicer
    let grid: PacketGrid
    let stream: Int
    private var written: Int64
    /// Added to every timestamp.
    private let storedDelay: Int64

    /// - Parameters:
    ///   - codec: of the sources' sound; all are configured alike.
    ///   - stream: the output's, made of its `outputParameters`.
    /// - Throws: `noEncoder` when what the encoder makes cannot be decoded as the source's packets are.
    init(
        _ codec: any SoundCopyCodec, stream: Int, in container: OutputSettings.Container, cancellation: Cancellation
    ) throws {
        self.codec = codec
        grid = codec.grid
        self.stream = stream
        written = -grid.runIn
        storedDelay = codec.storesDelay(in: container) ? grid.runIn * grid.frameSamples : 0
        guard try codec.checkEncoder() else { throw EngineError(.noEncoder, SoundCopyObstacle.noEncoder.reason) }
        programme = try ProgrammeSound(codec)
        let check = try JoinCheck(codec)
        splicer = SoundSplicer(
            programme, codec: codec, joins: JoinMaker(programme, codec: codec, check: check),
            cancellation: cancellation)
    }

    /// Of the output's packets.
    var timeBase: Rational { grid.sampleSeconds }

    func begin(_ segment: CopiedSegment) { programme.begin(segment) }

    /// - Throws: `SmartObstacle` when a packet is not of the kind that the source's description promised.
    func feed(_ packet: FedPacket) throws {
        guard let payload = codec.payload(of: packet.bytes) else {
            throw SmartObstacle.bitstream("the sound's packets are not all of one kind, or not whole")
        }
        var packet = packet
        packet.bytes = payload
        programme.current?.feed(packet)
    }

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
            let samples = grid.samples(ofFrame: written)
            let end = min(samples.upperBound, programme.length ?? .max)
            var copy = try Packet(
                copying: packet.bytes, time: samples.lowerBound + storedDelay,
                duration: max(1, end - samples.lowerBound), isKey: true)
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
