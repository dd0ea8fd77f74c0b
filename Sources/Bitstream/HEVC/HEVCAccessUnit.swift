extension HEVC {
    /// What a packet holds: one picture's units, as places in its bytes.
    ///
    /// No more is read than the units' headers and the first bits of slices. The packet's bytes stay the caller's.
    package struct AccessUnit: Hashable, Sendable {
        package struct Unit: Hashable, Sendable {
            package var type: UnitType
            /// In the packet, without length or start code.
            package var range: Range<Int>
        }

        package let units: [Unit]
        /// Of the picture's slices, which are all of one type.
        package let type: UnitType
        /// slice_pic_parameter_set_id of the first slice segment.
        package let pictureSetID: Int
        /// TemporalId: pictures refer to none of a higher one.
        package let temporalID: Int

        /// - Parameters:
        ///   - packet: a packet of one picture, framed as the configuration says.
        ///   - configuration: holds the sets that the stream's slices refer to.
        /// - Throws: an obstacle when the packet is damaged, or is nothing that could be copied: parameter sets other
        ///   than the configuration's, several pictures, or units of layers.
        package init(
            _ packet: UnsafeRawBufferPointer, _ configuration: DecoderConfiguration
        ) throws(Obstacle) {
            guard let ranges = NALUnits.ranges(in: packet, configuration.framing) else { throw .damaged }
            var units: [Unit] = []
            var found: (type: UnitType, set: Int)?
            for range in ranges {
                let bytes = UnsafeRawBufferPointer(rebasing: packet[range])
                guard bytes.count > 2, bytes[0] & 0x80 == 0 else { throw .damaged }
                let type = UnitType(header: bytes[0])
                guard layer(of: bytes[0], bytes[1]) == 0 else { throw .layers }
                units.append(Unit(type: type, range: range))
                if type.isParameterSet {
                    guard configuration.holds(packet[NALUnits.trimmed(range, in: packet)]) else { throw .changingSets }
                }
                guard type.isSlice else {
                    guard type.rawValue > 31 else { throw .damaged }
                    continue
                }
                let slice = SliceStart(bytes, type)
                guard !slice.hasFailed, configuration.pictureSets.contains(where: { $0.id == slice.pictureSetID })
                else { throw .damaged }
                guard slice.isFirst == (found == nil) else { throw found == nil ? .damaged : .severalPictures }
                guard found == nil || found?.type == type else { throw .severalPictures }
                found = found ?? (type, slice.pictureSetID)
            }
            guard let found else { throw .damaged }
            (self.units, type, pictureSetID) = (units, found.type, found.set)
            temporalID = units.first { $0.type.isSlice }.map { Int(packet[$0.range.lowerBound + 1] & 7) - 1 } ?? 0
        }

        /// Whether decoding can begin here; leading pictures that follow it may have to be left out.
        package var canBeginPiece: Bool { type.isRandomAccess }
        /// Shown before the random access point that it follows.
        package var isLeading: Bool { type.isSkippedLeading || type.isDecodableLeading }

        /// The part of a slice segment's unit that is the same, byte for byte, in its copy: all but the unit's header.
        package func payloads() -> [Range<Int>] {
            units.filter(\.type.isSlice).map { $0.range.dropFirst(2) }
        }
    }

    /// The first bits of slice_segment_header( ). Source: §7.3.6.1.
    struct SliceStart {
        let isFirst: Bool
        let pictureSetID: Int
        /// Where the picture parameter set's id lies in the RBSP, in bits.
        let idRange: Range<Int>
        let hasFailed: Bool

        init(_ unit: UnsafeRawBufferPointer, _ type: UnitType) {
            var reader = BitReader(UnsafeRawBufferPointer(rebasing: unit.dropFirst(2)), isEscaped: true)
            isFirst = reader.flag()
            if type.isRandomAccess { _ = reader.flag() }
            let start = reader.bitPosition
            pictureSetID = reader.ue(0...63)
            idRange = start..<reader.bitPosition
            hasFailed = reader.hasFailed
        }
    }
}

extension HEVC.DecoderConfiguration {
    /// Whether a set in a packet repeats one of these.
    fileprivate func holds(_ unit: Slice<UnsafeRawBufferPointer>) -> Bool {
        videoSets.contains { unit.elementsEqual($0) } || sequenceSets.contains { unit.elementsEqual($0.unit) }
            || pictureSets.contains { unit.elementsEqual($0.unit) }
    }
}
