internal import FoundationEssentials
internal import Media
internal import Model
internal import Planning

/// The one pass over a source that makes all outputs but a remuxed proxy.
final class ProxyPass {
    /// Web video at its usual quality: small, quick, clean at 720p.
    private static let videoQuality = "23"
    private static let audioBitRate = 128_000
    /// What speech recognisers take.
    private static let speechSampleRate = 16_000
    private static let speechBitRate = 64_000

    private let probe: ProbeReport
    private let video: VideoStream?
    private let audio: AudioStream?
    private let outputs: any OutputProvider
    private let options: ProxyOptions
    private let meter: ProgressMeter
    private let cancellation: Cancellation
    private let reader: SourceReader
    private let duration: Double

    // The proxy.
    private var proxy: MuxedFile?
    private var proxyVideo: VideoTrack?
    private var proxySound: SoundRendition?
    private var conformer: PictureConformer?
    private var held: VideoFrame?
    private var lastPicture: (time: Int64, duration: Int64)?
    private var nextKeyframeSecond = 0.0
    private var pictureEnd: Int64 = 0

    // The rest.
    private var stills: StillsReader?
    private var speechFile: MuxedFile?
    private var speech: SoundRendition?
    private var sprite: SpriteSheet?
    private var poster: PosterChoice
    /// Complete files that wait for their names.
    private(set) var finished: [any StagedOutput] = []

    init(
        probe: ProbeReport, video: VideoStream?, audio: AudioStream?,
        makeSource: @escaping () throws -> any ByteSource, outputs: any OutputProvider, encodesProxy: Bool,
        options: ProxyOptions, meter: ProgressMeter, cancellation: Cancellation
    ) throws {
        (self.probe, self.video, self.audio) = (probe, video, audio)
        (self.outputs, self.options, self.meter, self.cancellation) = (outputs, options, meter, cancellation)
        duration = probe.container.durationSeconds ?? 0
        poster = PosterChoice(duration: duration)
        var settings = SourceReader.Settings()
        settings.videoStream = encodesProxy ? video?.index : nil
        settings.audioStream = audio?.index
        settings.decoderThreads = options.threads.decoder
        settings.limits = options.limits
        settings.salvage = options.salvage
        settings.duration = probe.duration
        reader = try SourceReader(makeSource, settings: settings, cancellation: cancellation)
        if let video, !encodesProxy {
            stills = try StillsReader(makeSource, stream: video, options: options, cancellation: cancellation)
        }
        try openPicture(encodesProxy: encodesProxy)
        if encodesProxy { try openProxy() }
        try openSpeech()
    }

    // MARK: Opening

    private func openPicture(encodesProxy: Bool) throws {
        guard let video else { return }
        let canvas = ProxyRules.canvas(for: video)
        conformer = PictureConformer(
            PictureRecipe(
                layout: canvas.layout(of: video, background: .fit), color: treatment(of: video, to: proxyTags(video)),
                deinterlaces: video.interlaced && encodesProxy, pixelFormat: .yuv420p),
            timeBase: video.timeBase, threads: options.threads.filters)
        sprite = try SpriteSheet(duration: duration, width: canvas.width, height: canvas.height)
    }

    private func proxyTags(_ video: VideoStream) -> ColorTags {
        if video.color.isHDR { return .sdr }
        var tags = video.color
        if tags.range != nil || video.pixelFormat.hasPrefix("yuvj") { tags.range = "tv" }
        // RGB and the like become what SDR video is.
        if tags.matrix == "gbr" || video.pixelFormat.hasPrefix("rgb") || video.pixelFormat.hasPrefix("gbr") {
            return .sdr
        }
        return tags
    }

    private func treatment(of video: VideoStream, to tags: ColorTags) -> ColorTreatment {
        if video.color.isHDR { return .toneMap(from: video.color) }
        guard video.color.isFullRange || video.pixelFormat.hasPrefix("yuvj") else { return .keep }
        var (from, to) = (video.color.assumed(height: video.height), tags.assumed(height: video.height))
        (from.range, to.range) = ("pc", "tv")
        return .convert(from: from, to: to)
    }

    private func openProxy() throws {
        let output = try MuxedFile(
            "proxy.mp4", in: outputs, format: "mp4", reservation: indexEstimate.reservation, cancellation: cancellation)
        proxy = output
        if let video {
            let canvas = ProxyRules.canvas(for: video)
            var settings = VideoEncoderSettings(
                encoder: "libx264", width: canvas.width, height: canvas.height, pixelFormat: .yuv420p,
                timeBase: video.timeBase)
            settings.nominalFrameRate = video.nominalFrameRate
            settings.color = proxyTags(video)
            settings.threads = options.threads.encoder
            settings.options = [
                "preset": "veryfast", "crf": Self.videoQuality, "forced-idr": "1", "x264-params": "sync-lookahead=0",
            ]
            let encoder = try Encoder(video: settings)
            let stream = try output.muxer.addStream(encoder)
            proxyVideo = VideoTrack(
                EncoderStage(encoder, concurrent: options.threads.isConcurrent, cancellation: cancellation),
                stream: stream)
        }
        if let audio {
            let format = AudioFormat(
                sampleRate: try Encoder.sampleRate(of: "aac", near: min(48000, audio.sampleRate)),
                layout: audio.channels == 1 ? .mono : .stereo)
            proxySound = try SoundRendition(
                settings: AudioEncoderSettings(encoder: "aac", format: format, bitRate: Self.audioBitRate),
                muxer: &output.muxer, sourceTimeBase: audio.timeBase,
                peaks: WaveformPeaks(sampleRate: format.sampleRate, expectedSeconds: duration))
        }
        try output.beginIndexFirst(
            timeBases: [video?.timeBase, audio.map { Rational(1, Int64($0.sampleRate)) }].compactMap(\.self))
    }

    /// Of the proxy: its encoder reorders frames, and a keyframe a second is forced.
    private var indexEstimate: MovieIndexEstimate {
        var estimate = MovieIndexEstimate(seconds: duration)
        if let video {
            let frames = duration * video.nominalFrameRate.seconds + 1
            estimate.add(
                .init(
                    count: frames, keyframes: 2 * duration / Double(ProxyRules.keyframeIntervalSeconds) + 1,
                    reordered: true, timeRuns: video.isEvenlySpaced ? 1 : frames))
        }
        if let audio { estimate.addSound(packets: duration * Double(min(48000, audio.sampleRate)) / 1024 + 2) }
        return estimate
    }

    private func openSpeech() throws {
        guard let audio else { return }
        let output = try MuxedFile("audio.mp3", in: outputs, format: "mp3", cancellation: cancellation)
        speechFile = output
        let format = AudioFormat(sampleRate: Self.speechSampleRate, layout: .mono)
        speech = try SoundRendition(
            settings: AudioEncoderSettings(encoder: "libmp3lame", format: format, bitRate: Self.speechBitRate),
            muxer: &output.muxer, sourceTimeBase: audio.timeBase,
            // The waveform is drawn from the fullest sound there is.
            peaks: proxySound == nil ? WaveformPeaks(sampleRate: format.sampleRate, expectedSeconds: duration) : nil)
        try output.muxer.begin()
    }

    // MARK: Running

    func run(_ report: inout ProxyReport) throws {
        var (end, frames) = (0.0, 0)
        if let lane = reader.video {
            while let picture = try reader.peekVideo() {
                reader.takeVideo()
                if let lastPicture, picture.time <= lastPicture.time { continue }
                lastPicture = (picture.time, picture.frame.duration)
                if let conformed = try conformer?.conform(picture) {
                    try hold(conformed, lane.timeBase)
                }
                let seconds = Double(picture.time) * lane.timeBase.seconds
                end = seconds
                try addSound(upTo: seconds)
                frames += 1
                meter.update(
                    .encoding, fraction: duration > 0 ? 0.98 * seconds / duration : 0, frames: frames,
                    mediaSeconds: seconds)
            }
            end = try finishPicture(lane.timeBase)
        }
        try takeStills()
        try addSound(upTo: .infinity)
        meter.update(.finishing, fraction: 0.98, frames: frames, mediaSeconds: end)
        if proxyVideo != nil { report.frames = frames }
        // A few pictures alone do not tell when the last one ends.
        report.durationSeconds = max(proxyVideo == nil ? duration : end, try finishSound())
        report.damagedPackets = reader.damageCount + (stills?.damageCount ?? 0)
        try finishFiles(&report)
    }

    private func hold(_ picture: VideoFrame, _ timeBase: Rational) throws {
        try release(until: picture.time, timeBase)
        held = picture
    }

    /// The held picture's time is over: encode it, and use it for the tiles that fall into its time.
    private func release(until next: Int64, _ timeBase: Rational) throws {
        guard let held else { return }
        let seconds = Double(held.time) * timeBase.seconds
        let end = Double(next) * timeBase.seconds
        try useAsStill(held, from: seconds, until: end)
        if let proxyVideo, let proxy {
            let isKeyframe = seconds >= nextKeyframeSecond
            if isKeyframe { nextKeyframeSecond = seconds.rounded(.down) + Double(ProxyRules.keyframeIntervalSeconds) }
            try proxyVideo.submit(held.frame.reference(), at: held.time, keyframe: isKeyframe)
            pictureEnd = next
            try proxyVideo.drain(into: &proxy.muxer)
        }
        self.held = nil
    }

    private func useAsStill(_ picture: VideoFrame, from seconds: Double, until end: Double) throws {
        let isDue = sprite?.nextSeconds.map { $0 < end } ?? false
        // Tiles are frequent enough to choose the poster from, and sparse enough to cost nothing.
        guard isDue else { return }
        while let due = sprite?.nextSeconds, due < end { try sprite?.add(picture.frame) }
        if poster.isOpen { try poster.consider(picture.frame, at: seconds) }
    }

    /// Without a proxy to encode, only the pictures on the sheet are decoded.
    private func takeStills() throws {
        guard let stills else { return }
        var last: (picture: VideoFrame, still: VideoFrame)?
        while let due = sprite?.nextSeconds {
            guard let picture = try stills.picture(at: Rational(Int64(due))) else { return }
            let seconds = stills.seconds(of: picture)
            if last?.picture !== picture { last = (picture, try conformer?.conform(picture) ?? picture) }
            guard let still = last?.still else { return }
            try sprite?.add(still.frame)
            if poster.isOpen { try poster.consider(still.frame, at: seconds) }
            meter.update(.decoding, fraction: duration > 0 ? 0.5 * due / duration : 0, mediaSeconds: due)
        }
    }

    /// - Returns: when the last picture ends, in seconds.
    private func finishPicture(_ timeBase: Rational) throws -> Double {
        while let conformed = try conformer?.finish() { try hold(conformed, timeBase) }
        guard let lastPicture else { return 0 }
        let usual = video.map { $0.nominalFrameRate.inverse.ticks(in: timeBase) } ?? 1
        let end = lastPicture.time + max(1, lastPicture.duration > 0 ? lastPicture.duration : usual)
        try release(until: end, timeBase)
        return Double(end) * timeBase.seconds
    }

    private var soundSeconds = 0.0

    private func addSound(upTo seconds: Double) throws {
        guard let timeBase = reader.audio?.timeBase else { return }
        while soundSeconds < seconds {
            try cancellation.check()
            guard let frame = try reader.nextAudio() else {
                soundSeconds = .infinity
                return
            }
            soundSeconds = Double(frame.time) * timeBase.seconds
            if let proxy { try proxySound?.add(frame, into: &proxy.muxer) }
            if let speechFile { try speech?.add(frame, into: &speechFile.muxer) }
            if reader.video == nil {
                meter.update(
                    .encoding, fraction: duration > 0 ? 0.98 * soundSeconds / duration : 0, mediaSeconds: soundSeconds)
            }
        }
    }

    // MARK: Finishing

    private func finishSound() throws -> Double {
        var end = 0.0
        if let proxy { end = try proxySound?.finish(into: &proxy.muxer) ?? 0 }
        if let speechFile { end = max(end, try speech?.finish(into: &speechFile.muxer) ?? 0) }
        return end
    }

    private func finishFiles(_ report: inout ProxyReport) throws {
        if let proxy {
            try proxyVideo?.finish(at: pictureEnd, into: &proxy.muxer)
            // The encoder's memory is the most of the whole; the stills that follow need not come on top.
            (proxyVideo, conformer) = (nil, nil)
            try proxy.muxer.finish()
            finished.append(proxy.file)
            report.proxy = proxy.file.destination
            report.indexFirst = proxy.indexFirst
            report.notes += [proxy.note].compactMap(\.self)
        }
        if let speechFile {
            try speechFile.muxer.finish()
            finished.append(speechFile.file)
            report.audio = speechFile.file.destination
        }
        if let waveform = proxySound?.waveform() ?? speech?.waveform() {
            let encoder = JSONEncoder()
            // The same bytes every time.
            encoder.outputFormatting = .sortedKeys
            report.waveform = try stage("waveform.json", Array(encoder.encode(waveform)))
        }
        if let sprite, sprite.tiles > 0 {
            report.sprite = .init(
                path: try stage("sprite.jpg", sprite.encode()), secondsPerTile: sprite.secondsPerTile,
                tiles: sprite.tiles,
                columns: sprite.columnCount, rows: sprite.rows, tileWidth: sprite.tileWidth,
                tileHeight: sprite.tileHeight)
        }
        if let picture = try poster.encode() {
            report.poster = .init(
                path: try stage("poster.jpg", picture.bytes), seconds: poster.seconds, width: picture.width,
                height: picture.height)
        }
        if audio == nil { report.notes.append("The source has no sound: no audio.mp3, no waveform.json.") }
        if video == nil { report.notes.append("The source has no picture: no sprite.jpg, no poster.jpg.") }
    }

    private func stage(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = try outputs.create(name, headBytes: 0)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
        finished.append(file)
        return file.destination
    }
}
