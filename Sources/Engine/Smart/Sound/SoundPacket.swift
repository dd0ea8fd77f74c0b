internal import Media
internal import Model
internal import Planning

/// One packet on its way to the output.
struct SoundPacket {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// A packet of a source as its session hands it over.
struct FedPacket {
    var bytes: [UInt8]
    /// In seconds from the container's start; negative in a codec's run-in.
    let time: Rational
    /// In seconds; `nil` when unknown.
    let duration: Rational?
    /// Needed for decoding, not played.
    let isDiscarded: Bool

    /// A week, in seconds.
    private static let longest = 604_800.0

    init(bytes: [UInt8], time: Rational, duration: Rational?, isDiscarded: Bool) {
        (self.bytes, self.time, self.duration, self.isDiscarded) = (bytes, time, duration, isDiscarded)
    }

    /// - Parameters:
    ///   - timeBase: of the packet's stream.
    ///   - offset: in its ticks, added to its times counts them from the container's start.
    /// - Returns: `nil` for a packet without a time that can be meant, or with nothing in it.
    init?(_ packet: borrowing Packet, timeBase: Rational, offset: Int64) {
        guard let time = packet.presentationTime ?? packet.decodeTime, packet.sizeBytes > 0 else { return nil }
        // Damaged files have times near the limits.
        let (sinceStart, overflow) = time.addingReportingOverflow(offset)
        guard !overflow, (-Self.longest..<Self.longest).contains(Double(sinceStart) * timeBase.seconds) else {
            return nil
        }
        self.init(
            bytes: packet.bytes.map(\.self), time: Rational(sinceStart) * timeBase,
            duration: packet.duration > 0 ? Rational(packet.duration) * timeBase : nil, isDiscarded: packet.isDiscarded)
    }
}

extension CopySource {
    /// - Parameters:
    ///   - index: of the stream that is to be heard; `nil` where there is none.
    ///   - firstPacket: of that stream.
    init(_ demuxer: borrowing Demuxer, stream index: Int?, firstPacket: [UInt8] = []) {
        guard let index, case .audio(let stream) = demuxer.describe(stream: index) else {
            self.init(stream: nil, configuration: [])
            return
        }
        self.init(
            stream: stream, configuration: demuxer.configuration(ofStream: index), firstPacket: firstPacket)
    }
}

/// What copying sound came to.
struct SoundCopyReport {
    var packetsCopied = 0
    var packetsEncoded = 0
    /// Places where copied and encoded packets overlap.
    var joins = 0
    /// Places that were tried and left, because the joined sound was not what it should be.
    var refusedJoins = 0
    /// Joins made where windows do not meet, for want of a better place.
    var hardJoins = 0
    /// The loudest error at a join against the sound as meant, in decibels of that sound.
    var worstJoinDecibels = -Double.infinity
    /// How far sound was moved to lie on the grid, in seconds, at most.
    var largestShift = Rational.zero
}
