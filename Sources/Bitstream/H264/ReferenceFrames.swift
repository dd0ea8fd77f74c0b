extension H264 {
    /// The short-term reference frames that a decoder holds, by numbers that do not wrap around as frame_num does.
    ///
    /// Source: §8.2.4.1, §8.2.5.3.
    struct ReferenceFrames: Hashable, Sendable {
        struct Frame: Hashable, Sendable {
            /// frame_num, counted on.
            var number: Int
            /// PicOrderCnt( )
            var order: Int
            /// In the other of two decoders: the output's number of a source's frame, the source's of an output's.
            /// `nil` for what the other does not have: frames that are cut away, frames of a seam.
            var counterpart: Int?
        }

        private(set) var frames: [Frame] = []
        let capacity: Int

        init(_ sequence: SequenceParameterSet) { capacity = max(1, sequence.maxReferenceFrames) }

        subscript(number: Int) -> Frame? { frames.first { $0.number == number } }

        mutating func removeAll() { frames.removeAll() }

        mutating func append(_ frame: Frame) { frames.append(frame) }

        mutating func remove(_ number: Int) { frames.removeAll { $0.number == number } }

        /// What makes room for one more, if there is none: the frame decoded first.
        var sliding: Frame? { frames.count < capacity ? nil : frames.min { $0.number < $1.number } }

        /// Forgets the other decoder.
        mutating func makeForeign() {
            for index in frames.indices { frames[index].counterpart = nil }
        }

        /// RefPicList0 or 1 before modifications and before it is cut to its length. Source: §8.2.4.2.1, §8.2.4.2.3.
        func initialList(_ list: Int, of kind: SliceHeader.Kind, order: Int) -> [Frame] {
            guard kind == .b else { return frames.sorted { $0.number > $1.number } }
            let past = frames.filter { $0.order < order }.sorted { $0.order > $1.order }
            let future = frames.filter { $0.order > order }.sorted { $0.order < $1.order }
            guard list == 1 else { return past + future }
            var second = future + past
            if second.count > 1, past.isEmpty || future.isEmpty { second.swapAt(0, 1) }
            return second
        }
    }

    /// The remainder that is not negative.
    static func modulo(_ value: Int, _ divisor: Int) -> Int {
        let remainder = value % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}

extension H264.SliceHeader {
    /// How far the frames that list modifications name are from the current picture, in PicNum; `nil` for long-term
    /// ones. From 0 to MaxFrameNum - 1, where 0 names none. Source: §8.2.4.3.1.
    static func distances(of modifications: [ListModification], _ maxFrameNum: Int) -> [Int?] {
        var distance = 0
        return modifications.map { modification in
            switch modification {
            case .subtract(let difference): distance = H264.modulo(distance + difference, maxFrameNum)
            case .add(let difference): distance = H264.modulo(distance - difference, maxFrameNum)
            case .longTerm: return nil
            }
            return distance
        }
    }

    /// Modifications that name frames by their distances from the current picture, 1 to MaxFrameNum - 1.
    static func modifications(toDistances distances: [Int], _ maxFrameNum: Int) -> [ListModification] {
        var previous = 0
        return distances.map { distance in
            defer { previous = distance }
            if distance < previous { return .add(previous - distance) }
            // The same frame twice is a whole turn.
            return .subtract(distance == previous ? maxFrameNum : distance - previous)
        }
    }

    /// Puts frames at the beginning of a list, each once more where it was before. Source: §8.2.4.3.1.
    static func modified<Entry>(
        _ list: [Entry], by entries: [Entry], length: Int, isSame: (Entry, Entry) -> Bool
    ) -> [Entry] {
        var list = list
        for (index, entry) in entries.enumerated() {
            list.insert(entry, at: min(index, list.count))
            let later = list.indices.dropFirst(index + 1).filter { isSame(list[$0], entry) }
            for duplicate in later.reversed() { list.remove(at: duplicate) }
        }
        return Array(list.prefix(length))
    }
}
