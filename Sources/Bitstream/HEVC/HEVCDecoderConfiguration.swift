extension HEVC {
    /// The parameter sets of a stream, and how its packets are framed.
    package struct DecoderConfiguration: Hashable, Sendable {
        package let framing: NALUnits.Framing
        /// Video parameter sets, as units.
        package let videoSets: [[UInt8]]
        package let sequenceSets: [SequenceParameterSet]
        package let pictureSets: [PictureParameterSet]
        /// SEI messages about the whole stream, as units.
        package let messages: [[UInt8]]

        init(
            framing: NALUnits.Framing, videoSets: [[UInt8]], sequenceSets: [SequenceParameterSet],
            pictureSets: [PictureParameterSet], messages: [[UInt8]]
        ) {
            (self.framing, self.videoSets, self.messages) = (framing, videoSets, messages)
            (self.sequenceSets, self.pictureSets) = (sequenceSets, pictureSets)
        }

        /// What a container or an encoder gives beside the packets: an `hvcC` record, or units after start codes.
        package init(extradata: [UInt8]) throws(Obstacle) {
            guard !extradata.isEmpty else { throw .noParameterSets }
            if extradata[0] == 1 {
                try self.init(record: extradata)
            } else {
                let units = extradata.withUnsafeBytes { all in
                    (NALUnits.ranges(in: all, .annexB) ?? []).map { Array(all[$0]) }
                }
                try self.init(units: units, framing: .annexB)
            }
        }

        /// HEVCDecoderConfigurationRecord. Source: ISO/IEC 14496-15 §8.3.3.1.
        package init(record: [UInt8]) throws(Obstacle) {
            guard record.count >= 23, record[0] == 1 else { throw record.isEmpty ? .noParameterSets : .damaged }
            let lengthSize = Int(record[21] & 3) + 1
            guard lengthSize != 3 else { throw .damaged }
            var units: [[UInt8]] = []
            var offset = 23
            for _ in 0..<record[22] {
                guard offset + 3 <= record.count else { throw .damaged }
                let count = Int(record[offset + 1]) << 8 | Int(record[offset + 2])
                offset += 3
                for _ in 0..<count {
                    guard offset + 2 <= record.count else { throw .damaged }
                    let length = Int(record[offset]) << 8 | Int(record[offset + 1])
                    offset += 2
                    guard offset + length <= record.count else { throw .damaged }
                    units.append(Array(record[offset..<offset + length]))
                    offset += length
                }
            }
            try self.init(units: units, framing: .lengthPrefixed(lengthSize))
        }

        /// - Parameter units: any; what is neither a parameter set nor an SEI message does not count.
        package init(units: [[UInt8]], framing: NALUnits.Framing) throws(Obstacle) {
            var videoSets: [[UInt8]] = []
            var messages: [[UInt8]] = []
            var sequences: [SequenceParameterSet] = []
            var pictures: [PictureParameterSet] = []
            for unit in units where unit.count > 2 {
                let trimmed = Array(unit[unit.withUnsafeBytes { NALUnits.trimmed(0..<unit.count, in: $0) }])
                guard trimmed.count > 2 else { throw .damaged }
                guard layer(of: trimmed[0], trimmed[1]) == 0 else { throw .layers }
                switch UnitType(header: trimmed[0]) {
                case .videoSet: if !videoSets.contains(trimmed) { videoSets.append(trimmed) }
                case .sequenceSet:
                    let set = try SequenceParameterSet(trimmed)
                    if !sequences.contains(set) { sequences.append(set) }
                case .pictureSet:
                    let set = try PictureParameterSet(trimmed)
                    if !pictures.contains(set) { pictures.append(set) }
                case .sei: messages.append(trimmed)
                default: break
                }
            }
            guard let sequence = sequences.first, !pictures.isEmpty else { throw .noParameterSets }
            guard sequences.count == 1, videoSets.count <= 1 else { throw .severalSequenceSets }
            guard Set(pictures.map(\.id)).count == pictures.count else { throw .changingSets }
            guard pictures.allSatisfy({ $0.sequenceID == sequence.id }) else { throw .noParameterSets }
            self.init(
                framing: framing, videoSets: videoSets, sequenceSets: sequences, pictureSets: pictures,
                messages: messages)
        }
    }

    /// nuh_layer_id of a unit's first two bytes.
    static func layer(of first: UInt8, _ second: UInt8) -> Int { Int(first & 1) << 5 | Int(second >> 3) }
}

extension HEVC.DecoderConfiguration {
    /// The stream's own set, which is the first where there is another for seams.
    package var sequence: HEVC.SequenceParameterSet { sequenceSets[0] }

    /// The `hvcC` record for packets whose units follow their length in four bytes, and are never parameter sets.
    package var record: [UInt8] {
        var record: [UInt8] = [1] + sequence.profileTierLevel
        // Nothing is promised of slices that can be decoded side by side, nor of the frame rate.
        record += [0xF0, 0, 0xFC, 0xFC | UInt8(sequence.chromaFormat)]
        record += [0xF8 | UInt8(sequence.bitDepthLuma - 8), 0xF8 | UInt8(sequence.bitDepthChroma - 8), 0, 0]
        record.append(UInt8(sequence.subLayers) << 3 | (sequence.nestsTemporalLayers ? 4 : 0) | 3)
        let arrays: [(HEVC.UnitType, [[UInt8]])] = [
            (.videoSet, videoSets), (.sequenceSet, sequenceSets.map(\.unit)), (.pictureSet, pictureSets.map(\.unit)),
            (.sei, messages),
        ].filter { !$0.1.isEmpty }
        record.append(UInt8(arrays.count))
        for (type, units) in arrays {
            // All there are, but for messages.
            record += [(type == .sei ? 0 : 0x80) | type.rawValue, UInt8(units.count >> 8), UInt8(units.count & 255)]
            for unit in units { record += [UInt8(unit.count >> 8), UInt8(unit.count & 255)] + unit }
        }
        return record
    }

    /// What keeps this stream's packets from being copied next to pictures encoded here, as far as its sets tell.
    package var obstacle: HEVC.Obstacle? {
        if sequence.isInterlaced { return .interlaced }
        if sequence.chromaFormat != 1 { return .chromaFormat }
        guard sequence.bitDepthLuma == sequence.bitDepthChroma, [8, 10].contains(sequence.bitDepthLuma) else {
            return .bitDepth
        }
        return [1, 2, 3].contains(sequence.profile) ? nil : .profile
    }
}
