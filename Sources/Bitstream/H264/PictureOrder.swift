extension H264 {
    /// Derives when pictures are shown, relative to each other, from their headers in decoding order.
    ///
    /// For frames, and POC types 0 and 2. Source: §8.2.1.
    struct PictureOrder: Hashable, Sendable {
        private var previousMSB = 0
        private var previousLSB = 0
        private var previousFrameNum = 0
        private var frameNumOffset = 0

        init() {}

        /// As if a reference picture had this order.
        init(after order: Int, _ sequence: SequenceParameterSet) {
            previousLSB = order & (sequence.maxPictureOrderLSB - 1)
            previousMSB = order - previousLSB
        }

        /// What PicOrderCnt( ) a reference picture can have to be shown after all before it: the one that its lsb
        /// means, if that is so, else the next; `nil` if none can be told so far from the reference picture before. POC
        /// type 0.
        func first(after lastShown: Int, lsb: Int, _ sequence: SequenceParameterSet) -> Int? {
            let limit = sequence.maxPictureOrderLSB
            let previous = previousMSB + previousLSB
            let meant = previous + modulo(lsb - previous, limit)
            if meant > lastShown, meant - previous <= limit / 2 { return meant }
            // Counts go by twos, mostly.
            return [lastShown + 2, lastShown + 1].first { $0 - previous <= limit / 2 }
        }

        /// PicOrderCnt( ) of the next picture: the earlier of its two fields'.
        mutating func next(_ header: SliceHeader, _ sequence: SequenceParameterSet) -> Int {
            sequence.pictureOrderType == 2 ? nextByNumber(header, sequence) : nextByLSB(header, sequence)
        }

        private mutating func nextByLSB(_ header: SliceHeader, _ sequence: SequenceParameterSet) -> Int {
            if header.isIDR { (previousMSB, previousLSB) = (0, 0) }
            let (limit, lsb) = (sequence.maxPictureOrderLSB, header.pictureOrderLSB)
            var msb = previousMSB
            if lsb < previousLSB, previousLSB - lsb >= limit / 2 {
                msb += limit
            } else if lsb > previousLSB, lsb - previousLSB > limit / 2 {
                msb -= limit
            }
            let top = msb + lsb
            let order = min(top, top + header.pictureOrderDeltaBottom)
            if header.resetsAll {
                (previousMSB, previousLSB) = (0, top - order)
            } else if header.isReference {
                (previousMSB, previousLSB) = (msb, lsb)
            }
            return order
        }

        private mutating func nextByNumber(_ header: SliceHeader, _ sequence: SequenceParameterSet) -> Int {
            if header.isIDR {
                frameNumOffset = 0
            } else if previousFrameNum > header.frameNum {
                frameNumOffset += sequence.maxFrameNum
            }
            previousFrameNum = header.frameNum
            let order = 2 * (frameNumOffset + header.frameNum) - (header.isReference ? 0 : 1)
            if header.resetsAll { (previousFrameNum, frameNumOffset) = (0, 0) }
            return header.isIDR ? 0 : order
        }
    }
}
