extension H264.SliceHeader {
    /// Reads the header of a slice's unit: no more of it than that.
    ///
    /// - Parameters:
    ///   - unit: a NAL unit of type 1 or 5, its header first, with emulation prevention.
    ///   - configuration: holds the sets it refers to.
    package init(
        _ unit: UnsafeRawBufferPointer, _ configuration: H264.DecoderConfiguration
    ) throws(H264.Obstacle) {
        guard let first = unit.first, H264.UnitType(header: first).isSlice, first & 0x80 == 0 else { throw .damaged }
        referenceIDC = Int(first >> 5)
        isIDR = H264.UnitType(header: first) == .idrSlice
        var reader = BitReader(UnsafeRawBufferPointer(rebasing: unit.dropFirst()), isEscaped: true)
        firstMacroblock = reader.ue()
        typeCode = reader.ue(0...9)
        pictureSetID = reader.ue(0...255)
        guard !reader.hasFailed else { throw .damaged }
        guard let picture = configuration.pictureSet(pictureSetID) else { throw .noParameterSets }
        let sequence = configuration.sequence
        readOrder(&reader, sequence, picture)
        readReferences(&reader, sequence, picture)
        readFilters(&reader, picture)
        // A unit that says it is an IDR picture's and says otherwise, too, was not written by any encoder.
        guard !reader.hasFailed, !isIDR || isReference && isIntra,
            firstMacroblock < sequence.widthInMacroblocks * sequence.heightInMacroblocks
        else { throw .damaged }
        dataPosition = reader.bitPosition
        dataOffset = 1 + reader.byteOffset
        guard dataOffset < unit.count else { throw .damaged }
        if redundantCount > 0 { throw .redundantPictures }
    }

    private mutating func readOrder(
        _ reader: inout BitReader, _ sequence: H264.SequenceParameterSet, _ picture: H264.PictureParameterSet
    ) {
        if sequence.hasSeparateColourPlanes { colourPlane = reader.u(2) }
        frameNum = reader.u(sequence.log2MaxFrameNum)
        if !sequence.isFramesOnly {
            isField = reader.flag()
            if isField { isBottomField = reader.flag() }
        }
        if isIDR { idrPicID = reader.ue(0...65535) }
        switch sequence.pictureOrderType {
        case 0:
            pictureOrderLSB = reader.u(sequence.log2MaxPictureOrderLSB)
            if picture.hasBottomFieldOrder, !isField { pictureOrderDeltaBottom = reader.se() }
        case 1 where !sequence.isPictureOrderDeltaZero:
            pictureOrderDelta0 = reader.se()
            if picture.hasBottomFieldOrder, !isField { pictureOrderDelta1 = reader.se() }
        default: break
        }
        if picture.hasRedundantPictures { redundantCount = reader.ue(0...127) }
    }

    private mutating func readReferences(
        _ reader: inout BitReader, _ sequence: H264.SequenceParameterSet, _ picture: H264.PictureParameterSet
    ) {
        if kind == .b { usesSpatialDirect = reader.flag() }
        if !isIntra {
            referenceCount0 = picture.defaultReferenceCounts[0]
            if kind == .b { referenceCount1 = picture.defaultReferenceCounts[1] }
            overridesReferenceCounts = reader.flag()
            if overridesReferenceCounts {
                referenceCount0 = 1 + reader.ue(0...31)
                if kind == .b { referenceCount1 = 1 + reader.ue(0...31) }
            }
            modification0 = Self.modifications(&reader)
            if kind == .b { modification1 = Self.modifications(&reader) }
        }
        if hasWeights(picture) { weights = readWeights(&reader, withChroma: sequence.chromaArrayType != 0) }
        if isReference { marking = readMarking(&reader) }
    }

    func hasWeights(_ picture: H264.PictureParameterSet) -> Bool {
        switch kind {
        case .p, .sp: picture.weightsPredictions
        case .b: picture.bipredictionWeights == 1
        case .i, .si: false
        }
    }

    private static func modifications(_ reader: inout BitReader) -> [ListModification]? {
        guard reader.flag() else { return nil }
        var found: [ListModification] = []
        while !reader.hasFailed {
            switch reader.ue() {
            case 0: found.append(.subtract(1 + reader.ue()))
            case 1: found.append(.add(1 + reader.ue()))
            case 2: found.append(.longTerm(reader.ue()))
            case 3: return found
            default: reader.fail()
            }
            // One for each of the list's entries.
            if found.count > 32 { reader.fail() }
        }
        return found
    }

    private func readWeights(_ reader: inout BitReader, withChroma: Bool) -> WeightTable {
        var table = WeightTable()
        table.lumaDenominator = reader.ue(0...7)
        if withChroma { table.chromaDenominator = reader.ue(0...7) }
        for _ in 0..<referenceCount0 + referenceCount1 where !reader.hasFailed {
            var entry = WeightTable.Entry()
            if reader.flag() { entry.luma = [reader.se(-128...127), reader.se(-128...127)] }
            if withChroma, reader.flag() { entry.chroma = (0..<4).map { _ in reader.se(-128...127) } }
            table.entries.append(entry)
        }
        return table
    }

    private func readMarking(_ reader: inout BitReader) -> Marking {
        if isIDR { return .idr(dropsPriorPictures: reader.flag(), isLongTerm: reader.flag()) }
        guard reader.flag() else { return .slidingWindow }
        var operations: [Marking.Operation] = []
        while !reader.hasFailed {
            switch reader.ue() {
            case 0: return .adaptive(operations)
            case 1: operations.append(.unmark(1 + reader.ue()))
            case 2: operations.append(.unmarkLongTerm(reader.ue()))
            case 3: operations.append(.makeLongTerm(1 + reader.ue(), index: reader.ue()))
            case 4: operations.append(.limitLongTerm(reader.ue()))
            case 5: operations.append(.unmarkAll)
            case 6: operations.append(.keepAsLongTerm(reader.ue()))
            default: reader.fail()
            }
            if operations.count > 66 { reader.fail() }
        }
        return .slidingWindow
    }

    private mutating func readFilters(_ reader: inout BitReader, _ picture: H264.PictureParameterSet) {
        if picture.usesCABAC, !isIntra { cabacInit = reader.ue(0...2) }
        qpDelta = reader.se(-87...87)
        if kind == .sp || kind == .si {
            if kind == .sp { isSwitchingSP = reader.flag() }
            qsDelta = reader.se(-51...51)
        }
        guard picture.hasDeblockingControl else { return }
        deblocking = reader.ue(0...2)
        guard deblocking != 1 else { return }
        deblockingAlpha = reader.se(-6...6)
        deblockingBeta = reader.se(-6...6)
    }
}
