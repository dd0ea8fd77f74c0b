extension H264.SliceHeader {
    /// Writes the header as it reads under two sets, up to slice_data( ) and without its alignment.
    func write(
        to writer: inout BitWriter, _ sequence: H264.SequenceParameterSet, _ picture: H264.PictureParameterSet
    ) {
        writer.ue(firstMacroblock)
        writer.ue(typeCode)
        writer.ue(picture.id)
        writeOrder(to: &writer, sequence, picture)
        writeReferences(to: &writer, sequence, picture)
        writeFilters(to: &writer, picture)
    }

    private func writeOrder(
        to writer: inout BitWriter, _ sequence: H264.SequenceParameterSet, _ picture: H264.PictureParameterSet
    ) {
        if sequence.hasSeparateColourPlanes { writer.u(colourPlane, 2) }
        writer.u(frameNum, sequence.log2MaxFrameNum)
        if !sequence.isFramesOnly {
            writer.flag(isField)
            if isField { writer.flag(isBottomField) }
        }
        if isIDR { writer.ue(idrPicID) }
        switch sequence.pictureOrderType {
        case 0:
            writer.u(pictureOrderLSB, sequence.log2MaxPictureOrderLSB)
            if picture.hasBottomFieldOrder, !isField { writer.se(pictureOrderDeltaBottom) }
        case 1 where !sequence.isPictureOrderDeltaZero:
            writer.se(pictureOrderDelta0)
            if picture.hasBottomFieldOrder, !isField { writer.se(pictureOrderDelta1) }
        default: break
        }
        if picture.hasRedundantPictures { writer.ue(redundantCount) }
    }

    private func writeReferences(
        to writer: inout BitWriter, _ sequence: H264.SequenceParameterSet, _ picture: H264.PictureParameterSet
    ) {
        if kind == .b { writer.flag(usesSpatialDirect) }
        if !isIntra {
            writer.flag(overridesReferenceCounts)
            if overridesReferenceCounts {
                writer.ue(referenceCount0 - 1)
                if kind == .b { writer.ue(referenceCount1 - 1) }
            }
            write(modification0, to: &writer)
            if kind == .b { write(modification1, to: &writer) }
        }
        if let weights { write(weights, to: &writer, withChroma: sequence.chromaArrayType != 0) }
        writeMarking(to: &writer)
    }

    private func write(_ modifications: [ListModification]?, to writer: inout BitWriter) {
        writer.flag(modifications != nil)
        guard let modifications else { return }
        for modification in modifications {
            switch modification {
            case .subtract(let difference):
                writer.ue(0)
                writer.ue(difference - 1)
            case .add(let difference):
                writer.ue(1)
                writer.ue(difference - 1)
            case .longTerm(let number):
                writer.ue(2)
                writer.ue(number)
            }
        }
        writer.ue(3)
    }

    private func write(_ table: WeightTable, to writer: inout BitWriter, withChroma: Bool) {
        writer.ue(table.lumaDenominator)
        if withChroma { writer.ue(table.chromaDenominator) }
        for entry in table.entries {
            writer.flag(entry.luma != nil)
            for value in entry.luma ?? [] { writer.se(value) }
            guard withChroma else { continue }
            writer.flag(entry.chroma != nil)
            for value in entry.chroma ?? [] { writer.se(value) }
        }
    }

    private func writeMarking(to writer: inout BitWriter) {
        switch marking {
        case .none: break
        case .idr(let dropsPriorPictures, let isLongTerm):
            writer.flag(dropsPriorPictures)
            writer.flag(isLongTerm)
        case .slidingWindow: writer.flag(false)
        case .adaptive(let operations):
            writer.flag(true)
            for operation in operations { Self.write(operation, to: &writer) }
            writer.ue(0)
        }
    }

    private static func write(_ operation: Marking.Operation, to writer: inout BitWriter) {
        switch operation {
        case .unmark(let difference):
            writer.ue(1)
            writer.ue(difference - 1)
        case .unmarkLongTerm(let number):
            writer.ue(2)
            writer.ue(number)
        case .makeLongTerm(let difference, let index):
            writer.ue(3)
            writer.ue(difference - 1)
            writer.ue(index)
        case .limitLongTerm(let limit):
            writer.ue(4)
            writer.ue(limit)
        case .unmarkAll: writer.ue(5)
        case .keepAsLongTerm(let index):
            writer.ue(6)
            writer.ue(index)
        }
    }

    private func writeFilters(to writer: inout BitWriter, _ picture: H264.PictureParameterSet) {
        if picture.usesCABAC, !isIntra { writer.ue(cabacInit) }
        writer.se(qpDelta)
        if kind == .sp || kind == .si {
            if kind == .sp { writer.flag(isSwitchingSP) }
            writer.se(qsDelta)
        }
        guard picture.hasDeblockingControl else { return }
        writer.ue(deblocking)
        guard deblocking != 1 else { return }
        writer.se(deblockingAlpha)
        writer.se(deblockingBeta)
    }
}

extension H264 {
    /// A slice's unit with another header before the same slice data.
    ///
    /// CABAC data begins on a byte's boundary and moves by whole bytes; CAVLC data moves by bits.
    ///
    /// - Parameters:
    ///   - unit: a whole unit, with emulation prevention.
    ///   - old: the header it has.
    ///   - new: the header it gets, to be read under `sequence` and `picture`. Whether these use CABAC must be so under
    ///     the old ones, too.
    static func rewritten(
        _ unit: UnsafeRawBufferPointer, from old: SliceHeader, to new: SliceHeader,
        _ sequence: SequenceParameterSet, _ picture: PictureParameterSet
    ) throws(Obstacle) -> [UInt8] {
        guard let first = unit.first else { throw .damaged }
        let header = [first & 0x9F | UInt8(new.referenceIDC) << 5]
        let body = NALUnits.trimmed(1..<unit.count, in: unit)
        var writer = BitWriter()
        new.write(to: &writer, sequence, picture)
        let isMovedByBytes = picture.usesCABAC || writer.bitCount % 8 == old.dataPosition % 8
        guard isMovedByBytes else {
            let rbsp = NALUnits.unescaped(UnsafeRawBufferPointer(rebasing: unit[body]))
            guard let end = stopBit(of: rbsp), end >= old.dataPosition else { throw .damaged }
            writer.append(rbsp, bits: old.dataPosition..<end)
            writer.finishRBSP()
            return NALUnits.unit(header: header, rbsp: writer.bytes)
        }
        let tail = old.settledOffset(in: UnsafeRawBufferPointer(rebasing: unit[..<body.upperBound]))
        let head = NALUnits.unescaped(UnsafeRawBufferPointer(rebasing: unit[1..<tail]))
        let start = picture.usesCABAC ? (old.dataPosition + 7) / 8 * 8 : old.dataPosition
        guard start <= head.count * 8 else { throw .damaged }
        if picture.usesCABAC { writer.align(with: true) }
        writer.append(head, bits: start..<head.count * 8)
        var rewritten = header
        rewritten.reserveCapacity(unit.count + 32)
        NALUnits.append(escaping: writer.bytes, to: &rewritten)
        rewritten.append(contentsOf: unit[tail..<body.upperBound])
        return rewritten
    }
}
