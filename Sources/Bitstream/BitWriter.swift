/// Writes syntax elements, most significant bit first. Emulation prevention is `NALUnits`' business.
///
/// Source: ITU-T H.264 §7.2, §9.1.
package struct BitWriter {
    private var whole: [UInt8] = []
    private var pending: UInt8 = 0
    private var pendingBits = 0

    package init() {}

    package var bitCount: Int { whole.count * 8 + pendingBits }

    /// Everything so far; the last byte's missing bits are zeros.
    package var bytes: [UInt8] { pendingBits == 0 ? whole : whole + [pending << UInt8(8 - pendingBits)] }

    /// u(n): the lowest `count` bits of a number that is not negative, 0 to 32.
    package mutating func u(_ value: Int, _ count: Int) {
        var left = count
        while left > 0 {
            let taken = min(left, 8 - pendingBits)
            let bits = UInt8((value >> (left - taken)) & ((1 << taken) - 1))
            pending = taken == 8 ? bits : pending << UInt8(taken) | bits
            pendingBits += taken
            left -= taken
            if pendingBits == 8 {
                whole.append(pending)
                (pending, pendingBits) = (0, 0)
            }
        }
    }

    package mutating func flag(_ value: Bool) { u(value ? 1 : 0, 1) }

    /// ue(v), for numbers from 0 to 2^32 - 2.
    package mutating func ue(_ value: Int) {
        let code = value + 1
        let length = Int.bitWidth - code.leadingZeroBitCount
        u(0, length - 1)
        u(code, length)
    }

    /// se(v)
    package mutating func se(_ value: Int) { ue(value > 0 ? 2 * value - 1 : -2 * value) }

    /// Fills the last byte up with ones (cabac_alignment_one_bit) or zeros.
    package mutating func align(with bit: Bool) {
        while pendingBits != 0 { flag(bit) }
    }

    /// rbsp_trailing_bits( )
    package mutating func finishRBSP() {
        flag(true)
        align(with: false)
    }

    /// Copies bits of other bytes, whatever their alignment.
    package mutating func append(_ source: [UInt8], bits: Range<Int>) {
        var position = bits.lowerBound
        // Up to a byte's boundary of the source, then whole bytes, then the rest.
        let head = min(bits.count, (8 - position % 8) % 8)
        for _ in 0..<head {
            u(Int(source[position / 8] >> UInt8(7 - position % 8)) & 1, 1)
            position += 1
        }
        let count = (bits.upperBound - position) / 8
        let first = position / 8
        if pendingBits == 0 {
            whole.append(contentsOf: source[first..<first + count])
        } else {
            whole.reserveCapacity(whole.count + count + 1)
            let (kept, shifted) = (UInt8(pendingBits), UInt8(8 - pendingBits))
            var carried = pending
            for byte in source[first..<first + count] {
                whole.append(carried << shifted | byte >> kept)
                carried = byte & ((1 << kept) - 1)
            }
            pending = carried
        }
        position += count * 8
        while position < bits.upperBound {
            u(Int(source[position / 8] >> UInt8(7 - position % 8)) & 1, 1)
            position += 1
        }
    }
}
