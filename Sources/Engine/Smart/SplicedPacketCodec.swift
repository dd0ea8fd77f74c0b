internal import Bitstream
internal import Media
internal import Model

/// A codec whose packets change a little when they are joined with a seam's (H.264, HEVC: parameter sets, numbers, types),
/// and not in what codes the picture.
protocol SplicedPacketCodec: PictureCodec {
    associatedtype Splice: PacketSplice
    /// `nil` before there is an output.
    var splice: Splice? { get set }
    /// Of a packet of the source.
    func unit(_ packet: borrowing Packet) throws -> Splice.AccessUnit
}

extension SplicedPacketCodec {
    func spliced<Value>(_ body: (inout Splice) throws(SpliceObstacle) -> Value) throws -> Value {
        guard var splice else { throw EngineError(.internalFault, "pictures are copied before there is an output") }
        // Held once while it changes, so that it is not copied.
        self.splice = nil
        defer { self.splice = splice }
        return try PictureCodecs.translating { () throws(SpliceObstacle) in try body(&splice) }
    }

    func seam(_ packet: borrowing Packet) throws -> Packet {
        let bytes = packet.bytes
        let written = try spliced { (splice) throws(SpliceObstacle) in try splice.write(seamPicture: bytes) }
        return try Packet(copying: written, time: 0, duration: 0, isKey: false)
    }

    func beginCopy() { splice?.begin() }

    func copy(_ packet: borrowing Packet) throws -> Packet {
        let (unit, bytes) = (try unit(packet), packet.bytes)
        switch try spliced({ (splice) throws(SpliceObstacle) in try splice.copy(unit, bytes) }) {
        case .unchanged: return try packet.reference()
        case .rewritten(let bytes, _): return try Packet(copying: bytes, time: 0, duration: 0, isKey: false)
        }
    }

    func skip(_ packet: borrowing Packet) throws {
        let unit = try unit(packet)
        try spliced { (splice) throws(SpliceObstacle) in try splice.skip(unit) }
    }
}
