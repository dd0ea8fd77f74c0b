extension H264 {
    /// The parameter sets of an output that joins a source's packets and an encoder's: the source's, and the encoder's
    /// picture parameter set under an id of its own.
    package struct SeamSets: Hashable, Sendable {
        /// The source's configuration, as it was.
        package let source: DecoderConfiguration
        /// The encoder's configuration, as it was.
        package let encoder: DecoderConfiguration
        /// The encoder's picture parameter set as it is in the output. Seams can share an output if theirs are equal.
        package let pictureSet: PictureParameterSet
        /// The output's: its units follow their length in four bytes.
        package let output: DecoderConfiguration
        /// Whether B pictures of the encoder mean the same under the source's set (direct_8x8_inference_flag).
        let allowsBPictures: Bool

        /// - Parameters:
        ///   - source: the source's sets.
        ///   - encoder: those of libx264, run as `SeamProfile` says.
        package init(
            source: DecoderConfiguration, encoder: DecoderConfiguration
        ) throws(Obstacle) {
            if let obstacle = source.seamObstacle { throw obstacle }
            guard let id = source.freePictureSetID else { throw .pictureSetIDs }
            guard let picture = encoder.pictureSets.first, encoder.pictureSets.count == 1 else { throw .encoderFormat }
            try Self.check(encoder.sequence, picture, against: source.sequence)
            pictureSet = try picture.renumbered(id: id, sequence: source.sequence)
            output = DecoderConfiguration(
                framing: .lengthPrefixed(4), sequence: source.sequence, pictureSets: source.pictureSets + [pictureSet])
            allowsBPictures = encoder.sequence.infersDirect8x8 == source.sequence.infersDirect8x8
            (self.source, self.encoder) = (source, encoder)
        }

        /// Everything that the decoding of a slice takes from a sequence parameter set, but for the numbers in its
        /// header.
        private static func check(
            _ encoder: SequenceParameterSet, _ picture: PictureParameterSet, against source: SequenceParameterSet
        ) throws(Obstacle) {
            guard encoder.widthInMacroblocks == source.widthInMacroblocks,
                encoder.heightInMacroblocks == source.heightInMacroblocks, encoder.isFramesOnly,
                encoder.chromaFormat == source.chromaFormat, encoder.bitDepthLuma == source.bitDepthLuma,
                encoder.bitDepthChroma == source.bitDepthChroma, !encoder.allowsLossless,
                !encoder.hasScalingMatrix, encoder.pictureOrderType != 1, encoder.offsetsForReferences.isEmpty,
                !picture.hasScalingMatrix, !picture.hasRedundantPictures
            else { throw .encoderFormat }
            // What the profile that the source announces does not have.
            let isHigh = source.profile >= 100
            guard isHigh || !picture.usesTransform8x8 && picture.secondChromaQPOffset == picture.chromaQPOffset
            else { throw .encoderFormat }
            if source.profile == 66, picture.usesCABAC || picture.weightsPredictions || picture.bipredictionWeights != 0
            {
                throw .encoderFormat
            }
            guard encoder.maxReferenceFrames <= source.maxReferenceFrames else { throw .encoderReferences }
        }
    }
}
