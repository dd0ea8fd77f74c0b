extension H264 {
    /// Writes a seam's slices anew, following both decoders: the encoder's own, and the output's.
    struct SeamRewriter: Hashable, Sendable {
        private let sets: SeamSets
        private let sequence: SequenceParameterSet
        private var freeIDs: [Int]
        /// What the encoder takes its reference frames to be, by numbers that do not wrap around.
        private var encoderFrames: [Int] = []
        private var references: ReferenceFrames
        private var order = PictureOrder()
        private var previousOrder = Int.min
        private var lastReference = 0
        private var lastShown = 0
        private var lastID: Int?

        init(_ sets: SeamSets, avoiding: Set<Int>) {
            self.sets = sets
            sequence = sets.output.sequence
            // Two of them, by turns, if there is more than one IDR picture.
            freeIDs = Array((0...).lazy.filter { !avoiding.contains($0) }.prefix(2))
            references = ReferenceFrames(sequence)
        }

        func end(_ shift: CopiedRun.Shift) -> SeamEnd {
            SeamEnd(
                frameNum: lastReference, orderState: order, lastShown: lastShown, references: references, shift: shift,
                idrPicID: lastID)
        }

        /// - Returns: the picture's packet: its slices, and captions if it has any. What else an encoder says, of itself
        ///   and of buffers, is not true of the output.
        mutating func rewrite(_ picture: EncodedSeam.Picture, _ packet: [UInt8]) throws(Obstacle) -> [UInt8] {
            let old = picture.unit.header
            let frameNum = picture.number % sequence.maxFrameNum
            let marking = try nextMarking(old, picture.number)
            if old.isIDR {
                freeIDs.reverse()
                references.removeAll()
            }
            lastID = old.isIDR ? freeIDs.last : nil

            var output: [UInt8] = []
            for unit in picture.unit.units {
                if unit.type == .sei, packet[unit.range].dropFirst().first == 4 {
                    NALUnits.append(lengthPrefixed: packet[unit.range], to: &output)
                }
                guard let slice = picture.unit.slices.first(where: { $0.range == unit.range }) else { continue }
                var header = slice.header
                header.frameNum = frameNum
                header.idrPicID = lastID ?? 0
                header.pictureOrderLSB = H264.modulo(picture.order, sequence.maxPictureOrderLSB)
                (header.pictureOrderDeltaBottom, header.pictureOrderDelta0) = (0, 0)
                header.marking = marking
                header.modification0 = try translated(header.modification0, picture.number)
                header.modification1 = try translated(header.modification1, picture.number)
                let rewritten = try packet.reading { (bytes) throws(Obstacle) in
                    try H264.rewritten(
                        UnsafeRawBufferPointer(rebasing: bytes[unit.range]), from: slice.header, to: header, sequence,
                        sets.pictureSet)
                }
                NALUnits.append(lengthPrefixed: rewritten, to: &output)
            }
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
                guard let unmarked, capacity < references.capacity else { return .slidingWindow }
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

        /// The same frames by the output's numbers, which wrap around elsewhere. Source: §8.2.4.3.1.
        private func translated(
            _ modifications: [SliceHeader.ListModification]?, _ number: Int
        ) throws(Obstacle) -> [SliceHeader.ListModification]? {
            guard let modifications else { return nil }
            let limit = sequence.maxFrameNum
            var translated: [SliceHeader.ListModification] = []
            var previous = 0
            for distance in H264.distances(of: modifications, sets.encoder.sequence.maxFrameNum) {
                guard let distance, distance > 0, distance < limit else { throw .encoderReferences }
                // The same frame twice is a whole turn.
                translated.append(
                    distance < previous
                        ? .add(previous - distance) : .subtract(distance == previous ? limit : distance - previous))
                previous = distance
            }
            return translated
        }

        /// What the output's decoder makes of it; it must agree with what was meant.
        private mutating func follow(
            _ old: SliceHeader, _ picture: EncodedSeam.Picture, _ marking: SliceHeader.Marking, _ frameNum: Int
        ) throws(Obstacle) {
            var header = old
            (header.frameNum, header.marking) = (frameNum, marking)
            header.pictureOrderLSB = H264.modulo(picture.order, sequence.maxPictureOrderLSB)
            (header.pictureOrderDeltaBottom, header.pictureOrderDelta0) = (0, 0)
            let shown = order.next(header, sequence)
            if sequence.pictureOrderType == 2 {
                // Decoding order is the order of showing, and no two pictures in a row are without reference.
                guard old.isIDR || picture.order > previousOrder && shown > lastShown else { throw .encoderOrder }
            } else {
                guard shown == picture.order else { throw .encoderOrder }
            }
            previousOrder = picture.order
            lastShown = old.isIDR ? shown : max(lastShown, shown)
            guard old.isReference else { return }
            lastReference = frameNum
            if case .adaptive(let operations) = marking {
                for case .unmark(let distance) in operations { references.remove(distance: distance, from: frameNum) }
            } else if !old.isIDR {
                references.slide(before: frameNum, capacity: references.capacity)
            }
            references.append(.init(frameNum: frameNum, order: shown, isPresent: false))
        }
    }
}
