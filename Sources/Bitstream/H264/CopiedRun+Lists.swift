extension H264.CopiedRun {
    /// An entry of a list of references that the source's decoder uses.
    private struct Entry: Equatable {
        /// In the source; `nil` for frames of before the run, of which nothing is known.
        var number: Int?
        /// In the output; `nil` for what was cut away.
        var outputNumber: Int?
    }

    /// Sees to it that each index of a slice's lists means the same picture in the output as in the source.
    func writeLists(
        _ header: inout H264.SliceHeader, _ picture: Picture, _ shown: Int
    ) throws(H264.Obstacle) {
        guard !header.isIntra else { return }
        header.modification0 = try modification(
            0, header.modification0, length: header.referenceCount0, header.kind, picture, shown)
        guard header.kind == .b else { return }
        header.modification1 = try modification(
            1, header.modification1, length: header.referenceCount1, header.kind, picture, shown)
    }

    private func modification(
        _ list: Int, _ modifications: [H264.SliceHeader.ListModification]?, length: Int,
        _ kind: H264.SliceHeader.Kind, _ picture: Picture, _ shown: Int
    ) throws(H264.Obstacle) -> [H264.SliceHeader.ListModification]? {
        let named = H264.SliceHeader.distances(of: modifications ?? [], sequence.maxFrameNum)
        guard !named.contains(nil) else { throw .longTermReferences }
        let distances = named.compactMap(\.self)
        let wanted = try sourceList(list, distances, length: length, kind, picture)
        // The picture beside, whose motion is taken over, must be there; and anything at all.
        guard wanted.contains(where: { $0.outputNumber != nil }), list == 0 || wanted[0].outputNumber != nil
        else { throw .missingReference }

        let initial = output.initialList(list, of: kind, order: shown).map(\.number)
        if distances.allSatisfy({ output[picture.outputNumber - $0] != nil }) {
            let same = H264.SliceHeader.modified(
                initial, by: distances.map { picture.outputNumber - $0 }, length: length, isSame: ==)
            let fits = zip(wanted, same).allSatisfy { $0.outputNumber == nil || $0.outputNumber == $1 }
            if fits, same.count >= length { return modifications }
        }
        // Frames of the seam stand in for what is not there: nothing refers to them.
        let others = [output.frames.first { $0.counterpart == nil }?.number, wanted.compactMap(\.outputNumber).first]
        guard let other = others.compactMap(\.self).first else { throw .missingReference }
        let written = wanted.map { picture.outputNumber - ($0.outputNumber ?? other) }
        guard written.allSatisfy({ $0 > 0 && $0 < sequence.maxFrameNum }) else { throw .missingReference }
        return H264.SliceHeader.modifications(toDistances: written, sequence.maxFrameNum)
    }

    /// The list that the source's decoder has, as far as it is of this run: frames of before it come after all others,
    /// in both kinds of lists.
    private func sourceList(
        _ list: Int, _ distances: [Int], length: Int, _ kind: H264.SliceHeader.Kind, _ picture: Picture
    ) throws(H264.Obstacle) -> [Entry] {
        let initial = source.initialList(list, of: kind, order: picture.order)
        let mayHaveMore = !isSourceKnown && source.frames.count < source.capacity
        if kind == .b, mayHaveMore {
            let past = source.frames.count { $0.order < picture.order }
            // Frames of before the run lie between those shown earlier and those shown later. And without any of these,
            // the beginning of list 1 depends on whether there is more than one frame.
            let hasFuture = past < source.frames.count
            let isCertain = list == 0 ? length <= past || !hasFuture : hasFuture || past > 1
            guard isCertain else { throw .missingReference }
        }
        var entries = initial.map { Entry(number: $0.number, outputNumber: $0.counterpart) }
        while entries.count < length { entries.append(Entry()) }
        let named = distances.map { distance in
            let number = picture.number - distance
            return Entry(number: number, outputNumber: source[number]?.counterpart)
        }
        return H264.SliceHeader.modified(entries, by: named, length: length) { $0.number == $1.number }
    }
}
