internal import Media
internal import Model
internal import Planning

/// Encodes seams, each beginning with an IDR picture, every picture at once: its packet comes before the next one is
/// handed over, in the order shown.
final class SeamEncoder {
    private var encoder: Encoder
    private var count: Int64 = 0

    init(_ settings: VideoEncoderSettings) throws(MediaError) {
        encoder = try Encoder(video: settings)
    }

    /// What decoders of its pictures are set up with.
    var configuration: [UInt8] { encoder.configuration }

    /// - Parameter isFirst: begin a seam.
    func encode(_ picture: borrowing Frame, isFirst: Bool) throws -> Packet {
        let frame = try picture.reference()
        // Its own count: seams are apart by any time at all, and rate control would make something of that.
        frame.time = count
        count += 1
        frame.requestKeyframe(isFirst)
        try encoder.send(frame)
        var packet = try Packet()
        guard case .produced = try encoder.receive(into: &packet), !isFirst || packet.isKey else {
            throw EngineError(.internalFault, "the encoder of seams holds pictures back")
        }
        return packet
    }
}
