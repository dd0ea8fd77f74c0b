extension H264 {
    /// Pictures of an encoder of ours, rewritten so that they can be decoded under a source's sequence parameter set.
    ///
    /// Their slice data is untouched. What changes is in the headers: the numbers and their widths, the picture
    /// parameter set's id, and what is named relative to frame numbers that wrap around elsewhere.
    struct Seam {
        /// The packets in decoding order; their units follow their length in four bytes.
        let packets: [[UInt8]]
        let end: SeamEnd

        /// - Parameters:
        ///   - encoded: all packets of a seam in decoding order, framed as the encoder's configuration says.
        ///   - sets: of the source and the encoder.
        ///   - avoiding: values of idr_pic_id that pictures next to the seam have.
        init(_ encoded: [[UInt8]], _ sets: SeamSets, avoiding: Set<Int>) throws(Obstacle) {
            let pictures = try EncodedSeam(encoded, sets).pictures
            var rewriter = SeamRewriter(sets, avoiding: avoiding)
            var packets: [[UInt8]] = []
            for (picture, packet) in zip(pictures, encoded) {
                packets.append(try rewriter.rewrite(picture, packet))
            }
            self.packets = packets
            end = rewriter.end
        }
    }

    /// What a decoder has come to after a seam.
    struct SeamEnd: Hashable, Sendable {
        /// frame_num of the last reference picture, counted on.
        var number = 0
        var order = PictureOrder()
        /// PicOrderCnt( ) of the picture shown last.
        var lastShown = 0
        var references: ReferenceFrames
        /// idr_pic_id, if the last picture is an IDR picture.
        var idrPicID: Int?
    }

    /// A seam's pictures as the encoder numbered them, without wrapping around.
    struct EncodedSeam {
        struct Picture {
            var unit: AccessUnit
            /// frame_num, counted on.
            var number: Int
            /// PicOrderCnt( )
            var order: Int
        }

        private(set) var pictures: [Picture] = []

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
                guard sets.allowsBPictures || !unit.slices.contains(where: { $0.header.kind == .b })
                else { throw .encoderFormat }
            }
            guard !pictures.isEmpty else { throw .encoderFormat }
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
    }
}
