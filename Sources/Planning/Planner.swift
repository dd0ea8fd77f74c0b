package import Model

/// Turns an edit and the probes of its sources into a plan. Pure: same input, same plan.
package struct Planner {
    private let edit: EditDocument
    private let probes: [ProbeReport]
    private let salvage: Bool
    private let keepsCodec: Bool
    private var notes: [String] = []

    /// A range may overshoot its source by this much, because editors round; more is a mistake.
    package static let overshootTolerance = Rational(1)

    /// - Parameters:
    ///   - probes: one for each of the edit's sources, in their order.
    ///   - container: what the output's file name asks for, where the edit does not say.
    ///   - salvage: accept sources that are cut short.
    ///   - keepsCodec: where the edit names none, the picture's and the sound's codecs are the sources', if they have one
    ///     and the container holds it: for pictures that are copied.
    package static func plan(
        _ edit: EditDocument, probes: [ProbeReport], container: OutputSettings.Container? = nil, salvage: Bool = false,
        keepsCodec: Bool = false
    ) throws(PlanningError) -> RenderPlan {
        precondition(edit.sources.count == probes.count, "every source needs a probe")
        var planner = Planner(edit: edit, probes: probes, salvage: salvage, keepsCodec: keepsCodec)
        return try planner.plan(container: edit.output.container ?? container ?? .mp4)
    }

    private init(edit: EditDocument, probes: [ProbeReport], salvage: Bool, keepsCodec: Bool) {
        (self.edit, self.probes, self.salvage, self.keepsCodec) = (edit, probes, salvage, keepsCodec)
    }

    private mutating func plan(container: OutputSettings.Container) throws(PlanningError) -> RenderPlan {
        var pieces: [Piece]
        switch edit.programme {
        case .timeline(let ranges): pieces = try timelinePieces(ranges)
        case .edits(let operations): pieces = try programmePieces(operations)
        }
        pieces = mergedWhereTouching(pieces)
        guard !pieces.isEmpty else { throw .keepsNothing }
        let overlays = try plannedOverlays()
        pieces = try layered(pieces)

        let used = orderedUnique(pieces.map(\.source))
        for index in used { try checkUsable(index) }
        for piece in pieces { try checkIntact(piece) }
        let videoSources = used.filter { mainVideo($0) != nil }
        let audioSources = used.filter { mainAudio($0) != nil }

        let formats = try OutputFormats(
            container: container, settings: edit.output,
            kept: keepsCodec
                ? OutputFormats.Kept(
                    video: Set(videoSources.compactMap { mainVideo($0)?.codec }),
                    audio: Set(audioSources.compactMap { mainAudio($0)?.codec })) : OutputFormats.Kept())
        var video: VideoPlan?
        var canvas: Canvas?
        if !videoSources.isEmpty {
            let streams = videoSources.compactMap(mainVideo)
            let chosen = Canvas(for: streams, settings: edit.settings)
            canvas = chosen
            video = videoPlan(
                streams, canvas: chosen, codec: formats.video, soundOnlySegments: videoSources.count != used.count)
        }
        let audio = audioSources.isEmpty ? nil : audioPlan(audioSources.compactMap(mainAudio), codec: formats.audio)

        let sources = edit.sources.indices.map { index in
            PlannedSource(
                id: edit.sources[index].id, uri: edit.sources[index].uri,
                videoStream: mainVideo(index)?.index, audioStream: mainAudio(index)?.index,
                duration: probes[index].duration, videoEnd: videoEnd(index),
                layout: mainVideo(index).flatMap { canvas?.layout(of: $0, background: edit.settings.background) },
                color: mainVideo(index).flatMap { stream in video.map { treatment(of: stream, in: $0) } },
                interlaced: mainVideo(index)?.interlaced ?? false
            )
        }
        var layers: PlannedLayers?
        if video != nil, pieces.contains(where: { !$0.layers.isEmpty }) {
            layers = PlannedLayers(
                texts: edit.captions?.cues.map(\.text) ?? [], style: edit.captions?.style ?? CaptionStyle(),
                overlays: overlays)
        }
        return RenderPlan(
            container: container, sources: sources, segments: segments(from: pieces), layers: layers, video: video,
            audio: audio,
            predictedDurationSeconds: pieces.reduce(0) { $0 + length(of: $1) }, notes: notes
        )
    }

    // MARK: Streams

    private func mainVideo(_ source: Int) -> VideoStream? {
        let streams = probes[source].video.filter(\.decodable)
        return streams.first(where: \.isDefault) ?? streams.first
    }

    private func mainAudio(_ source: Int) -> AudioStream? {
        let streams = probes[source].audio.filter(\.decodable)
        return streams.first(where: \.isDefault) ?? streams.first
    }

    private func videoEnd(_ source: Int) -> Rational? {
        guard let video = mainVideo(source), let length = video.durationSeconds else { return nil }
        let end = (video.startSeconds ?? 0) + length - probes[source].container.startSeconds
        return Rational(Int64((end * 1_000_000).rounded()), 1_000_000)
    }

    private func checkUsable(_ source: Int) throws(PlanningError) {
        let (probe, id) = (probes[source], edit.sources[source].id)
        if probe.video.contains(where: \.encrypted) || probe.audio.contains(where: \.encrypted) {
            throw .encrypted(source: id)
        }
        guard mainVideo(source) == nil, mainAudio(source) == nil else { return }
        if let codec = probe.video.first?.codec ?? probe.audio.first?.codec {
            throw .undecodable(source: id, codec: codec)
        }
        throw .noStreams(source: id)
    }

    /// A source that is cut short may be used up to where it is whole.
    private func checkIntact(_ piece: Piece) throws(PlanningError) {
        let container = probes[piece.source].container
        guard container.truncated, !salvage else { return }
        if let end = piece.end, let intact = container.intactSeconds, end.seconds <= intact { return }
        throw .truncated(source: edit.sources[piece.source].id, intactSeconds: container.intactSeconds)
    }

    // MARK: Segments

    /// A kept range on its way to becoming a segment.
    private struct Piece {
        var source: Int
        var start: Rational
        var end: Rational?
        /// Its end is the source's, so that nothing is cut off there.
        var reachesEnd: Bool
        var sound: [SoundEffect] = []
        var layers: [LayerStretch] = []
    }

    private func length(of piece: Piece) -> Double {
        let duration = probes[piece.source].duration
        let end = (piece.reachesEnd ? duration : nil) ?? piece.end ?? duration ?? piece.start
        return max(0, (end - piece.start).seconds)
    }

    /// Some writers of Matroska give the time of the last picture for the duration.
    private func lastPictureMayBegin(atDurationOf source: Int) -> Bool {
        probes[source].container.format.hasPrefix("matroska") && mainVideo(source) != nil
    }

    private mutating func timelinePieces(_ ranges: [TimelineRange]) throws(PlanningError) -> [Piece] {
        let indexByID = Dictionary(
            edit.sources.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        var pieces: [Piece] = []
        pieces.reserveCapacity(ranges.count)
        for (number, range) in ranges.enumerated() {
            let path = "timeline[\(number)]"
            guard let source = indexByID[range.source] else {
                throw .unknownSource(path: path + ".source", id: range.source)
            }
            let start = range.start.seconds
            var end = range.end?.seconds
            if let end, end <= start { throw .reversed(path: path) }
            guard start >= .zero else { throw .outOfBounds(path: path, reason: "the range starts before the source") }
            var reachesEnd = end == nil
            if let duration = probes[source].duration {
                guard start < duration || start == duration && lastPictureMayBegin(atDurationOf: source) else {
                    throw .outOfBounds(
                        path: path,
                        reason: "the range starts at \(start.milliseconds) ms, the source "
                            + "ends at \(duration.milliseconds) ms")
                }
                if let asked = end, asked >= duration {
                    guard asked <= duration + Self.overshootTolerance else {
                        throw .outOfBounds(
                            path: path,
                            reason: "the range ends at \(asked.milliseconds) ms, the source "
                                + "ends at \(duration.milliseconds) ms")
                    }
                    reachesEnd = true
                    // A picture may lie between a duration that is a little untrue and the asked end, or behind both.
                    if mainVideo(source) == nil { end = nil }
                }
            }
            pieces.append(Piece(source: source, start: start, end: end, reachesEnd: reachesEnd))
        }
        return pieces
    }

    /// The sources of an edit list's programme in order, where each begins, and how long all last. Images that are laid
    /// over it are not among them.
    private func programme() throws(PlanningError) -> (sources: [Int], offsets: [Rational], length: Rational) {
        let sources = edit.programmeSources
        var offsets: [Rational] = []
        var length = Rational.zero
        for source in sources {
            guard let duration = probes[source].duration else { throw .noDuration(source: edit.sources[source].id) }
            offsets.append(length)
            length = length + duration
        }
        return (sources, offsets, length)
    }

    /// The programme is the sources in order; what is not cut is kept.
    private mutating func programmePieces(_ operations: [EditOperation]) throws(PlanningError) -> [Piece] {
        let (sources, offsets, length) = try programme()
        var cuts: [ProgrammeRange] = []
        var effects: [(range: ProgrammeRange, kind: SoundEffect.Kind)] = []
        for (number, operation) in operations.enumerated() {
            let path = "edits[\(number)]"
            let range = ProgrammeRange(start: operation.start.seconds, end: operation.end.seconds)
            guard range.start < range.end else { throw .reversed(path: path) }
            guard range.start >= .zero, range.start < length, range.end <= length + Self.overshootTolerance else {
                throw .outOfBounds(
                    path: path,
                    reason: "the range \(range.start.milliseconds)-"
                        + "\(range.end.milliseconds) ms is outside the programme of \(length.milliseconds) ms")
            }
            switch (operation.action, edit.settings.audioCensorship) {
            case (.cut, _): cuts.append(range)
            case (.mute, nil), (_, .mute?): effects.append((range, .mute))
            case (.bleep, nil), (_, .bleep?): effects.append((range, .bleep))
            }
        }
        let kept = ProgrammeRange(start: .zero, end: length).removing(cuts)
        let sounds = merged(effects)
        var pieces: [Piece] = []
        // Kept ranges, sources and effects are all sorted: one pass over each.
        var nextEffect = 0
        for (number, offset) in offsets.enumerated() {
            let source = sources[number]
            let end = number + 1 < offsets.count ? offsets[number + 1] : length
            for range in kept where range.start < end && range.end > offset {
                let (from, to) = (max(range.start, offset), min(range.end, end))
                var piece = Piece(
                    source: source, start: from - offset, end: to == end ? nil : to - offset, reachesEnd: to == end)
                while nextEffect < sounds.count, sounds[nextEffect].end <= from { nextEffect += 1 }
                for effect in sounds[nextEffect...].prefix(while: { $0.start < to }) {
                    // Not clipped: an effect fades at its own edges, and must not where a cut falls inside it.
                    piece.sound.append(
                        SoundEffect(start: effect.start - offset, end: effect.end - offset, kind: effect.kind))
                }
                pieces.append(piece)
            }
        }
        return pieces
    }

    /// Sorted and free of overlaps; where a mute and a bleep overlap, the bleep is heard.
    private func merged(_ effects: [(range: ProgrammeRange, kind: SoundEffect.Kind)]) -> [SoundEffect] {
        let bleeps = ProgrammeRange.union(effects.filter { $0.kind == .bleep }.map(\.range))
        let mutes = ProgrammeRange.union(effects.filter { $0.kind == .mute }.map(\.range))
        let quiet = mutes.flatMap { $0.removing(bleeps) }
        return
            (bleeps.map { SoundEffect(start: $0.start, end: $0.end, kind: .bleep) }
            + quiet.map { SoundEffect(start: $0.start, end: $0.end, kind: .mute) })
            .sorted { $0.start < $1.start }
    }

    /// Ranges that touch are one segment: no seam is made where the source is continuous.
    private func mergedWhereTouching(_ pieces: [Piece]) -> [Piece] {
        var result: [Piece] = []
        result.reserveCapacity(pieces.count)
        for piece in pieces {
            if let last = result.last, last.source == piece.source, last.end == piece.start {
                result[result.count - 1].end = piece.end
                result[result.count - 1].reachesEnd = piece.reachesEnd
                result[result.count - 1].sound += piece.sound
            } else {
                result.append(piece)
            }
        }
        return result
    }

    private func segments(from pieces: [Piece]) -> [PlannedSegment] {
        pieces.enumerated().map { number, piece in
            PlannedSegment(
                source: piece.source, start: piece.start, end: piece.end, treatment: .encode,
                fadesIn: number > 0 || piece.start > .zero,
                fadesOut: number < pieces.count - 1 || !piece.reachesEnd,
                sound: piece.sound, layers: piece.layers
            )
        }
    }

    // MARK: Layers

    private func plannedOverlays() throws(PlanningError) -> [PlannedOverlay] {
        var overlays: [PlannedOverlay] = []
        for (number, overlay) in edit.overlays.enumerated() {
            guard let source = edit.sources.firstIndex(where: { $0.id == overlay.source }) else {
                throw .unknownSource(path: "overlays[\(number)].source", id: overlay.source)
            }
            try checkUsable(source)
            guard mainVideo(source) != nil else { throw .noPicture(source: overlay.source) }
            overlays.append(
                PlannedOverlay(
                    source: source, x: overlay.x, y: overlay.y, width: overlay.width, opacity: overlay.opacity))
        }
        return overlays
    }

    /// Gives pieces the stretches in which something is laid over them.
    ///
    /// A timeline's clock is the output's, as it was asked for: lengths are those of the ranges. An edit list's is the
    /// programme's before anything is cut, which transcripts know.
    private func layered(_ pieces: [Piece]) throws(PlanningError) -> [Piece] {
        guard edit.captions != nil || !edit.overlays.isEmpty else { return pieces }
        var offsets: [Rational] = []
        switch edit.programme {
        case .timeline:
            var elapsed = Rational.zero
            for piece in pieces {
                offsets.append(elapsed - piece.start)
                elapsed = elapsed + (end(of: piece) - piece.start)
            }
        case .edits:
            let (sources, starts, _) = try programme()
            let offset = Dictionary(zip(sources, starts), uniquingKeysWith: { first, _ in first })
            offsets = pieces.map { offset[$0.source] ?? .zero }
        }
        var times = LayerTimes(try shownLayers())
        return zip(pieces, offsets).map { piece, offset in
            var piece = piece
            piece.layers = times.stretches(
                in: ProgrammeRange(start: piece.start + offset, end: end(of: piece) + offset), offset: offset)
            return piece
        }
    }

    private func shownLayers() throws(PlanningError) -> [(range: ProgrammeRange, layer: Layer)] {
        var shown: [(range: ProgrammeRange, layer: Layer)] = []
        for (number, cue) in (edit.captions?.cues ?? []).enumerated() {
            guard cue.start.seconds < cue.end.seconds else { throw .reversed(path: "captions.cues[\(number)]") }
            shown.append((ProgrammeRange(start: cue.start.seconds, end: cue.end.seconds), .caption(number)))
        }
        for (number, overlay) in edit.overlays.enumerated() {
            let end = overlay.end?.seconds ?? Self.endless
            guard overlay.start.seconds < end else { throw .reversed(path: "overlays[\(number)]") }
            shown.append((ProgrammeRange(start: overlay.start.seconds, end: end), .overlay(number)))
        }
        return shown
    }

    /// Where a piece's end is not told, and nobody knows how long its source lasts.
    private static let endless = Rational(1_000_000_000)

    private func end(of piece: Piece) -> Rational {
        let duration = probes[piece.source].duration
        return (piece.reachesEnd ? duration : nil) ?? piece.end ?? duration ?? Self.endless
    }

    // MARK: Formats

    private mutating func videoPlan(
        _ streams: [VideoStream], canvas: Canvas, codec: VideoSettings.Codec, soundOnlySegments: Bool
    ) -> VideoPlan {
        let settings = edit.output.video
        let leading = streams[0]
        let keepsHDR = decideHDR(streams, codec: codec)
        let carriesTenBits = codec != .h264 || keepsHDR
        let bitDepth =
            carriesTenBits && streams.contains { $0.bitDepth > 8 } && (keepsHDR || !streams.contains { $0.color.isHDR })
            ? 10 : 8
        let alike = streams.allSatisfy { $0.color == leading.color }
        let color: ColorTags
        if leading.color.isHDR, !keepsHDR {
            color = .sdr
        } else {
            color = alike ? leading.color : .sdr
        }
        let cadence = cadence(streams, soundOnlySegments: soundOnlySegments)
        let nominal: Rational
        if case .constant(let rate, _) = cadence { nominal = rate } else { nominal = leading.nominalFrameRate }
        return VideoPlan(
            codec: codec, crf: settings.crf ?? Self.usualQuality(codec), preset: settings.preset, width: canvas.width,
            height: canvas.height, sampleAspectRatio: canvas.sampleAspectRatio, bitDepth: bitDepth, cadence: cadence,
            variableFrameRate: streams.contains(where: \.variableFrameRate), color: color,
            hdr: keepsHDR ? leading.hdr : nil,
            nominalFrameRate: nominal,
            keyframeIntervalSeconds: settings.keyframeIntervalSeconds
        )
    }

    private static func usualQuality(_ codec: VideoSettings.Codec) -> Int {
        switch codec {
        case .h264: 20
        case .hevc: 24
        case .vp9: 31
        case .av1: 32
        }
    }

    private mutating func decideHDR(_ streams: [VideoStream], codec: VideoSettings.Codec) -> Bool {
        guard streams.contains(where: \.color.isHDR) else { return false }
        let oneSystem = streams.allSatisfy { $0.color.transfer == streams[0].color.transfer }
        switch edit.output.video.dynamicRange {
        case .sdr: return false
        case .keep where oneSystem: return true
        case .keep:
            notes.append("HDR and SDR sources are mixed; the output is SDR.")
            return false
        case .auto:
            if codec == .h264 {
                notes.append(
                    "HDR is tone mapped to SDR, because players show H.264 as SDR; use hevc, vp9 or av1 to keep it.")
                return false
            }
            if !oneSystem { notes.append("HDR and SDR sources are mixed; the output is SDR.") }
            return oneSystem
        }
    }

    private mutating func cadence(_ streams: [VideoStream], soundOnlySegments: Bool) -> Cadence {
        if let rate = edit.output.framesPerSecond {
            return resampled(to: rate, reason: "output.fps asks for it")
        }
        let fastest = streams.map(\.nominalFrameRate).max() ?? Rational(30)
        let isOneRate = streams.allSatisfy { $0.nominalFrameRate == fastest }
        if isOneRate, Set(streams.map(\.timeBase)).count == 1, !soundOnlySegments {
            return .source(timeBase: streams[0].timeBase)
        }
        if isOneRate, !streams.contains(where: \.variableFrameRate) {
            return .constant(
                framesPerSecond: fastest,
                reason: soundOnlySegments ? "a source has no picture" : "the sources' clocks tick differently")
        }
        return resampled(to: fastest, reason: "the sources have different or variable frame rates")
    }

    private mutating func resampled(to rate: Rational, reason: String) -> Cadence {
        let shown = (rate.seconds * 1000).rounded() / 1000
        notes.append("Frames are resampled to \(shown) per second: \(reason).")
        return .constant(framesPerSecond: rate, reason: reason)
    }

    private func treatment(of stream: VideoStream, in plan: VideoPlan) -> ColorTreatment {
        if stream.color.isHDR, plan.hdr == nil { return .toneMap(from: stream.color) }
        if stream.color == plan.color { return .keep }
        return .convert(from: stream.color.assumed(height: stream.height), to: plan.color)
    }

    private mutating func audioPlan(_ streams: [AudioStream], codec: AudioSettings.Codec) -> AudioPlan {
        let settings = edit.output.audio
        let limit = codec == .mp3 ? 2 : 8
        let widest = streams.map(\.channels).max() ?? 2
        let channels = min(settings.channels ?? widest, limit)
        if settings.channels == nil, widest > limit {
            notes.append("\(widest) channels are mixed down to \(limit), all that \(codec.rawValue) holds.")
        }
        return AudioPlan(
            codec: codec, bitRate: (settings.bitrateKilobits ?? 64 * max(2, channels)) * 1000,
            sampleRate: sampleRate(settings.sampleRate ?? streams[0].sampleRate, codec), channels: channels,
            layout: Self.layoutName(channels: channels),
            language: Set(streams.map(\.language)).count == 1 ? streams[0].language : nil
        )
    }

    private func sampleRate(_ wanted: Int, _ codec: AudioSettings.Codec) -> Int {
        switch codec {
        case .opus: 48000
        case .mp3: nearestRate(wanted, [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
        case .aac:
            nearestRate(wanted, [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000])
        }
    }

    private func nearestRate(_ wanted: Int, _ rates: [Int]) -> Int {
        rates.first { $0 >= wanted } ?? rates[rates.count - 1]
    }

    /// The layouts that every player of AAC and Opus knows. Source: ISO/IEC 14496-3 table 1.19.
    private static func layoutName(channels: Int) -> String {
        ["mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1"][channels - 1]
    }
}

private func orderedUnique(_ values: [Int]) -> [Int] {
    var seen: Set<Int> = []
    return values.filter { seen.insert($0).inserted }
}
