extension H264 {
    /// One stream of copied packets and seams, in decoding order.
    ///
    /// A piece that begins with an IDR picture may follow anything; one that begins with another picture follows a seam.
    package struct Splice: PacketSplice, Hashable, Sendable {
        /// What the output's container is to be given; its record is written for packets with lengths of four bytes.
        package let configuration: DecoderConfiguration
        private let source: DecoderConfiguration
        private let sets: SeamSets?
        /// idr_pic_id of the picture before, if that is an IDR picture.
        private var previousID: Int?
        private var run: CopiedRun?
        private var seamEnd: SeamEnd?
        private var growing: GrowingSeam?

        /// Copied packets only: every piece begins with an IDR picture.
        package init(copying source: DecoderConfiguration) throws(Obstacle) {
            if let obstacle = source.obstacle { throw obstacle }
            (self.source, sets) = (source, nil)
            configuration = DecoderConfiguration(
                framing: .lengthPrefixed(4), sequence: source.sequence, pictureSets: source.pictureSets)
        }

        /// Copied packets of the sets' source, and seams by their encoder.
        package init(_ sets: SeamSets) {
            (source, self.sets, configuration) = (sets.source, sets, sets.output)
        }

        package mutating func begin() { run = nil }

        /// SEI messages stay: untouched packets prove what was copied, and what they tell of buffers a decoder does not
        /// use to decode. Only where a packet is written anew, for its framing or its numbers, do delimiters and filler
        /// go, which files do without; parameter sets go always, as the output has one place for them.
        package mutating func copy(
            _ unit: AccessUnit, _ packet: UnsafeRawBufferPointer
        ) throws(Obstacle) -> CopiedPacket {
            var next: CopiedRun
            if unit.isIDR {
                next = run ?? CopiedRun(source.sequence)
            } else if let run {
                next = run
            } else if let seamEnd {
                guard unit.isReference, unit.isIntra else { throw .entry }
                next = CopiedRun(source.sequence, after: seamEnd)
            } else {
                throw .entry
            }
            var headers = try next.keep(unit)
            if unit.isIDR, let previousID, unit.header.idrPicID == previousID {
                for index in headers.indices { headers[index].idrPicID = Self.otherID(previousID) }
            }
            let copied = try rewritten(unit, packet, headers)
            (run, seamEnd, previousID) = (next, nil, unit.isIDR ? headers[0].idrPicID : nil)
            return copied
        }

        package mutating func skip(_ unit: AccessUnit) throws(Obstacle) {
            guard var next = run else { throw .leadingPicture }
            try next.skip(unit)
            run = next
        }

        /// Writes all packets of a seam.
        ///
        /// - Parameters:
        ///   - encoded: in decoding order, as the encoder framed them.
        ///   - following: the access unit that is copied next; `nil` if another seam or nothing comes. IDR pictures in
        ///     a row are to differ in a number.
        /// - Returns: as many packets, in the same order.
        package mutating func write(
            seam encoded: [[UInt8]], before following: AccessUnit?
        ) throws(Obstacle) -> [[UInt8]] {
            guard let sets else { throw .encoderFormat }
            let seam = try Seam(encoded, sets, avoiding: takenIDs(before: following))
            (run, seamEnd, previousID) = (nil, seam.end, seam.end.idrPicID)
            return seam.packets
        }

        /// Begins a seam whose pictures come one by one, in the order they are shown: an IDR picture, and reference
        /// pictures behind it.
        ///
        /// - Parameter following: the access unit that is copied next; `nil` if another seam or nothing comes.
        package mutating func beginSeam(before following: AccessUnit?) throws(Obstacle) {
            guard let sets else { throw .encoderFormat }
            growing = GrowingSeam(sets, avoiding: takenIDs(before: following))
        }

        package mutating func write(seamPicture packet: UnsafeRawBufferPointer) throws(Obstacle) -> [UInt8] {
            guard var seam = growing else { throw .encoderFormat }
            growing = nil
            let written = try seam.write(packet)
            (run, seamEnd, previousID, growing) = (nil, seam.end, seam.end.idrPicID, seam)
            return written
        }

        /// Values of idr_pic_id that a seam's neighbours have.
        private func takenIDs(before following: AccessUnit?) -> Set<Int> {
            Set([previousID, following.flatMap { $0.isIDR ? $0.header.idrPicID : nil }].compactMap(\.self))
        }

        /// Another idr_pic_id, as long or by whole bytes longer or shorter: slice data moves by whole bytes, or not at
        /// all.
        private static func otherID(_ id: Int) -> Int {
            // The first and the last are the only ones of their lengths.
            if id == 0 || id == 65535 { return 15 }
            let isLastOfLength = (id + 2).nonzeroBitCount == 1
            return isLastOfLength ? id - 1 : id + 1
        }

        private func rewritten(
            _ unit: AccessUnit, _ packet: UnsafeRawBufferPointer, _ headers: [SliceHeader]
        ) throws(Obstacle) -> CopiedPacket {
            let isRenumbered = zip(unit.slices, headers).contains { $0.header != $1 }
            let hasSuperfluous = unit.units.contains { $0.type.isSuperfluous }
            guard isRenumbered || hasSuperfluous || source.framing != .lengthPrefixed(4) else { return .unchanged }
            var output: [UInt8] = []
            output.reserveCapacity(packet.count + 16)
            var payloads: [Range<Int>] = []
            var isMovedByBits = false
            var next = headers[...]
            for part in unit.units where !part.type.isSuperfluous && !part.type.isPadding {
                let bytes = UnsafeRawBufferPointer(rebasing: packet[part.range])
                guard let slice = unit.slices.first(where: { $0.range == part.range }) else {
                    NALUnits.append(lengthPrefixed: bytes, to: &output)
                    continue
                }
                if isRenumbered, let header = next.popFirst() {
                    guard let picture = configuration.pictureSet(header.pictureSetID) else { throw .damaged }
                    isMovedByBits = isMovedByBits || !picture.usesCABAC && header.modifiesOtherLists(than: slice.header)
                    let renumbered = try H264.rewritten(
                        bytes, from: slice.header, to: header, configuration.sequence, picture)
                    NALUnits.append(lengthPrefixed: renumbered, to: &output)
                } else {
                    let trimmed = NALUnits.trimmed(0..<bytes.count, in: bytes)
                    NALUnits.append(lengthPrefixed: bytes[trimmed], to: &output)
                }
                let payload = unit.payload(of: slice, in: packet)
                payloads.append(output.count - payload.count..<output.count)
            }
            return .rewritten(output, payloads: isMovedByBits ? nil : payloads)
        }
    }
}

extension H264.UnitType {
    /// Sets that the container holds, and ends of what goes on.
    fileprivate var isSuperfluous: Bool {
        [.sequenceSet, .pictureSet, .endOfSequence, .endOfStream].contains(self)
    }

    /// What only streams without a container need.
    fileprivate var isPadding: Bool { self == .delimiter || self == .filler }
}

extension H264.SliceHeader {
    /// Whether what takes other numbers of bits differs: numbers alone keep their width.
    fileprivate func modifiesOtherLists(than other: Self) -> Bool {
        modification0 != other.modification0 || modification1 != other.modification1 || marking != other.marking
    }
}
