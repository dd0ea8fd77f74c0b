extension H264 {
    /// Writes a seam's slices anew, following both decoders: the encoder's own, and the output's.
    struct SeamRewriter: Hashable, Sendable {
        private let sets: SeamSets
        private let sequence: SequenceParameterSet
        private var freeIDs: [Int]
        /// What the encoder takes its reference frames to be, by numbers that do not wrap around.
        private var encoderFrames: [Int] = []
        /// What the output's decoder has come to.
        private(set) var end: SeamEnd
        private var previousOrder = Int.min

        init(_ sets: SeamSets, avoiding: Set<Int>) {
            self.sets = sets
            sequence = sets.output.sequence
            // Two of them, by turns, if there is more than one IDR picture.
            freeIDs = Array((0...).lazy.filter { !avoiding.contains($0) }.prefix(2))
            end = SeamEnd(references: ReferenceFrames(sequence))
        }

        /// - Returns: the picture's packet: its slices, and captions if it has any. What else an encoder says, of
        ///   itself and of buffers, is not true of the output.
        mutating func rewrite(_ picture: EncodedSeam.Picture, _ packet: [UInt8]) throws(Obstacle) -> [UInt8] {
            let old = picture.unit.header
            let frameNum = picture.number % sequence.maxFrameNum
            let marking = try nextMarking(old, picture.number)
            if old.isIDR { freeIDs.reverse() }
            end.idrPicID = old.isIDR ? freeIDs.last : nil

            var output: [UInt8] = []
            for unit in picture.unit.units {
                if unit.type == .sei, packet[unit.range].dropFirst().first == 4 {
                    NALUnits.append(lengthPrefixed: packet[unit.range], to: &output)
                }
                guard let slice = picture.unit.slices.first(where: { $0.range == unit.range }) else { continue }
                var header = slice.header
                header.frameNum = frameNum
                header.idrPicID = end.idrPicID ?? 0
                header.pictureOrderLSB = H264.modulo(picture.order, sequence.maxPictureOrderLSB)
                (header.pictureOrderDeltaBottom, header.pictureOrderDelta0) = (0, 0)
                header.marking = marking
                header.modification0 = try translated(header.modification0)
                header.modification1 = try translated(header.modification1)
                let rewritten = try packet.reading { (bytes) throws(Obstacle) in
                    try H264.rewritten(
                        UnsafeRawBufferPointer(rebasing: bytes[unit.range]), from: slice.header, to: header, sequence,
                        sets.pictureSet)
                }
                NALUnits.append(lengthPrefixed: rewritten, to: &output)
            }
            // Numbers come again after fewer pictures than the encoder takes it.
            let oldest = encoderFrames.min() ?? picture.number
            guard picture.number + 1 - oldest < sequence.maxFrameNum else { throw .encoderReferences }
            try follow(old, picture, marking, frameNum)
            return output
        }

        /// The output's decoder may keep more frames than the encoder takes it to keep, which would change the order of
        /// its lists. So frames that slide out of the encoder's window are unmarked by name.
        private mutating func nextMarking(
            _ header: SliceHeader, _ number: Int
        ) throws(Obstacle) -> SliceHeader.Marking {
            switch header.marking {
            case .none: return .none
            case .idr(_, let isLongTerm):
                guard !isLongTerm else { throw .encoderFormat }
                encoderFrames = [0]
                return .idr(dropsPriorPictures: false, isLongTerm: false)
            case .slidingWindow:
                let capacity = max(1, sets.encoder.sequence.maxReferenceFrames)
                var unmarked: Int?
                if encoderFrames.count >= capacity, let oldest = encoderFrames.min() {
                    encoderFrames.removeAll { $0 == oldest }
                    unmarked = number - oldest
                }
                encoderFrames.append(number)
                guard let unmarked, capacity < end.references.capacity else { return .slidingWindow }
                guard unmarked < sequence.maxFrameNum else { throw .encoderReferences }
                return .adaptive([.unmark(unmarked)])
            case .adaptive(let operations):
                for operation in operations {
                    guard case .unmark(let distance) = operation, distance < sequence.maxFrameNum,
                        encoderFrames.contains(number - distance)
                    else { throw .encoderFormat }
                    encoderFrames.removeAll { $0 == number - distance }
                }
                encoderFrames.append(number)
                return header.marking
            }
        }

        /// The same frames by the output's numbers, which wrap around elsewhere.
        private func translated(
            _ modifications: [SliceHeader.ListModification]?
        ) throws(Obstacle) -> [SliceHeader.ListModification]? {
            guard let modifications else { return nil }
            let distances = SliceHeader.distances(of: modifications, sets.encoder.sequence.maxFrameNum)
            let named = distances.compactMap(\.self).filter { $0 > 0 && $0 < sequence.maxFrameNum }
            guard named.count == distances.count else { throw .encoderReferences }
            return SliceHeader.modifications(toDistances: named, sequence.maxFrameNum)
        }

        /// What the output's decoder makes of it; it must agree with what was meant.
        private mutating func follow(
            _ old: SliceHeader, _ picture: EncodedSeam.Picture, _ marking: SliceHeader.Marking, _ frameNum: Int
        ) throws(Obstacle) {
            var header = old
            (header.frameNum, header.marking) = (frameNum, marking)
            header.pictureOrderLSB = H264.modulo(picture.order, sequence.maxPictureOrderLSB)
            (header.pictureOrderDeltaBottom, header.pictureOrderDelta0) = (0, 0)
            let shown = end.order.next(header, sequence)
            if sequence.pictureOrderType == 2 {
                // Decoding order is the order of showing, and no two pictures in a row are without reference.
                guard old.isIDR || picture.order > previousOrder && shown > end.lastShown else { throw .encoderOrder }
            } else {
                guard shown == picture.order else { throw .encoderOrder }
            }
            previousOrder = picture.order
            end.lastShown = old.isIDR ? shown : max(end.lastShown, shown)
            guard old.isReference else { return }
            end.number = picture.number
            if old.isIDR {
                end.references.removeAll()
            } else if case .adaptive(let operations) = marking {
                for case .unmark(let distance) in operations { end.references.remove(picture.number - distance) }
            } else if let sliding = end.references.sliding {
                end.references.remove(sliding.number)
            }
            end.references.append(.init(number: picture.number, order: shown, counterpart: nil))
        }
    }
}
