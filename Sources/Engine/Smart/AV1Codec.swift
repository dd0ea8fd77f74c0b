internal import Bitstream
internal import Media
internal import Model
internal import Planning

/// AV1: seams by libaom, told to use what the source's sequence header allows, so that it writes the same one.
///
/// One sequence header for all, bit by bit: a stream with others begins anew, and its container says so elsewhere.
/// Source: AV1 Codec ISO Media File Format Binding §2.4.
final class AV1Codec: WholePacketCodec {
    private let video: VideoStream
    private let format: PixelFormat
    let configuration: [UInt8]
    private let sequence: AV1.SequenceHeader
    private var beginsSeam = false

    /// - Parameter video: the stream's description.
    init(_ demuxer: borrowing Demuxer, _ video: VideoStream) throws {
        guard let format = video.seamFormat else { throw SmartObstacle.bitstream(SpliceObstacle.chromaFormat.reason) }
        let configuration = demuxer.configuration(ofStream: video.index)
        sequence = try PictureCodecs.translating { () throws(SpliceObstacle) in
            let sequence = try AV1.sequenceHeader(in: configuration)
            if let obstacle = sequence.obstacle { throw obstacle }
            return sequence
        }
        guard sequence.width == video.codedWidth, sequence.height == video.codedHeight else {
            throw SmartObstacle.changesPicture("how large it is shown")
        }
        (self.video, self.format, self.configuration) = (video, format, configuration)
    }

    func isSame(as other: any PictureCodec) -> Bool {
        guard let other = other as? AV1Codec else { return false }
        return video.isCoded(as: other.video) && sequence == other.sequence
    }

    // MARK: Seams

    /// Which tools a sequence header names follows from the speed as well. The fastest that suits is taken; slower ones
    /// would take longer than to encode everything.
    private static let speeds = [("realtime", 8), ("good", 4)]

    func seamEncoder(_ quality: SeamQuality, nominalFrameRate: Rational) throws -> SeamEncoder {
        guard Encoder.exists("libaom-av1") else { throw SmartObstacle.codec("AV1 without libaom") }
        var settings = video.seamSettings("libaom-av1", format, rate: nominalFrameRate)
        settings.keyframeInterval = VP9Codec.never
        let sample = try Frame.black(
            width: video.codedWidth, height: video.codedHeight, format: format, fullRange: video.color.isFullRange)
        for (usage, speed) in Self.speeds {
            settings.options = options(usage: usage, speed: speed, crf: quality.crf(usual: 14))
            let encoder = try SeamEncoder(settings)
            // The first packet has what the encoder has settled on.
            beginsSeam = true
            do {
                _ = try seam(encoder.encode(sample, isFirst: true))
                return encoder
            } catch {
                continue
            }
        }
        throw SmartObstacle.bitstream("the encoder cannot write the stream's AV1 sequence header")
    }

    private func options(usage: String, speed: Int, crf: Int) -> [String: String] {
        let tools = sequence.tools
        func text(_ isOn: Bool) -> String { isOn ? "1" : "0" }
        return [
            "usage": usage, "cpu-used": "\(speed)", "lag-in-frames": "0", "b": "0", "crf": "\(crf)",
            "enable-filter-intra": text(tools.filterIntra), "enable-intra-edge-filter": text(tools.intraEdgeFilter),
            "enable-interintra-comp": text(tools.interIntraCompound),
            "enable-masked-comp": text(tools.maskedCompound), "enable-dual-filter": text(tools.dualFilter),
            "enable-dist-wtd-comp": text(tools.distanceWeights),
            "enable-ref-frame-mvs": text(tools.referenceVectors), "enable-cdef": text(tools.cdef),
            "enable-restoration": text(tools.restoration),
            "aom-params": [
                "enable-warped-motion=\(text(tools.warpedMotion))", "sb-size=\(tools.has128Superblocks ? 128 : 64)",
                "enable-order-hint=\(text(sequence.orderHintBits > 0))",
            ].joined(separator: ":"),
        ]
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
        let (bytes, sequence) = (packet.bytes, sequence)
        return try PictureCodecs.translating { () throws(SpliceObstacle) in
            try AV1.TemporalUnit(bytes, sequence)
        }
    }

    func entry(_ packet: borrowing Packet) throws -> CodedPicture.Entry {
        let unit = try unit(packet)
        return unit.isEntry && unit.hasSequenceHeader ? .closed : .none
    }

    func check(_ packet: borrowing Packet) throws { _ = try unit(packet) }
}
