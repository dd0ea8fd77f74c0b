/// What smart rendering has to know of HEVC: parameter sets, kinds of pictures, and how streams are joined.
///
/// Section numbers are those of ITU-T H.265 (08/2021).
package enum HEVC {
    package typealias Obstacle = SpliceObstacle

    /// nal_unit_type. Source: Table 7-1.
    package struct UnitType: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Of a unit's first byte.
        package init(header: UInt8) { rawValue = header >> 1 & 0x3F }

        package static let blaWithoutLeading = UnitType(rawValue: 18)
        package static let idrWithoutLeading = UnitType(rawValue: 20)
        package static let cra = UnitType(rawValue: 21)
        package static let videoSet = UnitType(rawValue: 32)
        package static let sequenceSet = UnitType(rawValue: 33)
        package static let pictureSet = UnitType(rawValue: 34)
        package static let delimiter = UnitType(rawValue: 35)
        package static let endOfSequence = UnitType(rawValue: 36)
        package static let endOfStream = UnitType(rawValue: 37)
        package static let filler = UnitType(rawValue: 38)
        package static let sei = UnitType(rawValue: 39)

        /// A slice segment: of a type that exists.
        package var isSlice: Bool { (0...9).contains(rawValue) || (16...21).contains(rawValue) }
        /// Intra random access point: BLA, IDR or CRA.
        package var isRandomAccess: Bool { (16...23).contains(rawValue) }
        package var isBLA: Bool { (16...18).contains(rawValue) }
        package var isIDR: Bool { rawValue == 19 || rawValue == 20 }
        /// Shown before the random access point that it follows, and in need of pictures before that one.
        package var isSkippedLeading: Bool { rawValue == 8 || rawValue == 9 }
        /// Shown before the random access point that it follows, which suffices to decode it.
        package var isDecodableLeading: Bool { rawValue == 6 || rawValue == 7 }
        /// No picture of the same temporal layer refers to it.
        package var isSubLayerNonReference: Bool { rawValue < 16 && rawValue.isMultiple(of: 2) }
        package var isParameterSet: Bool { (32...34).contains(rawValue) }
    }
}
