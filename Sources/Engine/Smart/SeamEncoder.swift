internal import Media
internal import Model
internal import Planning

/// Encodes seams, each beginning with a keyframe, in the order shown.
///
/// Usually every picture comes at once: its packet before the next one is handed over. Encoders that cannot do that
/// begin anew for each seam.
final class SeamEncoder {
    private final class Instance {
        var encoder: Encoder
        var isUsed = false

        init(_ settings: VideoEncoderSettings) throws(MediaError) { encoder = try Encoder(video: settings) }
    }

    private let settings: VideoEncoderSettings
    private let holdsBack: Bool
    private var instance: Instance
    private var count: Int64 = 0

    /// - Parameter holdsBack: packets come later than pictures.
    init(_ settings: VideoEncoderSettings, holdsBack: Bool = false) throws(MediaError) {
        (self.settings, self.holdsBack) = (settings, holdsBack)
        instance = try Instance(settings)
    }

    /// What decoders of its pictures are set up with.
    var configuration: [UInt8] { instance.encoder.configuration }

    /// - Parameters:
    ///   - isFirst: begin a seam.
    ///   - take: is given the packets that are ready, one for each picture.
    func encode(_ picture: borrowing Frame, isFirst: Bool, _ take: (borrowing Packet) throws -> Void) throws {
        if isFirst, holdsBack, instance.isUsed { instance = try Instance(settings) }
        let frame = try picture.reference()
        // Its own count: seams are apart by any time at all, and rate control would make something of that.
        frame.time = count
        count += 1
        frame.requestKeyframe(isFirst)
        try instance.encoder.send(frame)
        instance.isUsed = true
        guard !holdsBack else { return try drain(take) }
        var packet = try Packet()
        guard case .produced = try instance.encoder.receive(into: &packet), !isFirst || packet.isKey else {
            throw EngineError(.internalFault, "the encoder of seams holds pictures back")
        }
        try take(packet)
    }

    /// Hands over what is left of a seam.
    func endSeam(_ take: (borrowing Packet) throws -> Void) throws {
        guard holdsBack, instance.isUsed else { return }
        try instance.encoder.finish()
        try drain(take)
    }

    private func drain(_ take: (borrowing Packet) throws -> Void) throws {
        var packet = try Packet()
        while case .produced = try instance.encoder.receive(into: &packet) { try take(packet) }
    }
}
