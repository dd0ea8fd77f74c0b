extension H264 {
    /// What a packet holds: one picture's units, as places in its bytes, and its slices' headers.
    ///
    /// Only headers are read. The packet's bytes stay the caller's; whatever needs them asks for them again.
    package struct AccessUnit: Hashable, Sendable {
        package struct Unit: Hashable, Sendable {
            package var type: UnitType
            /// In the packet, without length or start code.
            package var range: Range<Int>
        }

        package struct Slice: Hashable, Sendable {
            /// Its unit, in the packet.
            package var range: Range<Int>
            package var header: SliceHeader
        }

        package let units: [Unit]
        /// At least one; all are of one picture.
        package let slices: [Slice]
        /// recovery_frame_cnt of a recovery point SEI message: after so many more reference pictures, what is shown is
        /// right. Source: §D.2.8.
        package let recoveryFrameCount: Int?

        /// - Parameters:
        ///   - packet: a packet of one frame, framed as the configuration says.
        ///   - configuration: holds the sets that the stream's slices refer to.
        /// - Throws: an obstacle when the packet is damaged, or is nothing that could be copied: parameter sets other
        ///   than the configuration's, several pictures, fields, or units of layers and partitions.
        package init(
            _ packet: UnsafeRawBufferPointer, _ configuration: DecoderConfiguration
        ) throws(Obstacle) {
            guard let ranges = NALUnits.ranges(in: packet, configuration.framing) else { throw .damaged }
            var units: [Unit] = []
            var slices: [Slice] = []
            var recovery: Int?
            for range in ranges {
                let bytes = UnsafeRawBufferPointer(rebasing: packet[range])
                guard bytes[0] & 0x80 == 0 else { throw .damaged }
                let type = UnitType(header: bytes[0])
                if let obstacle = type.obstacle { throw obstacle }
                units.append(Unit(type: type, range: range))
                switch type {
                case .slice, .idrSlice:
                    let header = try SliceHeader(bytes, configuration)
                    if let first = slices.first?.header {
                        guard header.isOfSamePicture(as: first) else { throw .severalPictures }
                    }
                    slices.append(Slice(range: range, header: header))
                case .sei: recovery = recovery ?? recoveryPoint(bytes)
                case .sequenceSet, .pictureSet:
                    guard configuration.holds(packet, range) else { throw .changingSets }
                default: break
                }
            }
            guard let first = slices.first?.header, slices.contains(where: { $0.header.firstMacroblock == 0 })
            else { throw .damaged }
            if first.isField { throw .interlaced }
            (self.units, self.slices, recoveryFrameCount) = (units, slices, recovery)
        }
    }
}

extension H264.AccessUnit {
    /// Its first slice's header.
    package var header: H264.SliceHeader { slices[0].header }
    package var isIDR: Bool { header.isIDR }
    package var isReference: Bool { header.isReference }
    /// Whether every slice can be decoded without another picture.
    package var isIntra: Bool { slices.allSatisfy(\.header.isIntra) }
    package var hasParameterSets: Bool { units.contains { $0.type == .sequenceSet || $0.type == .pictureSet } }

    /// Whether what follows it, and is shown after it, can be decoded without what precedes it.
    ///
    /// - Parameter isKeyframe: whether the container says so. An I picture alone promises nothing.
    package func canBeginPiece(isKeyframe: Bool) -> Bool {
        isIDR || isReference && isIntra && (recoveryFrameCount == 0 || isKeyframe)
    }

    /// The part of a slice's data that is the same, byte for byte, where a rewriting of its header moves it by whole
    /// bytes: nearly all of it. Hashes of it prove that a picture was copied.
    ///
    /// - Returns: a range of the packet. A rewritten unit ends in as many bytes.
    package func payload(of slice: Slice, in packet: UnsafeRawBufferPointer) -> Range<Int> {
        let unit = NALUnits.trimmed(slice.range, in: packet)
        let settled = slice.header.settledOffset(in: UnsafeRawBufferPointer(rebasing: packet[unit]))
        return unit.lowerBound + settled..<unit.upperBound
    }

    /// The payloads of all slices, in order.
    package func payloads(in packet: UnsafeRawBufferPointer) -> [Range<Int>] {
        slices.map { payload(of: $0, in: packet) }
    }

    /// slice_data( ) of a slice with its trailing bits, from a byte's first bit on, without emulation prevention: what
    /// any rewriting leaves as it is. Proves what payloads cannot.
    package func data(of slice: Slice, in packet: UnsafeRawBufferPointer, usesCABAC: Bool) -> [UInt8] {
        let unit = NALUnits.trimmed(slice.range, in: packet)
        let rbsp = NALUnits.unescaped(UnsafeRawBufferPointer(rebasing: packet[unit.dropFirst()]))
        let start = usesCABAC ? (slice.header.dataPosition + 7) / 8 * 8 : slice.header.dataPosition
        let end = usesCABAC ? rbsp.count * 8 : H264.stopBit(of: rbsp) ?? start
        var writer = BitWriter()
        if start <= end { writer.append(rbsp, bits: start..<end) }
        writer.finishRBSP()
        return writer.bytes
    }
}

extension H264.SliceHeader {
    /// From here on a unit is the same, byte for byte, behind any header that moves slice data by whole bytes, wherever in
    /// a byte it ends: emulation prevention depends on the bytes before, up to one that is neither zero nor prevents
    /// anything, and that one is looked for among bytes that are slice data alone.
    ///
    /// - Parameter unit: with this header, without zeros at its end.
    func settledOffset(in unit: UnsafeRawBufferPointer) -> Int {
        var offset = dataOffset + (dataPosition % 8 == 0 ? 0 : 1)
        while offset < unit.count, unit[offset] <= 3 { offset += 1 }
        return min(offset + 1, unit.count)
    }

    /// Source: §7.4.1.2.4. Every slice of a picture also marks the same references.
    fileprivate func isOfSamePicture(as first: Self) -> Bool {
        frameNum == first.frameNum && isIDR == first.isIDR && idrPicID == first.idrPicID
            && isReference == first.isReference && isField == first.isField
            && isBottomField == first.isBottomField && pictureOrderLSB == first.pictureOrderLSB
            && pictureOrderDeltaBottom == first.pictureOrderDeltaBottom && marking == first.marking
            && (firstMacroblock != first.firstMacroblock || colourPlane != first.colourPlane)
    }
}

extension H264.DecoderConfiguration {
    /// Whether a set in a packet repeats one of these.
    fileprivate func holds(_ packet: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        let unit = packet[NALUnits.trimmed(range, in: packet)]
        return unit.elementsEqual(sequence.unit) || pictureSets.contains { unit.elementsEqual($0.unit) }
    }
}

extension H264 {
    /// recovery_frame_cnt, where an SEI unit has such a message. Source: §7.3.2.3.1, §D.1.8.
    fileprivate static func recoveryPoint(_ unit: UnsafeRawBufferPointer) -> Int? {
        var reader = BitReader(UnsafeRawBufferPointer(rebasing: unit.dropFirst()), isEscaped: true)
        while !reader.hasFailed {
            let type = number(&reader)
            let size = number(&reader)
            if type == 6 {
                let count = reader.ue()
                return reader.hasFailed ? nil : count
            }
            guard size <= unit.count else { return nil }
            reader.skip(bytes: size)
        }
        return nil

        func number(_ reader: inout BitReader) -> Int {
            var value = 0
            while !reader.hasFailed {
                let byte = reader.u(8)
                value += byte
                if byte != 255 { break }
            }
            return value
        }
    }
}
