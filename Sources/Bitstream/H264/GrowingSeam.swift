extension H264 {
    /// A seam that is written while it is encoded: an IDR picture and others behind it, decoded in the order shown, each
    /// a reference. So all numbers are known before the first picture.
    struct GrowingSeam: Hashable, Sendable {
        private let sets: SeamSets
        private let following: SliceHeader?
        private let shift: CopiedRun.Shift
        /// PicOrderCnt( ) of each picture in the output.
        private let orders: [Int]
        private var rewriter: SeamRewriter
        private var count = 0

        /// - Parameters:
        ///   - pictures: how many there will be.
        ///   - avoiding: values of idr_pic_id that pictures next to the seam have.
        ///   - following: the copied picture that is decoded next, unless it is an IDR picture or none is.
        init(
            _ sets: SeamSets, pictures: Int, avoiding: Set<Int>, following: SliceHeader?
        ) throws(Obstacle) {
            let sequence = sets.output.sequence
            var order = SeamOrder(
                (0..<pictures).map { .init(order: 2 * $0, isReference: true) }, limit: sequence.maxPictureOrderLSB)
            var shift = CopiedRun.Shift()
            if let following {
                if sequence.pictureOrderType == 0 {
                    guard let shifted = order.lead(to: following.pictureOrderLSB, canMove: true) else {
                        throw .encoderOrder
                    }
                    shift.pictureOrder = shifted
                }
                // Numbers go on without a gap: decoders make frames up for missing ones, each its own way.
                shift.frameNum = modulo(pictures - following.frameNum, sequence.maxFrameNum)
            }
            (self.sets, self.following, self.shift) = (sets, following, shift)
            orders = order.pictures.map(\.order)
            rewriter = SeamRewriter(sets, avoiding: avoiding)
        }

        /// - Parameter packet: as the encoder framed it.
        /// - Returns: the picture's units after their lengths in four bytes.
        mutating func write(_ packet: UnsafeRawBufferPointer) throws(Obstacle) -> [UInt8] {
            let unit = try AccessUnit(packet, sets.encoder)
            let header = unit.header
            guard count < orders.count, header.isIDR == (count == 0), header.isReference, !header.resetsAll,
                !unit.slices.contains(where: { $0.header.kind == .b }),
                header.isIDR || header.frameNum == count % sets.encoder.sequence.maxFrameNum
            else { throw .encoderFormat }
            let picture = EncodedSeam.Picture(unit: unit, number: count, order: orders[count])
            count += 1
            return try rewriter.rewrite(picture, Array(packet))
        }

        func end() -> SeamEnd { rewriter.end(shift) }
    }
}
