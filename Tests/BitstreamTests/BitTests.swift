import TestSupport
import Testing

@testable import Bitstream

@Suite("Bits")
struct BitTests {
    private enum Element {
        case fixed(Int, Int)
        case unsigned(Int)
        case signed(Int)
    }

    private static func elements(_ random: inout SeededGenerator) -> [Element] {
        (0..<Int.random(in: 1...200, using: &random)).map { _ in
            let size = Int.random(in: 0...31, using: &random)
            switch Int.random(in: 0...2, using: &random) {
            case 0:
                let count = Int.random(in: 1...32, using: &random)
                return .fixed(Int.random(in: 0..<1 << count, using: &random), count)
            case 1: return .unsigned(Int.random(in: 0...(1 << size), using: &random))
            default: return .signed(Int.random(in: -(1 << max(0, size - 1))...(1 << max(0, size - 1)), using: &random))
            }
        }
    }

    @Test("are read as they were written, with and without emulation prevention", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let elements = Self.elements(&random)
        var writer = BitWriter()
        for element in elements {
            switch element {
            case .fixed(let value, let count): writer.u(value, count)
            case .unsigned(let value): writer.ue(value)
            case .signed(let value): writer.se(value)
            }
        }
        let bits = writer.bitCount
        writer.finishRBSP()
        #expect(H264.stopBit(of: writer.bytes) == bits)
        for isEscaped in [false, true] {
            var bytes: [UInt8] = []
            if isEscaped { NALUnits.append(escaping: writer.bytes, to: &bytes) } else { bytes = writer.bytes }
            bytes.withUnsafeBytes { raw in
                var reader = BitReader(raw, isEscaped: isEscaped)
                for element in elements {
                    switch element {
                    case .fixed(let value, let count): #expect(reader.u(count) == value)
                    case .unsigned(let value): #expect(reader.ue() == value)
                    case .signed(let value): #expect(reader.se() == value)
                    }
                }
                #expect(reader.bitPosition == bits && !reader.hasFailed)
            }
        }
    }

    @Test("are copied from any place to any other", arguments: 0..<500 as Range<UInt64>)
    func copy(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let source = (0..<Int.random(in: 1...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        let start = Int.random(in: 0...source.count * 8, using: &random)
        let end = Int.random(in: start...source.count * 8, using: &random)
        let before = Int.random(in: 0...17, using: &random)
        var writer = BitWriter()
        writer.u(0, before)
        writer.append(source, bits: start..<end)
        #expect(writer.bitCount == before + end - start)
        let bits = { (bytes: [UInt8], position: Int) in bytes[position / 8] >> UInt8(7 - position % 8) & 1 }
        let copied = writer.bytes
        let isSame = (start..<end).allSatisfy { bits(source, $0) == bits(copied, before + $0 - start) }
        #expect(isSame)
    }

    @Test("that are missing are told of, once and for all")
    func exhausted() {
        let bytes: [UInt8] = [0b1010_0000]
        bytes.withUnsafeBytes { raw in
            var reader = BitReader(raw, isEscaped: true)
            #expect(reader.u(3) == 5 && !reader.hasFailed)
            #expect(reader.u(6) == 0 && reader.hasFailed)
        }
        [UInt8](repeating: 0, count: 9).withUnsafeBytes { raw in
            var reader = BitReader(raw, isEscaped: false)
            #expect(reader.ue() == 0 && reader.hasFailed)
        }
    }
}

@Suite("NAL units")
struct NALUnitTests {
    /// Mostly zeros and small numbers, where emulation prevention has most to do.
    private static func payload(_ random: inout SeededGenerator) -> [UInt8] {
        let bytes = (0..<Int.random(in: 1...60, using: &random)).map { _ in
            Bool.random(using: &random) ? 0 : UInt8.random(in: 0...4, using: &random)
        }
        // The stop bit, and maybe cabac_zero_words.
        return bytes + [0x80] + [UInt8](repeating: 0, count: 2 * Int.random(in: 0...2, using: &random))
    }

    @Test("never look like a start code, and lose nothing", arguments: 0..<300 as Range<UInt64>)
    func escaping(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let payload = Self.payload(&random)
        let unit = NALUnits.unit(header: [0x65], rbsp: payload)
        let isFree = unit.indices.dropLast(2).allSatisfy { index in
            unit[index] != 0 || unit[index + 1] != 0 || unit[index + 2] > 2
        }
        #expect(isFree)
        #expect(unit.last != 0)
        let back = unit.dropFirst().withUnsafeBytes { NALUnits.unescaped($0) }
        #expect(back == payload)
    }

    @Test("are found between start codes and after lengths alike", arguments: 0..<300 as Range<UInt64>)
    func framing(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let units = (0..<Int.random(in: 1...6, using: &random)).map { _ in
            NALUnits.unit(header: [0x41], rbsp: Self.payload(&random))
        }
        var (prefixed, marked): ([UInt8], [UInt8]) = ([], [])
        for unit in units {
            NALUnits.append(lengthPrefixed: unit, to: &prefixed)
            marked += [UInt8](repeating: 0, count: Int.random(in: 2...5, using: &random)) + [1] + unit
        }
        marked += [UInt8](repeating: 0, count: Int.random(in: 0...3, using: &random))
        for (bytes, framing) in [(prefixed, .lengthPrefixed(4)), (marked, .annexB)] as [([UInt8], NALUnits.Framing)] {
            let found = bytes.withUnsafeBytes { raw in NALUnits.ranges(in: raw, framing)?.map { [UInt8](raw[$0]) } }
            #expect(found == units)
        }
        let cut = prefixed.dropLast().withUnsafeBytes { NALUnits.ranges(in: $0, .lengthPrefixed(4)) }
        #expect(cut == nil)
    }
}
