internal import Bitstream
internal import Media
internal import Model
internal import Planning

/// AV1: seams by the encoder that can be brought to write the source's sequence header.
///
/// One sequence header for all, bit by bit: a stream with others begins anew, and its container says so elsewhere.
/// Source: AV1 Codec ISO Media File Format Binding §2.4.
final class AV1Codec: WholePacketCodec {
    private let video: VideoStream
    private let format: PixelFormat
    private let told: [UInt8]
    /// The one in the packets, which containers' records are not always true to.
    private var sequence: AV1.SequenceHeader?
    private var beginsSeam = false

    /// - Parameter video: the stream's description.
    init(_ demuxer: borrowing Demuxer, _ video: VideoStream) throws {
        guard let format = video.seamFormat else { throw SmartObstacle.bitstream(SpliceObstacle.chromaFormat.reason) }
        (self.video, self.format) = (video, format)
        told = demuxer.configuration(ofStream: video.index)
    }

    var configuration: [UInt8] { sequence?.record(like: told) ?? told }

    func isSame(as other: any PictureCodec) -> Bool {
        guard let other = other as? AV1Codec else { return false }
        return video.isCoded(as: other.video) && told == other.told
    }

    // MARK: Seams

    func seamEncoder(_ quality: SeamQuality, nominalFrameRate: Rational) throws -> SeamEncoder {
        guard let sequence else { throw SmartObstacle.noEntry }
        let base = video.seamSettings("", format, rate: nominalFrameRate)
        let sample = try Frame.black(
            width: video.codedWidth, height: video.codedHeight, format: format, fullRange: video.color.isFullRange)
        for candidate in AV1SeamCandidate.all where Encoder.exists(candidate.encoder) {
            do {
                let encoder = try candidate.make(base, sequence.tools, quality)
                // The first packet has what the encoder has settled on.
                beginsSeam = true
                let check = { [self] (packet: borrowing Packet) throws in _ = try seam(packet) }
                try encoder.encode(sample, isFirst: true, check)
                try encoder.endSeam(check)
                return encoder
            } catch {
                continue
            }
        }
        throw SmartObstacle.bitstream("no encoder writes the stream's AV1 sequence header")
    }

    func beginSeam(before next: WindowPacket?) { beginsSeam = true }

    func seam(_ packet: borrowing Packet) throws -> Packet {
        let unit = try unit(packet)
        guard !beginsSeam || unit.isEntry && unit.hasSequenceHeader else {
            throw SmartObstacle.bitstream(SpliceObstacle.encoderFormat.reason)
        }
        beginsSeam = false
        return try packet.reference()
    }

    // MARK: Copies

    private func unit(_ packet: borrowing Packet) throws -> AV1.TemporalUnit {
        guard let sequence else { throw SmartObstacle.noEntry }
        let bytes = packet.bytes
        return try PictureCodecs.translating { () throws(SpliceObstacle) in
            try AV1.TemporalUnit(bytes, sequence)
        }
    }

    func entry(_ packet: borrowing Packet) throws -> CodedPicture.Entry {
        if sequence == nil { try readSequence(packet) }
        let unit = try unit(packet)
        return unit.isEntry && unit.hasSequenceHeader ? .closed : .none
    }

    private func readSequence(_ packet: borrowing Packet) throws {
        let (bytes, told) = (packet.bytes, told)
        let found = try PictureCodecs.translating { () throws(SpliceObstacle) in
            let found = try AV1.sequenceHeader(of: bytes)
            let sequence = if let found { found } else { try AV1.sequenceHeader(in: told) }
            if let obstacle = sequence.obstacle { throw obstacle }
            return sequence
        }
        guard found.width == video.codedWidth, found.height == video.codedHeight else {
            throw SmartObstacle.changesPicture("how large it is shown")
        }
        sequence = found
    }

    func check(_ packet: borrowing Packet) throws { _ = try unit(packet) }
}
