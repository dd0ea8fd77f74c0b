package import Model

extension RenderPlan {
    /// Throws what keeps the pictures of this plan from being copied, as far as the probes tell.
    ///
    /// - Parameter probes: of the plan's sources, in their order.
    package func checkCopying(_ probes: [ProbeReport]) throws(SmartObstacle) {
        guard let video else { throw .noPicture }
        if case .constant(_, let reason) = video.cadence {
            throw .changesPicture("its frames are brought to one rate: \(reason)")
        }
        if video.keyframeIntervalSeconds != nil { throw .changesPicture("keyframes are to be at other distances") }
        if video.crf == 0 { throw .changesPicture("nothing of it may be lost") }
        if video.hdr != nil { throw .changesPicture("HDR metadata is written anew") }
        var turns: Set<Orientation> = []
        for index in Set(segments.map(\.source)).sorted() {
            let source = sources[index]
            let container = probes[index].container.format
            guard let stream = probes[index].video.first(where: { $0.index == source.videoStream }) else {
                throw .noPicture
            }
            guard ["mov", "matroska", "mpegts"].contains(where: { container.hasPrefix($0) }) else {
                throw .container(container)
            }
            guard stream.codec == video.codec.rawValue else {
                throw .otherCodec(source: stream.codec, output: video.codec.rawValue)
            }
            if source.interlaced { throw .interlaced }
            if let layout = source.layout {
                if layout.arrangement != .identity { throw .changesPicture("its size") }
                turns.insert(layout.orientation)
            }
            if source.color != .keep { throw .changesPicture("colours are converted") }
            if stream.bitDepth != video.bitDepth { throw .changesPicture("its bit depth") }
            // Moving a track is what times are for; anything more hides or repeats pictures.
            if stream.editList.count(where: { $0.mediaStartSeconds != nil }) > 1 { throw .editList }
        }
        try check(turns)
        if layers != nil, turns != [.upright] {
            throw .changesPicture("what is laid over it would be turned upright with it")
        }
    }

    /// Pictures stay as they are coded; how they are to be turned goes into the output, where its container has a place
    /// for that.
    private func check(_ turns: Set<Orientation>) throws(SmartObstacle) {
        if turns.isSubset(of: [.upright]) { return }
        guard turns.count == 1 else { throw .changesPicture("the sources are turned upright in several ways") }
        switch container {
        case .mp4, .mov: return
        case .mkv, .webm:
            throw .changesPicture("it is turned upright, which the output's container cannot tell players to do")
        }
    }
}
