/// One stream of copied packets and seams, in decoding order, under one configuration.
///
/// Give it every packet of the output in order.
package protocol PacketSplice {
    associatedtype AccessUnit

    /// The next packet begins a piece, from another place in the source. After a seam one begins anyway.
    mutating func begin()

    /// Copies the source's next packet.
    ///
    /// - Parameters:
    ///   - unit: the packet's access unit, read with the source's configuration.
    ///   - packet: its bytes.
    /// - Throws: an obstacle when a decoder would not show the same as it does for the source; nothing is copied then.
    mutating func copy(_ unit: AccessUnit, _ packet: UnsafeRawBufferPointer) throws(SpliceObstacle) -> CopiedPacket

    /// Leaves out the source's next packet: a leading picture that a seam has shown, or one that no other refers to.
    mutating func skip(_ unit: AccessUnit) throws(SpliceObstacle)

    /// Writes the next picture of the seam that was begun, the first of which is an IDR picture.
    ///
    /// - Parameter packet: as the encoder framed it.
    mutating func write(seamPicture packet: UnsafeRawBufferPointer) throws(SpliceObstacle) -> [UInt8]
}

/// A packet as it goes to the output.
package enum CopiedPacket: Hashable, Sendable {
    /// The packet's own bytes.
    case unchanged
    /// Others, in which the ranges hold what the access unit's payloads hold in the packet, one for each slice. Without
    /// ranges slice data was moved by bits, as H.264's CAVLC allows: `AccessUnit.data` tells that it is the same.
    case rewritten([UInt8], payloads: [Range<Int>]?)
}
