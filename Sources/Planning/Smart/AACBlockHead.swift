/// How an AAC packet's transform is windowed, as its first channel element tells it.
///
/// A packet's transform covers two frames of 1024 samples and is windowed by two slopes, one over each. The second is
/// this packet's to choose; the first is shaped as the packet before chose. Aliasing in a frame cancels only when both
/// packets that overlap in it were windowed alike.
///
/// Source: ISO/IEC 14496-3 §4.4.2.1 (raw_data_block), Table 4.6 (ics_info), §4.6.11 (filterbank).
package struct AACBlockHead: Hashable, Sendable {
    package enum Sequence: Int, Sendable { case onlyLong = 0, longStart, eightShort, longStop }
    package enum Shape: Int, Sendable { case sine = 0, kaiserBessel }

    package var sequence: Sequence
    /// Of the second slope, and of the following packet's first.
    package var shape: Shape
    /// Where the shape's bit is, from the packet's first bit.
    package var shapePosition: Int
    /// This head speaks for the whole of its element: one channel, or two that share a window.
    package var speaksForElement: Bool

    /// The first slope is a long one.
    package var beginsLong: Bool { sequence == .onlyLong || sequence == .longStart }
    /// The second slope is a long one.
    package var endsLong: Bool { sequence == .onlyLong || sequence == .longStop }

    /// `nil` when the packet has no channel element where one belongs.
    package init?(_ bytes: [UInt8]) {
        // What stands before the channels is short, but for a comment in the first packet.
        var bits = BitCursor(bytes)
        while let element = bits.read(3) {
            switch element {
            case Self.single, Self.lowFrequency:
                // Its tag and its gain.
                guard bits.skip(4 + 8) != nil else { return nil }
                speaksForElement = true
            case Self.pair:
                guard bits.skip(4) != nil, let common = bits.readFlag() else { return nil }
                if !common, bits.skip(8) == nil { return nil }
                speaksForElement = common
            case Self.fill:
                guard Self.skipFill(&bits) != nil else { return nil }
                continue
            case Self.data:
                guard Self.skipData(&bits) != nil else { return nil }
                continue
            default: return nil
            }
            // The reserved bit is zero in everything that was ever written.
            guard bits.read(1) == 0, let sequence = bits.read(2).flatMap(Sequence.init) else { return nil }
            shapePosition = bits.position
            guard let shape = bits.read(1).flatMap(Shape.init) else { return nil }
            (self.sequence, self.shape) = (sequence, shape)
            return
        }
        return nil
    }

    /// The packet with its element's shape changed.
    package func reshaped(_ bytes: [UInt8], to shape: Shape) -> [UInt8] {
        var bytes = bytes
        let mask = UInt8(0x80) >> UInt8(shapePosition & 7)
        if shape == .sine { bytes[shapePosition >> 3] &= ~mask } else { bytes[shapePosition >> 3] |= mask }
        return bytes
    }

    /// Source: Table 4.85 (id_syn_ele).
    private static let (single, pair, lowFrequency, data, fill) = (0, 1, 3, 4, 6)

    private static func skipFill(_ bits: inout BitCursor) -> Void? {
        guard var count = bits.read(4) else { return nil }
        if count == 15 {
            guard let more = bits.read(8) else { return nil }
            count += more - 1
        }
        return bits.skip(8 * count)
    }

    private static func skipData(_ bits: inout BitCursor) -> Void? {
        guard bits.skip(4) != nil, let aligned = bits.readFlag(), var count = bits.read(8) else { return nil }
        if count == 255 {
            guard let more = bits.read(8) else { return nil }
            count += more
        }
        if aligned { bits.alignToByte() }
        return bits.skip(8 * count)
    }
}
