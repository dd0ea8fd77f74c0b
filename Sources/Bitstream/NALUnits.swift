/// How NAL units follow each other in bytes, and how their payloads avoid looking like start codes.
///
/// The same for H.264 and HEVC. Source: ITU-T H.264 §7.4.1.1 and Annex B; ISO/IEC 14496-15 §5.3.2.
package enum NALUnits {
    /// How NAL units are told apart in a packet.
    package enum Framing: Hashable, Sendable {
        /// Each after its length in so many bytes, big endian: 1, 2 or 4.
        case lengthPrefixed(Int)
        /// Each after a start code.
        case annexB
    }

    /// Where the NAL units of a packet lie; `nil` where lengths and bytes disagree. Empty units are left out.
    package static func ranges(in bytes: UnsafeRawBufferPointer, _ framing: Framing) -> [Range<Int>]? {
        switch framing {
        case .lengthPrefixed(let size): ranges(lengthPrefixed: bytes, size)
        case .annexB: ranges(annexB: bytes)
        }
    }

    private static func ranges(lengthPrefixed bytes: UnsafeRawBufferPointer, _ size: Int) -> [Range<Int>]? {
        var found: [Range<Int>] = []
        var offset = 0
        while offset < bytes.count {
            guard bytes.count - offset >= size else { return nil }
            var length = 0
            for index in 0..<size { length = length << 8 | Int(bytes[offset + index]) }
            offset += size
            guard length <= bytes.count - offset else { return nil }
            if length > 0 { found.append(offset..<offset + length) }
            offset += length
        }
        return found
    }

    /// Units lie between start codes; the zeros that may follow one belong to none.
    private static func ranges(annexB bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var start: Int?
        var offset = 0
        while offset + 2 < bytes.count {
            // Most bytes are neither 0 nor 1, which tells that no start code ends in the next three.
            let third = bytes[offset + 2]
            guard third <= 1 else {
                offset += 3
                continue
            }
            guard third == 1, bytes[offset] == 0, bytes[offset + 1] == 0 else {
                offset += 1
                continue
            }
            if let start { add(start..<offset) }
            offset += 3
            start = offset
        }
        if let start { add(start..<bytes.count) }
        return found

        func add(_ range: Range<Int>) {
            let unit = trimmed(range, in: bytes)
            if !unit.isEmpty { found.append(unit) }
        }
    }

    /// A unit without the zeros at its end: a NAL unit ends in none. Some containers count them in.
    package static func trimmed(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Range<Int> {
        var end = range.upperBound
        while end > range.lowerBound, bytes[end - 1] == 0 { end -= 1 }
        return range.lowerBound..<end
    }

    /// Bytes without emulation prevention: the RBSP, or a part of it.
    package static func unescaped(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
            var zeros = 0
            for byte in bytes {
                if zeros >= 2, byte == 3 {
                    zeros = 0
                    continue
                }
                zeros = byte == 0 ? zeros + 1 : 0
                buffer[count] = byte
                count += 1
            }
        }
    }

    /// Appends an RBSP with emulation prevention. What `output` ends with is taken for the unit's header.
    package static func append(escaping rbsp: [UInt8], to output: inout [UInt8]) {
        var zeros = 0
        for byte in rbsp {
            if zeros >= 2, byte <= 3 {
                output.append(3)
                zeros = 0
            }
            zeros = byte == 0 ? zeros + 1 : 0
            output.append(byte)
        }
        // Only where cabac_zero_words end it.
        if rbsp.last == 0 { output.append(3) }
    }

    /// A unit of a header and an RBSP.
    package static func unit(header: [UInt8], rbsp: [UInt8]) -> [UInt8] {
        var unit = header
        append(escaping: rbsp, to: &unit)
        return unit
    }

    /// Appends a unit after its length in four bytes.
    package static func append(lengthPrefixed unit: some Collection<UInt8>, to output: inout [UInt8]) {
        let count = UInt32(truncatingIfNeeded: unit.count)
        for shift in [24, 16, 8, 0] as [UInt32] { output.append(UInt8(truncatingIfNeeded: count >> shift)) }
        output.append(contentsOf: unit)
    }
}
