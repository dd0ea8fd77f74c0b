extension HEVC {
    /// The parameter sets of an output that joins a source's packets and an encoder's.
    ///
    /// Each piece and each seam begins with a picture where sequence parameter sets may change, so the output has the
    /// source's and the encoder's sets, these under ids of their own, and all of them in its container's record.
    package struct SeamSets: Hashable, Sendable {
        /// The source's configuration, as it was.
        package let source: DecoderConfiguration
        /// The encoder's configuration, as it was.
        package let encoder: DecoderConfiguration
        /// The encoder's sets as they are in the output. Seams can share an output if theirs are equal.
        package let sequenceSet: SequenceParameterSet
        package let pictureSet: PictureParameterSet
        /// The output's: its units follow their length in four bytes.
        package let output: DecoderConfiguration

        package init(source: DecoderConfiguration, encoder: DecoderConfiguration) throws(Obstacle) {
            if let obstacle = source.obstacle ?? encoder.obstacle { throw obstacle }
            let (old, new) = (source.sequence, encoder.sequence)
            guard let picture = encoder.pictureSets.first, encoder.pictureSets.count == 1,
                new.croppedWidth == old.croppedWidth, new.croppedHeight == old.croppedHeight,
                new.bitDepthLuma == old.bitDepthLuma, new.subLayers == 1
            else { throw .encoderFormat }
            // A container says once how far its pictures are out of order.
            guard new.maxReorderedPictures <= old.maxReorderedPictures else { throw .encoderOrder }
            guard new.level <= old.level, new.profile <= old.profile else { throw .encoderFormat }

            let length = codeLength(picture.id)
            let taken = Set(source.pictureSets.map(\.id))
            // Slice data is not to move but by whole bytes.
            guard
                let id = (0...63).first(where: { !taken.contains($0) && (codeLength($0) - length).isMultiple(of: 8) })
            else { throw .pictureSetIDs }
            // Readers take the first set to be the stream's.
            let sequenceID = old.id < 15 ? old.id + 1 : 0
            sequenceSet = try new.renumbered(id: sequenceID, video: old.videoID)
            pictureSet = try picture.renumbered(id: id, sequence: sequenceID)
            output = DecoderConfiguration(
                framing: .lengthPrefixed(4), videoSets: source.videoSets,
                sequenceSets: source.sequenceSets + [sequenceSet], pictureSets: source.pictureSets + [pictureSet],
                messages: source.messages)
            (self.source, self.encoder) = (source, encoder)
        }
    }

    /// How many bits ue(v) takes.
    static func codeLength(_ value: Int) -> Int { 2 * (Int.bitWidth - 1 - (value + 1).leadingZeroBitCount) + 1 }

    /// One stream of copied packets and seams, in decoding order.
    ///
    /// Each piece begins with a random access point. One that is a CRA picture becomes a BLA picture, so that what
    /// precedes it is of no matter; pictures that are shown before it are left out, as the seam before has shown them.
    package struct Splice: PacketSplice, Hashable, Sendable {
        /// What the output's container is to be given; its record is written for packets with lengths of four bytes.
        package let configuration: DecoderConfiguration
        private let source: DecoderConfiguration
        private let sets: SeamSets?
        private var state = State.beginning

        private enum State: Hashable, Sendable {
            /// What comes next must be a random access point.
            case beginning
            /// After a random access point whose leading pictures cannot be decoded here.
            case cut
            case running
            /// A seam's first picture comes next.
            case seam
        }

        /// Copied packets only.
        package init(copying source: DecoderConfiguration) throws(Obstacle) {
            if let obstacle = source.obstacle { throw obstacle }
            (self.source, sets) = (source, nil)
            configuration = DecoderConfiguration(
                framing: .lengthPrefixed(4), videoSets: source.videoSets, sequenceSets: source.sequenceSets,
                pictureSets: source.pictureSets, messages: source.messages)
        }

        /// Copied packets of the sets' source, and seams by their encoder.
        package init(_ sets: SeamSets) { (source, self.sets, configuration) = (sets.source, sets, sets.output) }

        package mutating func begin() { state = .beginning }

        /// SEI messages stay, parameter sets go; see `H264.Splice.copy`.
        package mutating func copy(
            _ unit: AccessUnit, _ packet: UnsafeRawBufferPointer
        ) throws(Obstacle) -> CopiedPacket {
            let begins = state == .beginning || state == .seam
            guard !begins || unit.type.isRandomAccess else { throw .entry }
            if unit.type.isRandomAccess {
                state = begins && unit.type == .cra || unit.type.isBLA ? .cut : .running
            } else if state == .cut {
                guard !unit.type.isSkippedLeading else { throw .leadingPicture }
            }
            let isRetyped = begins && unit.type == .cra
            // A stream that ends here has the next one begin anew; the unit that says so is not copied.
            if unit.units.contains(where: { $0.type == .endOfSequence || $0.type == .endOfStream }) {
                state = .beginning
            }
            let hasSuperfluous = unit.units.contains { $0.type.isSuperfluous }
            guard isRetyped || hasSuperfluous || source.framing != .lengthPrefixed(4) else { return .unchanged }
            var output: [UInt8] = []
            output.reserveCapacity(packet.count + 16)
            var payloads: [Range<Int>] = []
            for part in unit.units where !part.type.isSuperfluous && !part.type.isPadding {
                NALUnits.append(lengthPrefixed: packet[part.range], to: &output)
                guard part.type.isSlice else { continue }
                payloads.append(output.count - part.range.count + 2..<output.count)
                if isRetyped {
                    output[output.count - part.range.count] &= 0x81
                    output[output.count - part.range.count] |= UnitType.blaWithoutLeading.rawValue << 1
                }
            }
            return .rewritten(output, payloads: payloads)
        }

        package mutating func skip(_ unit: AccessUnit) throws(Obstacle) {
            guard state == .cut || state == .running, unit.isLeading || unit.type.isSubLayerNonReference else {
                throw .missingReference
            }
        }

        /// Writes all packets of a seam.
        ///
        /// - Parameter encoded: in decoding order, as the encoder framed them.
        /// - Returns: as many packets, in the same order.
        package mutating func write(seam encoded: [[UInt8]]) throws(Obstacle) -> [[UInt8]] {
            beginSeam()
            var packets: [[UInt8]] = []
            for packet in encoded {
                packets.append(try packet.reading { (bytes) throws(Obstacle) in try write(seamPicture: bytes) })
            }
            return packets
        }

        /// Begins a seam whose pictures come one by one. What is copied behind it begins a piece.
        package mutating func beginSeam() { state = .seam }

        package mutating func write(seamPicture packet: UnsafeRawBufferPointer) throws(Obstacle) -> [UInt8] {
            guard let sets else { throw .encoderFormat }
            let unit = try AccessUnit(packet, sets.encoder)
            guard state != .seam || unit.type.isIDR else { throw .encoderFormat }
            state = .beginning
            var output: [UInt8] = []
            for part in unit.units where part.type.isSlice {
                let bytes = UnsafeRawBufferPointer(rebasing: packet[part.range])
                let rewritten = try HEVC.rewritten(bytes, part.type, pictureSetID: sets.pictureSet.id)
                NALUnits.append(lengthPrefixed: rewritten, to: &output)
            }
            return output
        }
    }

    /// A slice segment's unit that refers to another picture parameter set, whose id takes as many bits, or whole bytes
    /// more or less.
    static func rewritten(
        _ unit: UnsafeRawBufferPointer, _ type: UnitType, pictureSetID: Int
    ) throws(Obstacle) -> [UInt8] {
        let start = SliceStart(unit, type)
        let body = NALUnits.trimmed(2..<unit.count, in: unit)
        let rbsp = NALUnits.unescaped(UnsafeRawBufferPointer(rebasing: unit[body]))
        guard !start.hasFailed, start.idRange.upperBound <= rbsp.count * 8 else { throw .damaged }
        var writer = BitWriter()
        writer.append(rbsp, bits: 0..<start.idRange.lowerBound)
        writer.ue(pictureSetID)
        writer.append(rbsp, bits: start.idRange.upperBound..<rbsp.count * 8)
        return NALUnits.unit(header: [unit[0], unit[1]], rbsp: writer.bytes)
    }
}

extension HEVC.UnitType {
    /// Sets that the container holds, and ends of what goes on.
    fileprivate var isSuperfluous: Bool { isParameterSet || self == .endOfSequence || self == .endOfStream }

    /// What only streams without a container need.
    fileprivate var isPadding: Bool { self == .delimiter || self == .filler }
}
