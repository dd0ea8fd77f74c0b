/// What an AAC stream's decoder is told up front.
///
/// Source: ISO/IEC 14496-3 §1.6.2.1 (AudioSpecificConfig), §4.4.1 (GASpecificConfig).
package struct AACConfiguration: Hashable, Sendable {
    /// 2 is AAC-LC; 5 and 29 are HE-AAC. Source: Table 1.17.
    package var objectType: Int
    package var sampleRate: Int
    /// 1 to 6 are as many channels, 7 is eight; 0 lets the stream tell. Source: Table 1.19.
    package var channelConfiguration: Int
    /// Samples of one packet: 1024, or 960.
    package var frameSamples: Int
    /// Depends on a core coder or has an extension, which plain AAC-LC does not.
    package var isExtended: Bool
    /// Bands above the sample rate's own are in the stream (HE-AAC), told by an extension behind the rest.
    package var replicatesBands: Bool

    /// `nil` when the bytes are no AudioSpecificConfig of a general audio coder.
    package init?(_ bytes: [UInt8]) {
        var bits = BitCursor(bytes)
        guard let type = Self.objectType(&bits), let rate = Self.sampleRate(&bits), rate > 0,
            let channels = bits.read(4)
        else { return nil }
        (objectType, sampleRate, channelConfiguration) = (type, rate, channels)
        guard Self.generalAudioTypes.contains(type) else {
            // Spectral band replication stands before what it is laid over; nobody asks further.
            (frameSamples, isExtended, replicatesBands) = (1024, true, [5, 29].contains(type))
            return
        }
        guard let short = bits.readFlag(), let depends = bits.readFlag() else { return nil }
        if depends, bits.skip(14) == nil { return nil }
        guard let extends = bits.readFlag() else { return nil }
        frameSamples = short ? 960 : 1024
        isExtended = depends || extends
        replicatesBands = false
        if channels != 0, bits.bitsLeft >= 17, bits.read(11) == Self.extensionMark, Self.objectType(&bits) == 5 {
            replicatesBands = bits.readFlag() ?? false
        }
    }

    private static let generalAudioTypes: Set<Int> = [1, 2, 3, 4]
    /// `syncExtensionType`.
    private static let extensionMark = 0x2B7
    /// Source: Table 1.18.
    private static let sampleRates = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
    ]

    private static func objectType(_ bits: inout BitCursor) -> Int? {
        guard let type = bits.read(5) else { return nil }
        return type == 31 ? bits.read(6).map { 32 + $0 } : type
    }

    private static func sampleRate(_ bits: inout BitCursor) -> Int? {
        guard let index = bits.read(4) else { return nil }
        if index == 15 { return bits.read(24) }
        return sampleRates.indices.contains(index) ? sampleRates[index] : nil
    }
}
