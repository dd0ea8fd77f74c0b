internal import Media
internal import Model
internal import Planning

/// The sources of a smart render: what all have in common, and what copying from them would bring.
struct SmartSources {
    let pool: SmartSourcePool
    let codec: any PictureCodec
    /// The first segment's.
    let leading: Int
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
        guard let video = plan.video, let first = plan.segments.first else { throw SmartObstacle.noPicture }
        let pool = SmartSourcePool(plan, files: files, options: options, cancellation: cancellation)
        var surveys: [Int: SourceSurvey] = [:]
        var sounds: [CopySource] = []
        for index in Set(plan.segments.map(\.source)).sorted() {
            let source = try pool.source(index)
            guard let description = probes[index].video.first(where: { $0.index == source.window.stream }) else {
                throw SmartObstacle.noPicture
            }
            surveys[index] = source.survey(
                description, container: probes[index].container,
                duration: plan.sources[index].duration?.seconds ?? 0)
            if let audio = plan.audio { sounds.append(try source.copiedSound(probes[index], as: audio.codec)) }
        }
        guard let codec = pool.codec, let timeBase = pool.timeBase else { throw SmartObstacle.noPicture }
        (self.pool, self.codec, self.timeBase, leading) = (pool, codec, timeBase, first.source)
        frameRate = video.nominalFrameRate
        (sound, soundObstacle) = try Self.sound(plan, sounds, pool.source(leading).window)
        prediction = SmartPlanner().plan(
            plan, insteadOf: plans.encoding, surveys: surveys, copiesSound: sound != nil, threads: options.threads.total
        )
    }

    private static func sound(
        _ plan: RenderPlan, _ sources: [CopySource], _ leading: PacketWindow
    ) throws -> ((any SoundCopyCodec)?, SoundCopyObstacle?) {
        guard let audio = plan.audio else { return (nil, nil) }
        guard let stream = leading.soundStream else { return (nil, .noSound) }
        let sound: CopyableSound
        do throws(SoundCopyObstacle) {
            sound = try CopyableSound.common(of: sources, output: audio)
        } catch {
            return (nil, error)
        }
        let parameters = try CodecParameters(leading.demuxer, stream: stream)
        return (try SoundCopyCodecs.make(sound, parameters), nil)
    }

    /// Little gain is not worth it, unless it is asked for.
    func checkGain(_ mode: RenderMode) throws(SmartObstacle) {
        let gain = prediction.predictedGain
        if mode == .auto, gain < RenderCosts.leastGain { throw .littleGain(gain) }
    }
}
