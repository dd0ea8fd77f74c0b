extension H264 {
    /// Follows what a decoder makes of a run of copied pictures, and of the same pictures in their source.
    ///
    /// A run that begins with an IDR picture and is copied whole cannot go wrong. One that begins with another picture, or
    /// leaves pictures out, is compared: its pictures must be shown in the same order, and must find what they refer to
    /// in the same places.
    struct CopiedRun: Hashable, Sendable {
        /// What is added to the numbers of every picture of a run up to its next IDR picture.
        struct Shift: Hashable, Sendable {
            var frameNum = 0
            var pictureOrder = 0
        }

        private let sequence: SequenceParameterSet
        private let output: SequenceParameterSet
        private(set) var shift: Shift
        private var previousNum = 0
        private var previousOutputNum: Int
        private var sourceOrder = PictureOrder()
        private var outputOrder: PictureOrder
        /// What the order of the first picture is in the source and in the output, and of all pictures before it.
        private var entry: (source: Int, output: Int)? { entryOrders.map { ($0[0], $0[1]) } }
        private var entryOrders: [Int]?
        private var entryNum = 0
        private let floor: Int
        private(set) var references: ReferenceFrames
        /// Nothing is missing that pictures might refer to.
        private var isWhole = true
        private var usesLongTerm = false
        private var isEmpty = true

        /// A run whose first picture is an IDR picture.
        init(_ sequence: SequenceParameterSet, _ output: SequenceParameterSet) {
            (self.sequence, self.output) = (sequence, output)
            shift = Shift()
            (previousOutputNum, outputOrder, floor) = (0, PictureOrder(), .min)
            references = ReferenceFrames(output)
        }

        /// A run whose first picture is another, directly after a seam.
        init(_ sequence: SequenceParameterSet, _ output: SequenceParameterSet, after end: SeamEnd) {
            (self.sequence, self.output, shift) = (sequence, output, end.shift)
            (previousOutputNum, outputOrder, floor) = (end.frameNum, end.orderState, end.lastShown)
            references = end.references
            references.markAbsent()
            isWhole = false
        }
    }
}

extension H264.CopiedRun {
    /// The next picture, which is copied.
    ///
    /// - Returns: how it is to mark references instead, where it says something of pictures that the output never had.
    mutating func keep(_ unit: H264.AccessUnit) throws(H264.Obstacle) -> H264.SliceHeader.Marking? {
        let header = unit.header
        if header.isIDR {
            self = Self(sequence, output)
            isEmpty = false
            entryOrders = [sourceOrder.next(header, sequence), outputOrder.next(header, output)]
            if case .idr(_, isLongTerm: true) = header.marking {
                usesLongTerm = true
            } else {
                references.append(.init(frameNum: 0, order: 0, isPresent: true))
            }
            return nil
        }
        try checkNumber(header)
        let shifted = shift.applied(to: header, output)
        let order = try checkOrder(header, shifted)
        try fillGap(upTo: shifted.frameNum)
        for slice in unit.slices { try checkLists(slice.header, shifted.frameNum, order) }
        let marking = try mark(shifted, order)
        isEmpty = false
        if header.isReference {
            previousNum = header.resetsAll ? 0 : header.frameNum
            previousOutputNum = header.resetsAll ? 0 : shifted.frameNum
        }
        return marking
    }

    /// The next picture of the source, which is left out.
    mutating func skip(_ unit: H264.AccessUnit) throws(H264.Obstacle) {
        let header = unit.header
        guard !header.isIDR, !header.resetsAll, !isEmpty else { throw .leadingPicture }
        try checkNumber(header)
        _ = sourceOrder.next(header, sequence)
        guard header.isReference else { return }
        guard !usesLongTerm else { throw .longTermReferences }
        isWhole = false
        previousNum = header.frameNum
        guard case .adaptive(let operations) = header.marking else { return }
        // In the output nobody carries out what it says, which matters unless it is about what precedes the run.
        let sinceEntry = H264.modulo(header.frameNum - entryNum, sequence.maxFrameNum)
        for operation in operations {
            guard case .unmark(let distance) = operation else { throw .longTermReferences }
            guard distance > sinceEntry else { throw .leadingPicture }
        }
    }

    /// Whether the source has all its pictures up to here. Source: §7.4.3, frame_num.
    private func checkNumber(_ header: H264.SliceHeader) throws(H264.Obstacle) {
        guard !isEmpty, !sequence.allowsGaps else { return }
        guard header.frameNum == (previousNum + 1) % sequence.maxFrameNum else { throw .frameNumbers }
    }

    private mutating func checkOrder(
        _ header: H264.SliceHeader, _ shifted: H264.SliceHeader
    ) throws(H264.Obstacle) -> Int {
        if isEmpty { sourceOrder = .init(after: header.pictureOrderLSB, sequence) }
        let source = sourceOrder.next(header, sequence)
        let order = outputOrder.next(shifted, output)
        if isEmpty { (entryOrders, entryNum) = ([source, order], header.frameNum) }
        guard let entry, !isWhole else { return order }
        guard order > floor, source - entry.source == order - entry.output else { throw .pictureOrder }
        guard isEmpty || source > entry.source else { throw .leadingPicture }
        return order
    }

    private mutating func fillGap(upTo frameNum: Int) throws(H264.Obstacle) {
        guard frameNum != previousOutputNum else { throw .frameNumbers }
        guard frameNum != (previousOutputNum + 1) % output.maxFrameNum else { return }
        guard output.allowsGaps else { throw .frameNumbers }
        references.fill(after: previousOutputNum, upTo: frameNum)
        // Frames that never were come with a number each.
        previousOutputNum = H264.modulo(frameNum - 1, output.maxFrameNum)
    }

    /// Frames that are not of this run are last in every list, so that all others are where they are in the source. What
    /// modifications name must be there.
    private func checkLists(
        _ header: H264.SliceHeader, _ frameNum: Int, _ order: Int
    ) throws(H264.Obstacle) {
        guard !isWhole, !header.isIntra else { return }
        for modifications in [header.modification0, header.modification1] {
            for distance in H264.distances(of: modifications ?? [], output.maxFrameNum) {
                guard let distance else { throw .longTermReferences }
                guard references.index(distance: distance, from: frameNum) != nil else { throw .missingReference }
            }
        }
        let present = references.frames.filter(\.isPresent)
        guard !present.isEmpty else { throw .missingReference }
        if header.kind == .b, references.hasInferred { throw .missingReference }
        // Without a later picture list 1 is like list 0, and which of the two is turned around depends on how long they
        // are (§8.2.4.2.3).
        if header.kind == .b, references.hasAbsent, !present.contains(where: { $0.order > order }) {
            throw .missingReference
        }
    }

    /// Frames that are not of this run are older than all that are, so that they go first in the output as in the
    /// source, however many there are: to unmark some of them, or all, changes nothing for the run.
    ///
    /// Source: §8.2.5.1, §8.2.5.3, §8.2.5.4.
    private mutating func mark(
        _ header: H264.SliceHeader, _ order: Int
    ) throws(H264.Obstacle) -> H264.SliceHeader.Marking? {
        var isShortTerm = true
        var replaced: H264.SliceHeader.Marking?
        switch header.marking {
        case .none, .idr: return nil
        case .slidingWindow: references.slide(before: header.frameNum, capacity: references.capacity)
        case .adaptive(let operations):
            var possible: [H264.SliceHeader.Marking.Operation] = []
            for operation in operations {
                switch operation {
                case .unmark(let distance):
                    if references.remove(distance: distance, from: header.frameNum) != nil || isWhole {
                        possible.append(operation)
                    }
                case .unmarkAll:
                    guard isWhole else { throw .pictureOrder }
                    references.removeAll()
                    usesLongTerm = false
                default:
                    guard isWhole else { throw .longTermReferences }
                    usesLongTerm = true
                    if case .makeLongTerm(let distance, _) = operation {
                        references.remove(distance: distance, from: header.frameNum)
                    }
                    if case .keepAsLongTerm = operation { isShortTerm = false }
                }
            }
            if !isWhole, possible.count < operations.count {
                possible += references.removeAbsent(from: header.frameNum).map { .unmark($0) }
                replaced = .adaptive(possible)
            }
        }
        guard isShortTerm else { return replaced }
        let frameNum = header.resetsAll ? 0 : header.frameNum
        references.append(.init(frameNum: frameNum, order: header.resetsAll ? 0 : order, isPresent: true))
        return replaced
    }
}

extension H264.CopiedRun.Shift {
    var isZero: Bool { frameNum == 0 && pictureOrder == 0 }

    /// The header with its numbers shifted: they keep their width.
    func applied(
        to header: H264.SliceHeader, _ sequence: H264.SequenceParameterSet
    ) -> H264.SliceHeader {
        guard !isZero else { return header }
        var shifted = header
        shifted.frameNum = H264.modulo(header.frameNum + frameNum, sequence.maxFrameNum)
        if sequence.pictureOrderType == 0 {
            shifted.pictureOrderLSB = H264.modulo(
                header.pictureOrderLSB + pictureOrder, sequence.maxPictureOrderLSB)
        }
        return shifted
    }
}
