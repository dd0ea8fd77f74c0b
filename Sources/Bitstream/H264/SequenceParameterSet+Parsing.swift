extension H264.SequenceParameterSet {
    /// Reads a set.
    ///
    /// - Parameter unit: a NAL unit of type 7, with its header and emulation prevention.
    package init(_ unit: [UInt8]) throws(H264.Obstacle) {
        guard let header = unit.first, H264.UnitType(header: header) == .sequenceSet else { throw .damaged }
        self.init(unit: unit)
        let rbsp = unit.dropFirst().withUnsafeBytes { NALUnits.unescaped($0) }
        var set = self
        let isSound = rbsp.withUnsafeBytes { bytes in
            var reader = BitReader(bytes, isEscaped: false)
            set.read(from: &reader)
            return !reader.hasFailed
        }
        guard isSound, set.croppedWidth > 0, set.croppedHeight > 0 else { throw .damaged }
        self = set
    }

    private mutating func read(from reader: inout BitReader) {
        profile = reader.u(8)
        constraints = UInt8(reader.u(8))
        level = reader.u(8)
        id = reader.ue(0...31)
        if [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(profile) {
            chromaFormat = reader.ue(0...3)
            if chromaFormat == 3 { hasSeparateColourPlanes = reader.flag() }
            bitDepthLuma = 8 + reader.ue(0...6)
            bitDepthChroma = 8 + reader.ue(0...6)
            allowsLossless = reader.flag()
            hasScalingMatrix = reader.flag()
            if hasScalingMatrix { H264.skipScalingLists(chromaFormat == 3 ? 12 : 8, &reader) }
        }
        log2MaxFrameNum = 4 + reader.ue(0...12)
        readPictureOrder(from: &reader)
        maxReferenceFrames = reader.ue(0...16)
        allowsGaps = reader.flag()
        // Larger than any level's picture: only so that products stay small.
        widthInMacroblocks = 1 + reader.ue(0...65535)
        heightInMapUnits = 1 + reader.ue(0...65535)
        isFramesOnly = reader.flag()
        if !isFramesOnly { isMacroblockAdaptive = reader.flag() }
        infersDirect8x8 = reader.flag()
        if reader.flag() { readCropping(from: &reader) }
        if reader.flag() { usability = H264.VideoUsability(&reader) }
    }

    private mutating func readPictureOrder(from reader: inout BitReader) {
        pictureOrderType = reader.ue(0...2)
        switch pictureOrderType {
        case 0: log2MaxPictureOrderLSB = 4 + reader.ue(0...12)
        case 1:
            isPictureOrderDeltaZero = reader.flag()
            offsetForNonReference = reader.se()
            offsetForTopToBottom = reader.se()
            for _ in 0..<reader.ue(0...255) where !reader.hasFailed { offsetsForReferences.append(reader.se()) }
        default: break
        }
    }

    /// Source: §7.4.2.1.1, equations 7-19 to 7-22.
    private mutating func readCropping(from reader: inout BitReader) {
        let unitX = chromaArrayType == 1 || chromaArrayType == 2 ? 2 : 1
        let unitY = (chromaArrayType == 1 ? 2 : 1) * (isFramesOnly ? 1 : 2)
        let range = 0...(1 << 20)
        cropping.left = unitX * reader.ue(range)
        cropping.right = unitX * reader.ue(range)
        cropping.top = unitY * reader.ue(range)
        cropping.bottom = unitY * reader.ue(range)
    }
}

extension H264 {
    /// Reads over scaling_list( ) as often as the set has it. Source: §7.3.2.1.1.1.
    static func skipScalingLists(_ count: Int, _ reader: inout BitReader) {
        for index in 0..<count where reader.flag() {
            var (last, next) = (8, 8)
            for _ in 0..<(index < 6 ? 16 : 64) where !reader.hasFailed {
                if next != 0 { next = (last + reader.se(-128...127) + 256) % 256 }
                if next != 0 { last = next }
            }
        }
    }
}
