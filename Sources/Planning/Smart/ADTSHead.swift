/// The header that each packet of AAC begins with in MPEG-TS and in bare streams, instead of one description in the
/// container.
///
/// Source: ISO/IEC 13818-7 §6.2 (`adts_frame`).
package struct ADTSHead: Hashable, Sendable {
    /// What the container would have said: an AudioSpecificConfig.
    package let configuration: [UInt8]
    /// Of the header, with its checksum.
    package let headBytes: Int
    /// Of the packet, with its header.
    package let frameBytes: Int

    /// `nil` when the bytes do not begin with the header of a frame of one block.
    package init?(_ bytes: [UInt8]) {
        var bits = BitCursor(bytes)
        // The version, MPEG-2 or 4, changes nothing of what follows.
        guard bits.read(12) == 0xFFF, bits.skip(1) != nil, bits.read(2) == 0, let isBare = bits.readFlag(),
            let profile = bits.read(2), let rateIndex = bits.read(4), bits.skip(1) != nil,
            let channels = bits.read(3), bits.skip(4) != nil, let length = bits.read(13), bits.skip(11) != nil,
            bits.read(2) == 0
        else { return nil }
        headBytes = isBare ? 7 : 9
        guard length > headBytes else { return nil }
        frameBytes = length
        // Object type, sampling frequency, channels, and three flags that are not set: ISO/IEC 14496-3 §1.6.2.1.
        let description = (profile + 1) << 11 | rateIndex << 7 | channels << 3
        configuration = [UInt8(description >> 8), UInt8(description & 0xFF)]
    }

    /// A packet without its header; `nil` when it is cut short, or described otherwise.
    package static func payload(of packet: [UInt8], describedBy configuration: [UInt8]) -> [UInt8]? {
        guard let head = ADTSHead(packet), head.configuration == configuration, head.frameBytes <= packet.count else {
            return nil
        }
        return Array(packet[head.headBytes..<head.frameBytes])
    }
}
