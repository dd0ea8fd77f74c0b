/// Reads the syntax elements of a NAL unit, most significant bit first, passing over emulation prevention bytes.
///
/// What runs dry yields zeros and sets `hasFailed`, so that a parser asks once, at its end, whether all it read was
/// there. The bytes belong to the caller and must outlive the reader. Source: ITU-T H.264 §7.2, §7.3.1, §9.1.
package struct BitReader {
    private let bytes: UnsafeRawBufferPointer
    private let isEscaped: Bool
    private var next = 0
    private var zeros = 0
    private var current: UInt8 = 0
    private var bitsLeft = 0

    /// How many bits were read, those of emulation prevention bytes not counted.
    package private(set) var bitPosition = 0
    /// Something was read that is not there, or is no code.
    package private(set) var hasFailed = false

    /// - Parameter isEscaped: whether the bytes hold emulation prevention bytes (a NAL unit) or not (an RBSP).
    package init(_ bytes: UnsafeRawBufferPointer, isEscaped: Bool) {
        self.bytes = bytes
        self.isEscaped = isEscaped
    }

    /// The offset of the byte that holds the next bit, emulation prevention bytes counted.
    ///
    /// On a byte's boundary, an emulation prevention byte that is passed over next is at this offset.
    package var byteOffset: Int { bitsLeft > 0 ? next - 1 : next }

    package var isByteAligned: Bool { bitsLeft == 0 }

    private mutating func load() -> Bool {
        guard next < bytes.count else { return false }
        var byte = bytes[next]
        next += 1
        if isEscaped, zeros >= 2, byte == 3 {
            zeros = 0
            guard next < bytes.count else { return false }
            byte = bytes[next]
            next += 1
        }
        zeros = byte == 0 ? zeros + 1 : 0
        current = byte
        bitsLeft = 8
        return true
    }

    /// u(n): an unsigned number of `count` bits, 0 to 32.
    package mutating func u(_ count: Int) -> Int {
        var value: UInt64 = 0
        var wanted = count
        while wanted > 0 {
            if bitsLeft == 0, !load() {
                hasFailed = true
                return 0
            }
            let taken = min(wanted, bitsLeft)
            let bits = (current >> UInt8(bitsLeft - taken)) & UInt8((1 << taken) - 1)
            value = value << UInt64(taken) | UInt64(bits)
            bitsLeft -= taken
            wanted -= taken
        }
        bitPosition += count
        return Int(value)
    }

    /// u(1), as a flag.
    package mutating func flag() -> Bool { u(1) == 1 }

    /// ue(v): an unsigned Exp-Golomb code, at most 2^32 - 2.
    package mutating func ue() -> Int {
        var leadingZeros = 0
        while !hasFailed, u(1) == 0 {
            leadingZeros += 1
            guard leadingZeros < 32 else {
                hasFailed = true
                break
            }
        }
        guard !hasFailed else { return 0 }
        return (1 << leadingZeros) - 1 + u(leadingZeros)
    }

    /// ue(v) that must lie in a range; anything else is a failure, and the range's lower bound.
    package mutating func ue(_ range: ClosedRange<Int>) -> Int {
        let value = ue()
        guard range.contains(value) else {
            hasFailed = true
            return range.lowerBound
        }
        return value
    }

    /// se(v): a signed Exp-Golomb code.
    package mutating func se() -> Int {
        let code = ue()
        return code.isMultiple(of: 2) ? -(code / 2) : (code + 1) / 2
    }

    /// se(v) that must lie in a range; anything else is a failure, and 0 or the range's lower bound.
    package mutating func se(_ range: ClosedRange<Int>) -> Int {
        let value = se()
        guard range.contains(value) else {
            hasFailed = true
            return range.contains(0) ? 0 : range.lowerBound
        }
        return value
    }

    /// Passes over whole bytes.
    package mutating func skip(bytes count: Int) {
        for _ in 0..<count where !hasFailed { _ = u(8) }
    }

    /// What was read holds no such thing: the same as running dry.
    package mutating func fail() { hasFailed = true }
}

extension [UInt8] {
    /// Typed errors through `withUnsafeBytes`.
    func reading<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let result: Result<Value, Failure> = withUnsafeBytes { bytes in
            do throws(Failure) { return .success(try body(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
