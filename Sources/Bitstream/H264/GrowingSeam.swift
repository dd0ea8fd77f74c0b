extension H264 {
    /// A seam that is written while it is encoded: an IDR picture and others behind it, decoded in the order shown,
    /// each
    /// a reference.
    struct GrowingSeam: Hashable, Sendable {
        private let sets: SeamSets
        private var rewriter: SeamRewriter
        private var count = 0

        /// - Parameter avoiding: values of idr_pic_id that pictures next to the seam have.
        init(_ sets: SeamSets, avoiding: Set<Int>) {
            self.sets = sets
            rewriter = SeamRewriter(sets, avoiding: avoiding)
        }

        /// What a decoder has come to.
        var end: SeamEnd { rewriter.end }

        /// - Parameter packet: as the encoder framed it.
        /// - Returns: the picture's units after their lengths in four bytes.
        mutating func write(_ packet: UnsafeRawBufferPointer) throws(Obstacle) -> [UInt8] {
            let unit = try AccessUnit(packet, sets.encoder)
            let header = unit.header
            guard header.isIDR == (count == 0), header.isReference, !header.resetsAll,
                !unit.slices.contains(where: { $0.header.kind == .b }),
                header.isIDR || header.frameNum == count % sets.encoder.sequence.maxFrameNum
            else { throw .encoderFormat }
            let picture = EncodedSeam.Picture(unit: unit, number: count, order: 2 * count)
            count += 1
            return try rewriter.rewrite(picture, Array(packet))
        }
    }
}
