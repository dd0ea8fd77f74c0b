extension H264 {
    /// pic_parameter_set_rbsp( ), and the unit it was read from. Source: §7.3.2.2.
    package struct PictureParameterSet: Hashable, Sendable {
        /// The NAL unit, its header first, with emulation prevention.
        package private(set) var unit: [UInt8]

        package var id = 0
        /// The id of the sequence parameter set.
        package var sequenceID = 0
        /// entropy_coding_mode_flag: CABAC, else CAVLC.
        package var usesCABAC = false
        /// bottom_field_pic_order_in_frame_present_flag
        package var hasBottomFieldOrder = false
        /// num_ref_idx_l0_default_active_minus1 + 1, and that of list 1.
        package var defaultReferenceCounts = [1, 1]
        package var weightsPredictions = false
        /// weighted_bipred_idc: 0 default, 1 explicit, 2 implicit.
        package var bipredictionWeights = 0
        /// pic_init_qp_minus26 + 26, and that of SP slices.
        package var initialQP = 26
        package var initialQS = 26
        package var chromaQPOffset = 0
        package var hasDeblockingControl = false
        package var constrainsIntraPrediction = false
        package var hasRedundantPictures = false
        package var usesTransform8x8 = false
        package var hasScalingMatrix = false
        package var secondChromaQPOffset = 0

        /// Where what follows the two ids begins in the RBSP, in bits.
        private var bodyPosition = 0

        /// Reads a set.
        ///
        /// - Parameters:
        ///   - unit: a NAL unit of type 8, with its header and emulation prevention.
        ///   - sequences: the sets it may refer to; only a scaling matrix depends on one.
        package init(_ unit: [UInt8], sequences: [SequenceParameterSet]) throws(Obstacle) {
            guard let header = unit.first, UnitType(header: header) == .pictureSet else { throw .damaged }
            self.unit = unit
            var set = self
            let rbsp = unit.dropFirst().withUnsafeBytes { NALUnits.unescaped($0) }
            let obstacle = rbsp.withUnsafeBytes { bytes -> Obstacle? in
                var reader = BitReader(bytes, isEscaped: false)
                let obstacle = set.read(from: &reader, endingAt: stopBit(of: rbsp) ?? 0, sequences)
                return reader.hasFailed ? .damaged : obstacle
            }
            if let obstacle { throw obstacle }
            self = set
        }

        private mutating func read(
            from reader: inout BitReader, endingAt end: Int, _ sequences: [SequenceParameterSet]
        ) -> Obstacle? {
            id = reader.ue(0...255)
            sequenceID = reader.ue(0...31)
            bodyPosition = reader.bitPosition
            usesCABAC = reader.flag()
            hasBottomFieldOrder = reader.flag()
            guard reader.ue(0...7) == 0 else { return .sliceGroups }
            defaultReferenceCounts = [1 + reader.ue(0...31), 1 + reader.ue(0...31)]
            weightsPredictions = reader.flag()
            bipredictionWeights = reader.u(2)
            // Down to -(26 + QpBdOffset), which is at most 36.
            initialQP = 26 + reader.se(-62...25)
            initialQS = 26 + reader.se(-26...25)
            chromaQPOffset = reader.se(-12...12)
            secondChromaQPOffset = chromaQPOffset
            hasDeblockingControl = reader.flag()
            constrainsIntraPrediction = reader.flag()
            hasRedundantPictures = reader.flag()
            // more_rbsp_data( )
            guard reader.bitPosition < end else { return nil }
            usesTransform8x8 = reader.flag()
            hasScalingMatrix = reader.flag()
            if hasScalingMatrix {
                guard let sequence = sequences.first(where: { $0.id == sequenceID }) else { return .noParameterSets }
                let of8x8 = sequence.chromaFormat == 3 ? 6 : 2
                skipScalingLists(6 + (usesTransform8x8 ? of8x8 : 0), &reader)
            }
            secondChromaQPOffset = reader.se(-12...12)
            return reader.bitPosition == end ? nil : .damaged
        }

        /// The same set under another id and for another sequence parameter set.
        package func renumbered(id: Int, sequence: SequenceParameterSet) throws(Obstacle) -> Self {
            guard let header = unit.first else { throw .damaged }
            let rbsp = unit.dropFirst().withUnsafeBytes { NALUnits.unescaped($0) }
            guard let end = stopBit(of: rbsp), end >= bodyPosition else { throw .damaged }
            var writer = BitWriter()
            writer.ue(id)
            writer.ue(sequence.id)
            writer.append(rbsp, bits: bodyPosition..<end)
            writer.finishRBSP()
            return try Self(NALUnits.unit(header: [header], rbsp: writer.bytes), sequences: [sequence])
        }
    }

    /// The position of rbsp_stop_one_bit: the last bit that is set.
    static func stopBit(of rbsp: [UInt8]) -> Int? {
        guard let index = rbsp.lastIndex(where: { $0 != 0 }) else { return nil }
        return index * 8 + 7 - rbsp[index].trailingZeroBitCount
    }
}
