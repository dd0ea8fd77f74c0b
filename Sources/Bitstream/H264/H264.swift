/// What smart rendering has to know of H.264: parameter sets, slice headers, and how streams are joined.
///
/// Section numbers are those of ITU-T H.264 (08/2021).
package enum H264 {
    package typealias Obstacle = SpliceObstacle

    /// nal_unit_type. Source: Table 7-1.
    package struct UnitType: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Of a unit's first byte.
        package init(header: UInt8) { rawValue = header & 0x1F }

        package static let slice = UnitType(rawValue: 1)
        package static let idrSlice = UnitType(rawValue: 5)
        package static let sei = UnitType(rawValue: 6)
        package static let sequenceSet = UnitType(rawValue: 7)
        package static let pictureSet = UnitType(rawValue: 8)
        package static let delimiter = UnitType(rawValue: 9)
        package static let endOfSequence = UnitType(rawValue: 10)
        package static let endOfStream = UnitType(rawValue: 11)
        package static let filler = UnitType(rawValue: 12)

        package var isSlice: Bool { self == .slice || self == .idrSlice }

        /// What no stream with such a unit can be spliced for.
        var obstacle: Obstacle? {
            switch rawValue {
            case 2...4: .dataPartitioning
            case 13, 19: .auxiliaryPictures
            case 14, 15, 16, 20, 21: .layers
            default: nil
            }
        }
    }
}
