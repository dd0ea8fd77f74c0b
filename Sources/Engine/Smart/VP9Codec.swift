internal import Bitstream
internal import Media
internal import Model
internal import Planning

/// VP9: seams by libvpx, whose keyframes say of colours and sizes what the source's say.
final class VP9Codec: WholePacketCodec {
    private let video: VideoStream
    private let format: PixelFormat
    let configuration: [UInt8]
    /// Of the source's first keyframe; all others are to be the same.
    private var keyframe: VP9.FrameHeader.Keyframe?
    private var beginsSeam = false

    /// - Parameter video: the stream's description.
    init(_ demuxer: borrowing Demuxer, _ video: VideoStream) throws {
        guard let format = video.seamFormat else { throw SmartObstacle.bitstream(SpliceObstacle.chromaFormat.reason) }
        (self.video, self.format) = (video, format)
        configuration = demuxer.configuration(ofStream: video.index)
    }

    func isSame(as other: any PictureCodec) -> Bool {
        guard let other = other as? VP9Codec else { return false }
        return video.isCoded(as: other.video) && configuration == other.configuration
    }

    // MARK: Seams

    func seamEncoder(_ quality: SeamQuality, nominalFrameRate: Rational) throws -> SeamEncoder {
        guard Encoder.exists("libvpx-vp9") else { throw SmartObstacle.codec("VP9 without libvpx") }
        var settings = video.seamSettings("libvpx-vp9", format, rate: nominalFrameRate)
        settings.keyframeInterval = Self.never
        settings.options = [
            "deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0", "auto-alt-ref": "0", "b": "0",
            "crf": "\(quality.crf(usual: 12))",
        ]
        return try SeamEncoder(settings)
    }

    /// Keyframes come where they are asked for.
    static let never = 9999

    func beginSeam(before next: WindowPacket?) { beginsSeam = true }

    func seam(_ packet: borrowing Packet) throws -> Packet {
        let unit = try unit(packet)
        guard !beginsSeam || unit.keyframe == keyframe, Set(unit.sizes).isSubset(of: sizes) else {
            throw SmartObstacle.bitstream(SpliceObstacle.encoderFormat.reason)
        }
        beginsSeam = false
        return try packet.reference()
    }

    // MARK: Copies

    private func unit(_ packet: borrowing Packet) throws -> VP9.Packet {
        let bytes = packet.bytes
        return try PictureCodecs.translating { () throws(SpliceObstacle) in try VP9.Packet(bytes) }
    }

    private var sizes: Set<VP9.FrameHeader.Size> { Set([keyframe?.size].compactMap(\.self)) }

    func entry(_ packet: borrowing Packet) throws -> CodedPicture.Entry {
        guard let found = try unit(packet).keyframe else { return .none }
        if let keyframe {
            guard found == keyframe else { throw SmartObstacle.bitstream(SpliceObstacle.changingSets.reason) }
            return .closed
        }
        guard found.format.is420, found.format.bitDepth == video.bitDepth, found.size.width == video.codedWidth,
            found.size.height == video.codedHeight, found.renderSize == found.size
        else { throw SmartObstacle.changesPicture("how large it is shown") }
        keyframe = found
        return .closed
    }

    func check(_ packet: borrowing Packet) throws {
        guard Set(try unit(packet).sizes).isSubset(of: sizes) else {
            throw SmartObstacle.bitstream(SpliceObstacle.pictureSizes.reason)
        }
    }
}
