extension H264 {
    /// The short-term reference frames that a decoder of the output holds. Source: §8.2.4.1, §8.2.5.
    struct ReferenceFrames: Hashable, Sendable {
        struct Frame: Hashable, Sendable {
            var frameNum: Int
            var order: Int
            /// Of the run that is being copied: what it refers to must be such. Others are a seam's, or stand for
            /// pictures that were cut away.
            var isPresent: Bool
            /// It stands in for a number that no picture has. Decoders give it any order: some are shown to take the one
            /// after the picture before, against §8.2.4.2, which leaves such frames out of B pictures' lists.
            var isInferred = false
        }

        private(set) var frames: [Frame] = []
        let capacity: Int
        let maxFrameNum: Int

        init(_ sequence: SequenceParameterSet) {
            capacity = max(1, sequence.maxReferenceFrames)
            maxFrameNum = sequence.maxFrameNum
        }

        var hasAbsent: Bool { frames.contains { !$0.isPresent } }

        var hasInferred: Bool { frames.contains(where: \.isInferred) }

        mutating func removeAll() { frames.removeAll() }

        /// What is there belongs to no run that follows.
        mutating func markAbsent() {
            for index in frames.indices { frames[index].isPresent = false }
        }

        /// The frame whose PicNum is smaller than the current picture's by `distance`, 1 to MaxFrameNum.
        func index(distance: Int, from current: Int) -> Int? {
            let wanted = modulo(current - distance, maxFrameNum)
            return distance % maxFrameNum == 0 ? nil : frames.firstIndex { $0.frameNum == wanted }
        }

        @discardableResult mutating func remove(distance: Int, from current: Int) -> Frame? {
            index(distance: distance, from: current).map { frames.remove(at: $0) }
        }

        /// Removes all that are not present.
        ///
        /// - Returns: how far their PicNums are from the current picture's.
        mutating func removeAbsent(from current: Int) -> [Int] {
            let distances = frames.filter { !$0.isPresent }.map { modulo(current - $0.frameNum, maxFrameNum) }
            frames.removeAll { !$0.isPresent }
            return distances
        }

        /// Makes room for one more: the frame decoded longest ago goes.
        ///
        /// - Returns: how far its PicNum is from the current picture's.
        @discardableResult mutating func slide(before current: Int, capacity: Int) -> Int? {
            guard frames.count >= capacity else { return nil }
            let distances = frames.map { modulo(current - $0.frameNum, maxFrameNum) }
            guard let farthest = distances.max(), let index = distances.firstIndex(of: farthest) else { return nil }
            frames.remove(at: index)
            return farthest
        }

        mutating func append(_ frame: Frame) { frames.append(frame) }

        /// Lets frames that never were take the places between two numbers (§8.2.5.2).
        mutating func fill(after previous: Int, upTo frameNum: Int) {
            let missing = modulo(frameNum - previous - 1, maxFrameNum)
            // As many as there is room for, the last ones, displace all others.
            for distance in (0..<min(missing, capacity)).reversed() {
                let number = modulo(frameNum - 1 - distance, maxFrameNum)
                slide(before: number, capacity: capacity)
                frames.append(Frame(frameNum: number, order: .min, isPresent: false, isInferred: true))
            }
        }
    }

    /// The remainder that is not negative.
    static func modulo(_ value: Int, _ divisor: Int) -> Int {
        let remainder = value % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }

    /// How far the frames that list modifications name are from the current picture, in PicNum; `nil` for long-term ones.
    /// From 0 to MaxFrameNum - 1, where 0 names none. Source: §8.2.4.3.1.
    static func distances(of modifications: [SliceHeader.ListModification], _ maxFrameNum: Int) -> [Int?] {
        var distance = 0
        return modifications.map { modification in
            switch modification {
            case .subtract(let difference): distance = modulo(distance + difference, maxFrameNum)
            case .add(let difference): distance = modulo(distance - difference, maxFrameNum)
            case .longTerm: return nil
            }
            return distance
        }
    }
}
