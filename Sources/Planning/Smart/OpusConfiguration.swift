/// What an Opus stream's decoder is told up front, as FFmpeg hands it over from every container.
///
/// Source: RFC 7845 §5.1 (identification header).
package struct OpusConfiguration: Hashable, Sendable {
    package var channels: Int
    /// Samples at 48 kHz that players cut off the beginning.
    package var preSkip: Int
    /// Of what was encoded, in Hz; Opus itself is 48 kHz always. 0 when unknown.
    package var inputRate: Int
    /// What decoders multiply the sound with, in 1/256 dB.
    package var gain: Int
    /// 0 is one stream of one or two channels.
    package var mappingFamily: Int

    private static let magic = Array("OpusHead".utf8)

    /// One stream of one or two channels, as loud as it is coded.
    package init(channels: Int, preSkip: Int, inputRate: Int) {
        (self.channels, self.preSkip, self.inputRate, gain, mappingFamily) = (channels, preSkip, inputRate, 0, 0)
    }

    /// `nil` when the bytes are no identification header of a version that can be read.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 19, Array(bytes.prefix(8)) == Self.magic, bytes[8] & 0xF0 == 0, bytes[9] > 0 else {
            return nil
        }
        func pair(_ index: Int) -> Int { Int(bytes[index]) | Int(bytes[index + 1]) << 8 }
        channels = Int(bytes[9])
        preSkip = pair(10)
        inputRate = pair(12) | pair(14) << 16
        gain = Int(Int16(truncatingIfNeeded: pair(16)))
        mappingFamily = Int(bytes[18])
    }

    /// The identification header of a stream without a mapping table.
    package var bytes: [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        return Self.magic + [1, UInt8(truncatingIfNeeded: channels)] + little(preSkip, 2) + little(inputRate, 4)
            + little(gain, 2) + [0]
    }
}
