internal import Media
internal import Model
internal import Planning

/// What copying and seaming pictures takes to know of their codec.
///
/// `begin` to `skip` are called in the output's decode order. `SmartObstacle`s say that a stream cannot be copied after
/// all.
protocol PictureCodec: AnyObject {
    var depth: ReorderDepth { get }
    /// How a seam's pictures are to be encoded, each at once, so that they decode under the source's configuration.
    func seamSettings(
        crf: Int, preset: VideoSettings.Preset, nominalFrameRate: Rational
    ) throws -> VideoEncoderSettings
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
