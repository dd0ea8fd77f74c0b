/// What the first bytes of an Opus packet tell of the whole.
///
/// Source: RFC 6716 §3.1 (TOC byte), §3.2 (frame packing).
package struct OpusPacketHead: Hashable, Sendable {
    /// How the packet's frames are coded.
    package enum Mode: Sendable { case silk, hybrid, celt }

    package var mode: Mode
    /// Coded as two channels, whatever the stream has.
    package var isStereo: Bool
    /// At 48 kHz, of all the packet's frames.
    package var samples: Int

    /// `nil` when the packet is empty, or longer than packets may be.
    package init?(_ bytes: [UInt8]) {
        guard let toc = bytes.first, let frames = Self.frameCount(toc, bytes) else { return nil }
        let configuration = Int(toc >> 3)
        mode = configuration < 12 ? .silk : configuration < 16 ? .hybrid : .celt
        isStereo = toc & 4 != 0
        samples = frames * Self.frameSamples(configuration)
        guard (1...Self.longest).contains(samples) else { return nil }
    }

    /// 120 ms. Source: RFC 6716 §3.4, requirement 5.
    private static let longest = 5760

    private static func frameCount(_ toc: UInt8, _ bytes: [UInt8]) -> Int? {
        switch toc & 3 {
        case 0: 1
        case 1, 2: 2
        default: bytes.count > 1 ? Int(bytes[1] & 63) : nil
        }
    }

    /// Source: RFC 6716, Table 2.
    private static func frameSamples(_ configuration: Int) -> Int {
        if configuration < 12 { return [480, 960, 1920, 2880][configuration & 3] }
        if configuration < 16 { return [480, 960][configuration & 1] }
        return [120, 240, 480, 960][configuration & 3]
    }
}
