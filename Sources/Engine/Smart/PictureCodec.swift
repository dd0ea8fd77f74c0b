internal import Bitstream
internal import Media
internal import Model
internal import Planning

/// What copying and seaming pictures takes to know of their codec.
///
/// `begin` to `skip` are called in the output's decode order. `SmartObstacle`s say that a stream cannot be copied after
/// all.
protocol PictureCodec: AnyObject {
    var depth: ReorderDepth { get }
    /// Whether packets of both can stand in one stream.
    func isSame(as other: any PictureCodec) -> Bool
    /// Encodes a seam's pictures, each at once, so that they decode under the source's configuration.
    func seamEncoder(_ quality: SeamQuality, nominalFrameRate: Rational) throws -> SeamEncoder
    /// Makes the output's configuration of the source's and of what the seams' encoder wrote.
    func join(_ encoder: [UInt8]) throws -> [UInt8]

    /// - Parameter packet: one the container calls a keyframe.
    func entry(_ packet: borrowing Packet) throws -> CodedPicture.Entry
    /// Whether no other picture refers to it.
    func isDisposable(_ packet: borrowing Packet) -> Bool

    /// Begins a run of copied packets.
    func beginCopy()
    /// Begins a seam.
    ///
    /// - Parameter next: the packet of the copied picture that follows it.
    func beginSeam(before next: WindowPacket?) throws
    /// A seam's next packet, from what its encoder wrote.
    func seam(_ packet: borrowing Packet) throws -> Packet
    /// A source's packet as it is to be written.
    func copy(_ packet: borrowing Packet) throws -> Packet
    /// A leading picture of the entry that was copied last is left out: the seam before it has its own.
    func skip(_ packet: borrowing Packet) throws
    /// Adds the part of a packet that copying does not change: the coded picture itself.
    ///
    /// - Parameter isWritten: it is the output's, and no longer the source's.
    func addPayload(of packet: borrowing Packet, isWritten: Bool, to hash: inout PayloadHash) throws
}

/// How good a seam is to be.
struct SeamQuality {
    /// The edit's crf, on the codec's own scale.
    let asked: Int?
    /// A seam came out too far from its source.
    let isFiner: Bool

    /// - Parameters:
    ///   - usual: makes seams that are not told from what is around them.
    ///   - step: less of it is finer.
    func crf(usual: Int, step: Int = 8) -> Int {
        max(0, min(asked ?? usual, usual) - (isFiner ? step : 0))
    }
}

/// The codecs whose pictures are copied.
enum PictureCodecs {
    /// - Throws: `SmartObstacle` where the stream's pictures cannot be copied.
    static func open(_ demuxer: borrowing Demuxer, stream: Int) throws -> any PictureCodec {
        guard case .video(let video) = demuxer.describe(stream: stream) else { throw SmartObstacle.noPicture }
        switch VideoSettings.Codec(rawValue: video.codec) {
        case .h264: return try H264Codec(demuxer, stream: stream)
        case .hevc: return try HEVCCodec(demuxer, video)
        case .vp9: return try VP9Codec(demuxer, video)
        case .av1: return try AV1Codec(demuxer, video)
        case nil: throw SmartObstacle.codec(video.codec)
        }
    }

    static func translating<Value>(_ body: () throws(SpliceObstacle) -> Value) throws(SmartObstacle) -> Value {
        do {
            return try body()
        } catch {
            throw .bitstream(error.reason)
        }
    }
}
