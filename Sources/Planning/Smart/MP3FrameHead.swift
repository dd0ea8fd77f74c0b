/// The head of a Layer III frame: its header and its side information.
///
/// A frame's coded sound ("main data") begins up to 511 bytes before the frame, in what earlier frames had left (the
/// bit reservoir): `mainDataBegin` says how far.
///
/// Source: ISO/IEC 11172-3 §2.4.1.3 (header), §2.4.1.7 (side information); ISO/IEC 13818-3 §2.4.1 for half the sampling
/// rates.
package struct MP3FrameHead: Hashable, Sendable {
    /// One channel's slopes over one granule of 576 samples.
    package struct Window: Hashable, Sendable {
        /// 0 normal, 1 start, 2 three short ones, 3 stop.
        package var type: Int
        package var isMixed: Bool
        package var beginsLong: Bool { type == 0 || type == 1 }
        package var endsLong: Bool { type == 0 || type == 3 }
    }

    /// Of MPEG-1, two granules; else one ("low sampling frequencies").
    package var isLowRate: Bool
    package var sampleRate: Int
    /// In bits a second.
    package var bitRate: Int
    package var channels: Int
    /// Of the frame, with its header.
    package var frameBytes: Int
    /// Where main data may lie, from the frame's first byte.
    package var mainDataOffset: Int
    package var mainDataBegin: Int
    /// Of this frame's sound, wherever they lie.
    package var mainDataBits: Int
    /// Of the first granule, and of the last one: one for each channel.
    package var first: [Window]
    package var last: [Window]

    package var frameSamples: Int { isLowRate ? 576 : 1152 }
    package var mainDataBytes: Int { (mainDataBits + 7) / 8 }

    /// `nil` when the packet does not begin with a whole head of a frame of a bit rate that the standard lists.
    package init?(_ bytes: [UInt8]) {
        var bits = BitCursor(bytes)
        guard bits.read(11) == 0x7FF, let version = bits.read(2), version != 1, bits.read(2) == 1,
            let isBare = bits.readFlag(), let rateIndex = bits.read(4), (1...14).contains(rateIndex),
            let sampling = bits.read(2), sampling < 3, let padding = bits.read(1), bits.skip(1) != nil,
            let mode = bits.read(2), bits.skip(6) != nil
        else { return nil }
        isLowRate = version != 3
        sampleRate = [44_100, 48_000, 32_000][sampling] >> (version == 3 ? 0 : version == 2 ? 1 : 2)
        bitRate = Self.bitRates(isLowRate)[rateIndex - 1]
        channels = mode == 3 ? 1 : 2
        frameBytes = (isLowRate ? 72 : 144) * bitRate / sampleRate + padding
        let sideBytes = isLowRate ? (channels == 1 ? 9 : 17) : (channels == 1 ? 17 : 32)
        mainDataOffset = 4 + (isBare ? 0 : 2) + sideBytes
        if !isBare, bits.skip(16) == nil { return nil }
        guard let begin = bits.read(isLowRate ? 8 : 9) else { return nil }
        mainDataBegin = begin
        // Private bits, and which scale factors the second granule shares with the first.
        let unread = isLowRate ? channels : (channels == 1 ? 5 : 3) + 4 * channels
        guard bits.skip(unread) != nil else { return nil }
        var windows: [[Window]] = []
        mainDataBits = 0
        for _ in 0..<(isLowRate ? 1 : 2) {
            var granule: [Window] = []
            for _ in 0..<channels {
                guard let part = Self.readChannel(&bits, isLowRate) else { return nil }
                mainDataBits += part.bits
                granule.append(part.window)
            }
            windows.append(granule)
        }
        (first, last) = (windows[0], windows[windows.count - 1])
    }

    private static func readChannel(_ bits: inout BitCursor, _ isLowRate: Bool) -> (bits: Int, window: Window)? {
        // big_values, global_gain and scalefac_compress stand before the flag.
        guard let length = bits.read(12), bits.skip(9 + 8 + (isLowRate ? 9 : 4)) != nil, let switches = bits.readFlag()
        else { return nil }
        var window = Window(type: 0, isMixed: false)
        if switches {
            guard let type = bits.read(2), let isMixed = bits.readFlag(), bits.skip(2 * 5 + 3 * 3) != nil else {
                return nil
            }
            window = Window(type: type, isMixed: isMixed)
        } else if bits.skip(3 * 5 + 4 + 3) == nil {
            return nil
        }
        guard bits.skip(isLowRate ? 2 : 3) != nil else { return nil }
        return (length, window)
    }

    /// For the indices 1 to 14. Source: ISO/IEC 11172-3 §2.4.2.3 and ISO/IEC 13818-3 §2.4.2.3, Layer III.
    package static func bitRates(_ isLowRate: Bool) -> [Int] {
        (isLowRate
            ? [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
            : [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]).map { 1000 * $0 }
    }

    // MARK: The reservoir

    /// What a frame has for main data, its own and others'.
    package func mainData(_ frame: [UInt8]) -> ArraySlice<UInt8> {
        frame[min(mainDataOffset, frame.count)..<max(min(mainDataOffset, frame.count), min(frameBytes, frame.count))]
    }

    /// The frame with `tail` as its last bytes, where the following frame's sound begins: as large as it takes, with the
    /// same sound.
    ///
    /// - Parameter frame: the one that this is the head of, without a checksum and with all its sound in itself.
    /// - Returns: `nil` when no frame is large enough.
    package func carrying(_ tail: ArraySlice<UInt8>, behind frame: [UInt8]) -> [UInt8]? {
        guard mainDataBegin == 0, frame.count >= mainDataOffset + mainDataBytes, frame[1] & 1 == 1 else {
            return nil
        }
        let needed = mainDataOffset + mainDataBytes + tail.count
        for (index, rate) in Self.bitRates(isLowRate).enumerated() {
            let size = (isLowRate ? 72 : 144) * rate / sampleRate
            guard size >= needed else { continue }
            var made = Array(frame.prefix(mainDataOffset + mainDataBytes))
            // Its bit rate, and no padding.
            made[2] = UInt8(index + 1) << 4 | made[2] & 0x0D
            made += [UInt8](repeating: 0, count: size - needed)
            return made + tail
        }
        return nil
    }
}
