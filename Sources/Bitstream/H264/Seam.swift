extension H264 {
    /// Pictures of an encoder of ours, rewritten so that they can be decoded under a source's sequence parameter set.
    ///
    /// Their slice data is untouched. What changes is in the headers: the numbers and their widths, the picture parameter
    /// set's id, and what is named relative to frame numbers that wrap around elsewhere.
    struct Seam {
        /// The packets in decoding order; their units follow their length in four bytes.
        let packets: [[UInt8]]
        let end: SeamEnd

        /// - Parameters:
        ///   - encoded: all packets of a seam in decoding order, framed as the encoder's configuration says.
        ///   - sets: of the source and the encoder.
        ///   - avoiding: values of idr_pic_id that pictures next to the seam have.
        ///   - following: the copied picture that is decoded next, unless it is an IDR picture or none is.
        init(
            _ encoded: [[UInt8]], _ sets: SeamSets, avoiding: Set<Int>, following: SliceHeader?
        ) throws(Obstacle) {
            var pictures = try EncodedSeam(encoded, sets)
            var shift = CopiedRun.Shift()
            if let following { shift = try pictures.lead(to: following, sets) }
            var rewriter = SeamRewriter(sets, avoiding: avoiding)
            var packets: [[UInt8]] = []
            for (picture, packet) in zip(pictures.pictures, encoded) {
                packets.append(try rewriter.rewrite(picture, packet))
            }
            self.packets = packets
            end = rewriter.end(shift)
        }
    }

    /// What a decoder has come to after a seam.
    struct SeamEnd: Hashable, Sendable {
        /// frame_num of the last reference picture.
        var frameNum: Int
        var orderState: PictureOrder
        /// PicOrderCnt( ) of the picture shown last.
        var lastShown: Int
        var references: ReferenceFrames
        /// What to add to the numbers of the copied pictures that follow.
        var shift: CopiedRun.Shift
        /// idr_pic_id, if the last picture is an IDR picture.
        var idrPicID: Int?
    }

    /// A seam's pictures as the encoder numbered them, without wrapping around.
    struct EncodedSeam {
        struct Picture {
            var unit: AccessUnit
            /// frame_num, counted on.
            var number: Int
            /// PicOrderCnt( ) in the output.
            var order: Int
        }

        private(set) var pictures: [Picture] = []
        private var hasB = false
        private var isOrderFree = true

        init(_ encoded: [[UInt8]], _ sets: SeamSets) throws(Obstacle) {
            let sequence = sets.encoder.sequence
            var order = PictureOrder()
            var previous = 0
            for packet in encoded {
                let unit = try packet.reading { (bytes) throws(Obstacle) in try AccessUnit(bytes, sets.encoder) }
                let header = unit.header
                guard header.isIDR || !pictures.isEmpty, !header.resetsAll else { throw .encoderFormat }
                let number = header.isIDR ? 0 : previous + modulo(header.frameNum - previous, sequence.maxFrameNum)
                guard header.isIDR || number == previous + 1 else { throw .encoderFormat }
                if header.isReference { previous = number }
                pictures.append(Picture(unit: unit, number: number, order: order.next(header, sequence)))
                for slice in unit.slices where slice.header.kind == .b {
                    hasB = true
                    // Motion and weights that are scaled by distances in time change with these.
                    let usesDistances =
                        !slice.header.usesSpatialDirect || sets.pictureSet.bipredictionWeights == 2
                    if usesDistances { isOrderFree = false }
                }
            }
            guard !pictures.isEmpty else { throw .encoderFormat }
            guard !hasB || sets.allowsBPictures else { throw .encoderFormat }
            try checkReordering(sets)
        }

        /// Source: §C.4.5.3, max_num_reorder_frames.
        private func checkReordering(_ sets: SeamSets) throws(Obstacle) {
            let allowed = sets.source.sequence.maxReorderedFrames
            var start = 0
            for (index, picture) in pictures.enumerated() {
                if picture.unit.isIDR { start = index }
                let before = pictures[start..<index].count(where: { $0.order > picture.order })
                guard before <= allowed else { throw .encoderOrder }
            }
        }

        /// Arranges that a copied picture is shown after these.
        ///
        /// - Returns: how the numbers of the pictures that follow are to be shifted, where that is the only way.
        mutating func lead(to following: SliceHeader, _ sets: SeamSets) throws(Obstacle) -> CopiedRun.Shift {
            let sequence = sets.output.sequence
            let start = pictures.lastIndex { $0.unit.isIDR } ?? 0
            var shift = CopiedRun.Shift()
            if sequence.pictureOrderType == 0 {
                var order = SeamOrder(
                    pictures[start...].map { .init(order: $0.order, isReference: $0.unit.isReference) },
                    limit: sequence.maxPictureOrderLSB)
                guard let shifted = order.lead(to: following.pictureOrderLSB, canMove: isOrderFree)
                else { throw .encoderOrder }
                shift.pictureOrder = shifted
                for (index, moved) in order.pictures.enumerated() { pictures[start + index].order = moved.order }
            }
            // Numbers go on without a gap: decoders make frames up for missing ones, each its own way.
            let last = pictures.last { $0.unit.isReference }?.number ?? 0
            shift.frameNum = modulo(last + 1 - following.frameNum, sequence.maxFrameNum)
            return shift
        }
    }
}
