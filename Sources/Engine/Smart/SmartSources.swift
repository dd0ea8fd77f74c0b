internal import Media
internal import Model
internal import Planning

/// The sources of a smart render, opened: all must be coded alike.
struct SmartSources {
    let codec: any PictureCodec
    let sources: [Int: SmartSource]
    let leading: SmartSource
    let timeBase: Rational
    let frameRate: Rational
    let prediction: SmartPlan
    /// Of the sound that can be copied; `nil` where it is to be encoded.
    let sound: (any SoundCopyCodec)?
    let soundObstacle: SoundCopyObstacle?

    /// - Throws: `SmartObstacle` when their pictures cannot be copied.
    init(
        _ plans: RenderPlans, probes: [ProbeReport], files: RenderFiles, options: RenderOptions,
        cancellation: Cancellation
    ) throws {
        if options.salvage { throw SmartObstacle.salvage }
        let plan = plans.copying
        try plan.checkCopying(probes)
        guard let video = plan.video else { throw SmartObstacle.noPicture }
        var opened: [Int: SmartSource] = [:]
        var surveys: [Int: SourceSurvey] = [:]
        var codec: (any PictureCodec)?
        for index in Set(plan.segments.map(\.source)).sorted() {
            guard let stream = plan.sources[index].videoStream,
                let description = probes[index].video.first(where: { $0.index == stream })
            else { throw SmartObstacle.noPicture }
            let (sources, name) = (files.sources, files.names[index])
            let window = try PacketWindow(
                { try sources.open(name) },
                codec: { demuxer in
                    let fresh = try options.pictureCodec(demuxer, stream)
                    guard let leading = codec else {
                        codec = fresh
                        return fresh
                    }
                    guard leading.isSame(as: fresh) else { throw SmartObstacle.severalSources }
                    return leading
                },
                stream: stream, soundStream: plan.audio == nil ? nil : plan.sources[index].audioStream,
                limits: options.limits, cancellation: cancellation)
            // What only packets tell of a stream (VP9, AV1) is known from here on.
            _ = try window.picture(at: 0)
            let source = try SmartSource(window, options: options, cancellation: cancellation)
            opened[index] = source
            surveys[index] = source.survey(
                description, container: probes[index].container,
                duration: plan.sources[index].duration?.seconds ?? 0)
        }
        guard let codec, let first = plan.segments.first, let leading = opened[first.source] else {
            throw SmartObstacle.noPicture
        }
        // Times are copied as they are: one clock for all.
        guard opened.values.allSatisfy({ $0.window.timeBase == leading.window.timeBase }) else {
            throw SmartObstacle.severalSources
        }
        (self.codec, self.sources, self.leading) = (codec, opened, leading)
        timeBase = leading.window.timeBase
        frameRate = video.nominalFrameRate
        (sound, soundObstacle) = try Self.sound(plan, probes: probes, opened, leading)
        prediction = SmartPlanner().plan(
            plan, insteadOf: plans.encoding, surveys: surveys, copiesSound: sound != nil, threads: options.threads.total
        )
    }

    private static func sound(
        _ plan: RenderPlan, probes: [ProbeReport], _ opened: [Int: SmartSource], _ leading: SmartSource
    ) throws -> ((any SoundCopyCodec)?, SoundCopyObstacle?) {
        guard let audio = plan.audio else { return (nil, nil) }
        let described = try opened.sorted { $0.key < $1.key }.map { index, source in
            let window = source.window
            let configuration = window.soundStream.map { window.demuxer.configuration(ofStream: $0) } ?? []
            // AAC's configuration tells everything.
            let first =
                audio.codec == .aac && !configuration.isEmpty ? nil : try window.sound(at: window.earliestSound)
            return CopySource(
                stream: probes[index].audio.first { $0.index == window.soundStream },
                configuration: configuration,
                firstPacket: first?.packet.bytes.map(\.self) ?? [])
        }
        guard let stream = leading.window.soundStream else { return (nil, .noSound) }
        let sound: CopyableSound
        do throws(SoundCopyObstacle) {
            sound = try CopyableSound.common(of: described, output: audio)
        } catch {
            return (nil, error)
        }
        let parameters = try CodecParameters(leading.window.demuxer, stream: stream)
        return (try SoundCopyCodecs.make(sound, parameters), nil)
    }

    /// Little gain is not worth it, unless it is asked for.
    func checkGain(_ mode: RenderMode) throws(SmartObstacle) {
        let gain = prediction.predictedGain
        if mode == .auto, gain < RenderCosts.leastGain { throw .littleGain(gain) }
    }
}
