extension H264 {
    /// The parameter sets of a stream, and how its packets are framed.
    package struct DecoderConfiguration: Hashable, Sendable {
        package let framing: NALUnits.Framing
        package let sequence: SequenceParameterSet
        package let pictureSets: [PictureParameterSet]

        init(
            framing: NALUnits.Framing, sequence: SequenceParameterSet, pictureSets: [PictureParameterSet]
        ) {
            (self.framing, self.sequence, self.pictureSets) = (framing, sequence, pictureSets)
        }

        /// What a container or an encoder gives beside the packets: an `avcC` record, or units after start codes.
        package init(extradata: [UInt8]) throws(Obstacle) {
            if extradata.first == 1 {
                try self.init(record: extradata)
            } else {
                try self.init(annexB: extradata)
            }
        }

        /// AVCDecoderConfigurationRecord. Source: ISO/IEC 14496-15 §5.3.3.1.
        package init(record: [UInt8]) throws(Obstacle) {
            guard record.count >= 7, record[0] == 1 else {
                throw record.isEmpty ? .noParameterSets : .damaged
            }
            let lengthSize = Int(record[4] & 3) + 1
            guard lengthSize != 3 else { throw .damaged }
            var units: [[UInt8]] = []
            var offset = 5
            for mask in [0x1F, 0xFF] as [UInt8] {
                guard offset < record.count else { throw .damaged }
                let count = Int(record[offset] & mask)
                offset += 1
                for _ in 0..<count {
                    guard offset + 2 <= record.count else { throw .damaged }
                    let length = Int(record[offset]) << 8 | Int(record[offset + 1])
                    offset += 2
                    guard offset + length <= record.count else { throw .damaged }
                    units.append(Array(record[offset..<offset + length]))
                    offset += length
                }
            }
            // What may follow repeats fields of the sequence parameter set, and its extensions, which are about alpha.
            if record.count >= offset + 4, record[offset + 3] > 0 { throw .auxiliaryPictures }
            try self.init(units: units, framing: .lengthPrefixed(lengthSize))
        }

        /// Units after start codes; the stream's packets are taken for such too.
        package init(annexB bytes: [UInt8]) throws(Obstacle) {
            let units = bytes.withUnsafeBytes { all in
                (NALUnits.ranges(in: all, .annexB) ?? []).map { Array(bytes[$0]) }
            }
            try self.init(units: units, framing: .annexB)
        }

        /// - Parameter units: any; what is no parameter set does not count.
        package init(units: [[UInt8]], framing: NALUnits.Framing) throws(Obstacle) {
            var sequences: [SequenceParameterSet] = []
            var pictures: [PictureParameterSet] = []
            for unit in units {
                guard let header = unit.first else { continue }
                let type = UnitType(header: header)
                if let obstacle = type.obstacle { throw obstacle }
                guard type == .sequenceSet else { continue }
                let set = try SequenceParameterSet(Self.trimmed(unit))
                if !sequences.contains(set) { sequences.append(set) }
            }
            guard let sequence = sequences.first else { throw .noParameterSets }
            guard sequences.count == 1 else { throw .severalSequenceSets }
            for unit in units {
                guard let header = unit.first, UnitType(header: header) == .pictureSet else { continue }
                let set = try PictureParameterSet(Self.trimmed(unit), sequences: sequences)
                guard !pictures.contains(set) else { continue }
                guard set.sequenceID == sequence.id else { throw .noParameterSets }
                guard !pictures.contains(where: { $0.id == set.id }) else { throw .changingSets }
                pictures.append(set)
            }
            guard !pictures.isEmpty else { throw .noParameterSets }
            self.init(framing: framing, sequence: sequence, pictureSets: pictures)
        }

        private static func trimmed(_ unit: [UInt8]) -> [UInt8] {
            Array(unit[unit.withUnsafeBytes { NALUnits.trimmed(0..<unit.count, in: $0) }])
        }
    }
}

extension H264.DecoderConfiguration {
    package func pictureSet(_ id: Int) -> H264.PictureParameterSet? { pictureSets.first { $0.id == id } }

    /// The `avcC` record for packets whose units follow their length in four bytes.
    package var record: [UInt8] {
        var record: [UInt8] = [1, UInt8(sequence.profile), sequence.constraints, UInt8(sequence.level), 0xFF, 0xE1]
        func append(_ unit: [UInt8]) {
            record += [UInt8(truncatingIfNeeded: unit.count >> 8), UInt8(truncatingIfNeeded: unit.count)] + unit
        }
        append(sequence.unit)
        record.append(UInt8(truncatingIfNeeded: pictureSets.count))
        for set in pictureSets { append(set.unit) }
        // All but the profiles of 2003 have the extension fields.
        if ![66, 77, 88].contains(sequence.profile) {
            record += [
                0xFC | UInt8(sequence.chromaFormat), 0xF8 | UInt8(sequence.bitDepthLuma - 8),
                0xF8 | UInt8(sequence.bitDepthChroma - 8), 0,
            ]
        }
        return record
    }

    /// What keeps packets of this stream from being copied into another sequence of pictures, as far as its parameter
    /// sets tell.
    package var obstacle: H264.Obstacle? {
        if !sequence.isFramesOnly { return .interlaced }
        if sequence.pictureOrderType == 1 { return .pictureOrderType }
        if [83, 86, 118, 128, 134, 135, 138, 139].contains(sequence.profile) { return .layers }
        if pictureSets.contains(where: \.hasRedundantPictures) { return .redundantPictures }
        return nil
    }
}
