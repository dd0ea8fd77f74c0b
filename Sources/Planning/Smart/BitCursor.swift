/// Reads bits from the most significant one of each byte on.
struct BitCursor {
    private let bytes: [UInt8]
    /// Of the next bit, from the first byte's most significant one.
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var bitsLeft: Int { 8 * bytes.count - position }

    /// The next bits as a number, 32 at most; `nil` when there are fewer.
    mutating func read(_ count: Int) -> Int? {
        guard count <= 32, count <= bitsLeft else { return nil }
        var value = 0
        for _ in 0..<count {
            value = value << 1 | Int(bytes[position >> 3] >> (7 - UInt8(position & 7)) & 1)
            position += 1
        }
        return value
    }

    mutating func readFlag() -> Bool? { read(1).map { $0 == 1 } }

    /// - Returns: `nil` when there are fewer bits.
    mutating func skip(_ count: Int) -> Void? {
        guard count <= bitsLeft else { return nil }
        position += count
        return ()
    }

    mutating func alignToByte() { position = (position + 7) & ~7 }
}
