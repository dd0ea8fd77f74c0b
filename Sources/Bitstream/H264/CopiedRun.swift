extension H264 {
    /// Follows two decoders through a run of copied pictures, the source's and the output's, and writes headers so that
    /// both show the same.
    ///
    /// A run that begins with an IDR picture and leaves out nothing goes through as it is. Else frame numbers and
    /// picture order counts go on from what precedes the run in the output, without gaps: decoders differ in what they
    /// make of gaps. Where a list of references would then be another one, it is written out; places in it that hold
    /// pictures that were cut away, which nothing uses, hold others.
    struct CopiedRun: Hashable, Sendable {
        let sequence: SequenceParameterSet
        var source: ReferenceFrames
        var output: ReferenceFrames
        /// All that the source's decoder holds is known: the run began with an IDR picture.
        let isSourceKnown: Bool
        /// Nothing was left out since, so nothing is changed.
        private(set) var isWhole: Bool

        private var isEmpty = true
        private var usesLongTerm = false
        /// Of the reference picture before: frame_num, counted on.
        private var sourceNumber = 0
        private var outputNumber = 0
        private var sourceOrder = PictureOrder()
        private var outputOrder = PictureOrder()
        /// PicOrderCnt( ) of the run's first picture.
        private var entryOrder = 0
        /// What is added to the source's order.
        private var orderShift = 0
        /// PicOrderCnt( ) of the last picture shown before the run.
        private var floor = Int.min

        /// A run whose first picture is an IDR picture.
        init(_ sequence: SequenceParameterSet) {
            self.sequence = sequence
            (source, output) = (ReferenceFrames(sequence), ReferenceFrames(sequence))
            (isSourceKnown, isWhole) = (true, true)
        }

        /// A run whose first picture is another, directly after a seam.
        init(_ sequence: SequenceParameterSet, after end: SeamEnd) {
            self.sequence = sequence
            (source, output) = (ReferenceFrames(sequence), end.references)
            (isSourceKnown, isWhole) = (false, false)
            (outputNumber, outputOrder, floor) = (end.number, end.order, end.lastShown)
        }
    }
}

extension H264.CopiedRun {
    /// The next picture, which is copied.
    ///
    /// - Returns: its slices' headers as they are in the output.
    mutating func keep(_ unit: H264.AccessUnit) throws(H264.Obstacle) -> [H264.SliceHeader] {
        let header = unit.header
        if header.isIDR {
            self = Self(sequence)
            keepIDR(header)
            return unit.slices.map(\.header)
        }
        try count(header)
        let order = sourceOrder.next(header, sequence)
        if isEmpty { entryOrder = order }
        guard isEmpty || isWhole || order > entryOrder else { throw .leadingPicture }
        let picture = Picture(
            number: (header.isReference ? sourceNumber : sourceNumber + 1), order: order, outputNumber: outputNumber + 1
        )
        guard !isWhole else {
            try follow(picture, header)
            isEmpty = false
            return unit.slices.map(\.header)
        }
        var changed = header
        changed.frameNum = picture.outputNumber % sequence.maxFrameNum
        let shown = try place(&changed, order)
        var headers: [H264.SliceHeader] = []
        for slice in unit.slices {
            var next = slice.header
            (next.frameNum, next.pictureOrderLSB) = (changed.frameNum, changed.pictureOrderLSB)
            try writeLists(&next, picture, shown)
            headers.append(next)
        }
        let marking = try mark(header, picture, shown)
        for index in headers.indices { headers[index].marking = marking }
        isEmpty = false
        return headers
    }

    /// The next picture of the source, which is left out.
    mutating func skip(_ unit: H264.AccessUnit) throws(H264.Obstacle) {
        let header = unit.header
        guard !header.isIDR, !header.resetsAll, !isEmpty else { throw .leadingPicture }
        try count(header)
        let order = sourceOrder.next(header, sequence)
        guard header.isReference else { return }
        guard !usesLongTerm else { throw .longTermReferences }
        isWhole = false
        try markSource(header, .init(number: sourceNumber, order: order, counterpart: nil))
    }

    /// A picture's numbers in both decoders.
    struct Picture {
        var number: Int
        var order: Int
        var outputNumber: Int
    }

    private mutating func keepIDR(_ header: H264.SliceHeader) {
        _ = sourceOrder.next(header, sequence)
        _ = outputOrder.next(header, sequence)
        isEmpty = false
        if case .idr(_, isLongTerm: true) = header.marking {
            usesLongTerm = true
        } else {
            source.append(.init(number: 0, order: 0, counterpart: 0))
            output.append(.init(number: 0, order: 0, counterpart: 0))
        }
    }

    /// Counts the source's frame numbers on; none must be missing. Source: §7.4.3, frame_num.
    private mutating func count(_ header: H264.SliceHeader) throws(H264.Obstacle) {
        if isEmpty {
            sourceNumber = header.frameNum
            sourceOrder = .init(after: header.pictureOrderLSB, sequence)
            return
        }
        let step = H264.modulo(header.frameNum - sourceNumber, sequence.maxFrameNum)
        guard step == 1 || isWhole && sequence.allowsGaps else { throw .frameNumbers }
        // What the decoders hold after gaps is not followed.
        if step != 1 { usesLongTerm = true }
        if header.isReference { sourceNumber += step }
    }

    /// As the source has it: in a run that is whole the two decoders are one.
    private mutating func follow(_ picture: Picture, _ header: H264.SliceHeader) throws(H264.Obstacle) {
        _ = outputOrder.next(header, sequence)
        guard header.isReference else { return }
        if case .adaptive(let operations) = header.marking {
            if operations.contains(where: { if case .unmark = $0 { false } else { true } }) { usesLongTerm = true }
            if header.resetsAll {
                self = Self(sequence)
                var idr = H264.SliceHeader()
                (idr.isIDR, idr.marking) = (true, .idr(dropsPriorPictures: false, isLongTerm: false))
                keepIDR(idr)
                // With other operations beside it long-term frames may be there.
                usesLongTerm = operations.count > 1
                return
            }
        }
        outputNumber = sourceNumber
        guard !usesLongTerm else { return }
        try markSource(
            header, .init(number: picture.number, order: picture.order, counterpart: picture.number))
        output = source
    }

    /// What the source's decoder holds after a reference picture.
    private mutating func markSource(
        _ header: H264.SliceHeader, _ frame: H264.ReferenceFrames.Frame
    ) throws(H264.Obstacle) {
        if case .adaptive(let operations) = header.marking {
            for operation in operations {
                guard case .unmark(let distance) = operation else { throw .longTermReferences }
                source.remove(frame.number - distance)
            }
        } else if let sliding = source.sliding {
            // Frames from before the run go first, so that these are all there are.
            source.remove(sliding.number)
        }
        source.append(frame)
    }

    /// Where the picture is shown in the output: as far from the others as in the source.
    private mutating func place(_ header: inout H264.SliceHeader, _ order: Int) throws(H264.Obstacle) -> Int {
        guard sequence.pictureOrderType == 0 else {
            let shown = outputOrder.next(header, sequence)
            guard shown > floor else { throw .pictureOrder }
            return shown
        }
        if isEmpty {
            guard let first = outputOrder.first(after: floor, lsb: header.pictureOrderLSB, sequence)
            else { throw .pictureOrder }
            orderShift = first - order
        }
        header.pictureOrderLSB = H264.modulo(
            order + orderShift - min(0, header.pictureOrderDeltaBottom), sequence.maxPictureOrderLSB)
        let shown = outputOrder.next(header, sequence)
        guard shown == order + orderShift, isEmpty || shown > floor else { throw .pictureOrder }
        return shown
    }

    /// What the output's decoder has to be told to hold no other frames of the run than the source's does.
    private mutating func mark(
        _ header: H264.SliceHeader, _ picture: Picture, _ shown: Int
    ) throws(H264.Obstacle) -> H264.SliceHeader.Marking {
        guard header.isReference else { return .none }
        guard !usesLongTerm, !header.resetsAll else { throw .longTermReferences }
        try markSource(
            header, .init(number: picture.number, order: picture.order, counterpart: picture.outputNumber))
        outputNumber = picture.outputNumber
        defer { output.append(.init(number: picture.outputNumber, order: shown, counterpart: picture.number)) }

        // A seam's frames also before their numbers come again: where the source unmarks frames by name, nothing may
        // ever slide out.
        var obsolete = output.frames.filter { frame in
            frame.counterpart.map { source[$0] == nil }
                ?? (picture.outputNumber + 1 - frame.number >= sequence.maxFrameNum)
        }
        let sliding = output.sliding
        let slides = obsolete.isEmpty ? sliding?.counterpart == nil : obsolete == [sliding].compactMap(\.self)
        if slides, case .slidingWindow = header.marking {
            if let sliding { output.remove(sliding.number) }
            return .slidingWindow
        }
        if obsolete.isEmpty, let sliding {
            guard sliding.counterpart == nil else { throw .missingReference }
            obsolete.append(sliding)
        }
        for frame in obsolete { output.remove(frame.number) }
        return .adaptive(obsolete.map { .unmark(picture.outputNumber - $0.number) })
    }
}
