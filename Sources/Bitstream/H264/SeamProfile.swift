extension H264 {
    /// What libx264 has to be told so that its pictures can be decoded under a source's sequence parameter set.
    package struct SeamProfile: Hashable, Sendable {
        /// For FFmpeg's libx264: `profile`, `level`, `bf`, `refs`, `coder`, `g` and `x264-params`. Rate and speed are
        /// free.
        package let options: [String: String]
        /// FFmpeg's name of the form of the pictures.
        package let pixelFormat: String
        /// What the encoder is to be given, in luma samples. More than the cropped picture where that does not begin at
        /// the coded picture's corner.
        package let width: Int
        package let height: Int
        /// Where the cropped picture lies in that.
        package let left: Int
        package let top: Int
        /// B pictures between two others, at most.
        package let maxBFrames: Int
        /// How many pictures precede another in decoding order and are shown after it, at most: 0 to 2.
        package let reorderedFrames: Int

        /// - Parameters:
        ///   - configuration: the source's.
        ///   - reorderedFrames: how many frames the source was seen to reorder, for sets that do not tell: what a
        ///     decoder guesses from the first pictures must hold for the seams, too.
        package init(_ configuration: DecoderConfiguration, reorderedFrames observed: Int = 0) throws(Obstacle) {
            let sequence = configuration.sequence
            if let obstacle = configuration.seamObstacle { throw obstacle }
            let isHigh = sequence.profile >= 100
            let usesCABAC = sequence.profile != 66 && configuration.pictureSets.contains(where: \.usesCABAC)
            let isIntraOnly = sequence.isIntraProfile || sequence.maxReferenceFrames == 0
            let order = Self.order(sequence, observed: isIntraOnly ? 0 : observed)
            let references = isIntraOnly ? 1 : max(1, min(4, sequence.maxReferenceFrames))

            var parameters = [
                "keyint=\(isIntraOnly ? "1" : "infinite")", "scenecut=0", "open-gop=0", "intra-refresh=0",
                "b-pyramid=\(order.hasPyramid ? "normal" : "none")", "direct=spatial", "weightb=0",
                "weightp=\(sequence.profile == 66 ? 0 : 1)", "8x8dct=\(isHigh ? 1 : 0)", "cqm=flat",
                "interlaced=0", "constrained-intra=0", "stitchable=1", "aud=0", "nal-hrd=none", "pic-struct=0",
            ]
            parameters.append("cabac=\(usesCABAC ? 1 : 0)")
            let profile =
                sequence.bitDepthLuma > 8 ? "high10" : isHigh ? "high" : sequence.profile == 66 ? "baseline" : "main"
            options = [
                "profile": profile, "level": Self.name(ofLevel: sequence), "bf": "\(order.maxBFrames)",
                "refs": "\(references)", "coder": usesCABAC ? "cabac" : "cavlc", "g": isIntraOnly ? "1" : "100000",
                "x264-params": parameters.joined(separator: ":"),
            ]
            pixelFormat = sequence.bitDepthLuma > 8 ? "yuv420p10le" : "yuv420p"
            (maxBFrames, reorderedFrames) = (order.maxBFrames, order.reordered)

            // x264 fills up to whole macroblocks, to the right and below.
            let (width, height) = (sequence.croppedWidth, sequence.croppedHeight)
            let isAtCorner = sequence.cropping.left == 0 && sequence.cropping.top == 0
            let isFilled =
                (width + 15) / 16 == sequence.widthInMacroblocks && (height + 15) / 16 == sequence.heightInMacroblocks
            (self.width, self.height) =
                isAtCorner && isFilled ? (width, height) : (sequence.codedWidth, sequence.codedHeight)
            (left, top) = (sequence.cropping.left, sequence.cropping.top)
        }

        /// As many B pictures as the source lets a decoder reorder, keep, and count.
        private static func order(
            _ sequence: SequenceParameterSet, observed: Int
        ) -> (maxBFrames: Int, hasPyramid: Bool, reordered: Int) {
            let told = sequence.usability?.restriction?.maxReorderedFrames
            let reordered = sequence.pictureOrderType == 2 ? 0 : told ?? observed
            // x264's B pictures take motion over by 8x8 blocks. Its pictures count by twos, and reference pictures that
            // follow each other in decoding order must be less than half of all counts apart.
            guard reordered > 0, sequence.profile != 66, sequence.infersDirect8x8, sequence.maxReferenceFrames >= 2
            else { return (0, false, 0) }
            let half = sequence.maxPictureOrderLSB / 2
            let maxBFrames = min(3, half / 2 - 2)
            let hasPyramid =
                reordered >= 2 && sequence.maxReferenceFrames >= 4 && maxBFrames >= 2 && 3 * (maxBFrames + 1) < half
            return (maxBFrames, hasPyramid, hasPyramid ? 2 : 1)
        }

        /// Source: §A.3, level_idc.
        private static func name(ofLevel sequence: SequenceParameterSet) -> String {
            if sequence.level == 9 || sequence.level == 11 && sequence.constraint(3) && sequence.profile < 100 {
                return "1b"
            }
            return "\(sequence.level / 10).\(sequence.level % 10)"
        }
    }
}

extension H264.DecoderConfiguration {
    /// What keeps pictures that are encoded here from being put among this stream's, as far as its parameter sets tell.
    package var seamObstacle: H264.Obstacle? {
        if let obstacle { return obstacle }
        if sequence.chromaFormat != 1 { return .chromaFormat }
        guard sequence.bitDepthLuma == sequence.bitDepthChroma, [8, 10].contains(sequence.bitDepthLuma) else {
            return .bitDepth
        }
        if sequence.allowsLossless { return .lossless }
        if sequence.hasScalingMatrix { return .scalingMatrices }
        if ![66, 77, 100, 110, 122, 244].contains(sequence.profile) { return .profile }
        if freePictureSetID == nil { return .pictureSetIDs }
        return nil
    }

    /// The lowest id that no picture parameter set has. Source: §7.4.2.2, 0 to 255.
    var freePictureSetID: Int? {
        let taken = Set(pictureSets.map(\.id))
        return (0...255).first { !taken.contains($0) }
    }
}
