internal import Bitstream
internal import Media
internal import Model
internal import Planning

/// A codec whose packets are copied as they are, because nothing in a group of pictures depends on what is around it, and
/// whose packets are in the order they are shown (VP9, AV1: pictures for later use are hidden in packets of others).
protocol WholePacketCodec: PictureCodec {
    /// What decoders of the source are set up with, and those of the output.
    var configuration: [UInt8] { get }
    /// Throws where the packet shows something that the output would not.
    func check(_ packet: borrowing Packet) throws
}

extension WholePacketCodec {
    var depth: ReorderDepth { ReorderDepth(0) }

    func join(_ encoder: [UInt8]) -> [UInt8] { configuration }

    func isDisposable(_ packet: borrowing Packet) -> Bool { false }

    func beginCopy() {}

    func copy(_ packet: borrowing Packet) throws -> Packet {
        try check(packet)
        return try packet.reference()
    }

    func skip(_ packet: borrowing Packet) throws { throw SmartObstacle.unusualOrder }

    func addPayload(of packet: borrowing Packet, isWritten: Bool, to hash: inout PayloadHash) {
        hash.add(packet.bytes)
    }
}

extension VideoStream {
    /// Whether another's pictures are described in the same words.
    func isCoded(as other: VideoStream) -> Bool {
        codec == other.codec && pixelFormat == other.pixelFormat && codedWidth == other.codedWidth
            && codedHeight == other.codedHeight && color == other.color
    }

    /// What an encoder of its seams is told, but for the codec.
    func seamSettings(_ encoder: String, _ format: PixelFormat, rate: Rational) -> VideoEncoderSettings {
        var settings = VideoEncoderSettings(
            encoder: encoder, width: codedWidth, height: codedHeight, pixelFormat: format, timeBase: rate.inverse)
        settings.nominalFrameRate = rate
        settings.color = color
        return settings
    }

    /// Planar 4:2:0 of eight or ten bits, which is what seams are made of.
    var seamFormat: PixelFormat? {
        [PixelFormat.yuv420p, .yuv420p10].first { $0.description == pixelFormat }
    }
}
