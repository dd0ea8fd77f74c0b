internal import LocalFiles
package import Media
package import Model
internal import Planning

/// Reads what a file is, without decoding more than the header needs.
package enum Prober {
    package static func probe(
        path: String, limits: DemuxerLimits = DemuxerLimits(), cancellation: Cancellation = Cancellation()
    ) throws -> ProbeReport {
        try probe(LocalFile(path: path), name: path, limits: limits, cancellation: cancellation)
    }

    /// - Parameter name: what the report calls the source.
    package static func probe(
        _ source: any ByteSource, name: String, limits: DemuxerLimits, cancellation: Cancellation
    ) throws -> ProbeReport {
        let mp4 = try MP4Structure(source)
        let matroska = mp4 == nil ? try MatroskaStructure(source) : nil
        var demuxer: Demuxer
        do {
            demuxer = try Demuxer(source, limits: limits, cancellation: cancellation)
        } catch let error as MediaError {
            throw explained(error, mp4)
        }
        let size = source.sizeBytes ?? 0
        var report = ProbeReport(
            file: name,
            container: .init(
                format: demuxer.formatName, sizeBytes: size, startSeconds: Double(demuxer.startMicroseconds) / 1e6),
            video: [], audio: [], other: [], browserPlayable: .init(playable: false, reason: "")
        )
        for index in 0..<demuxer.streamCount {
            switch demuxer.describe(stream: index) {
            case .video(var stream):
                stream.editList = mp4?.editList(ofStream: index) ?? []
                report.video.append(stream)
            case .audio(var stream):
                stream.editList = mp4?.editList(ofStream: index) ?? []
                report.audio.append(stream)
            case .other(let stream): report.other.append(stream)
            }
        }
        for stream in report.video {
            let pixels = Int64(stream.codedWidth) * Int64(stream.codedHeight)
            guard pixels <= limits.maximumPixels else {
                throw EngineError(
                    .tooManyPixels, "\(stream.codedWidth)x\(stream.codedHeight) is more than can be handled")
            }
        }
        try completeHDR(&report, source, limits, cancellation)
        try refuseBlindImage(report, source, cancellation)
        report.container.majorBrand = demuxer.majorBrand
        if let matroska { report.container.majorBrand = matroska.documentType }
        report.container.fragmented = mp4?.isFragmented ?? false
        report.container.indexFirst = mp4.map(\.indexFirst)
        report.container.bitRate = demuxer.bitRate
        try describeTime(&report, &demuxer, mp4: mp4, endsEarly: matroska?.endsEarly ?? false)
        report.browserPlayable = BrowserPlayability.judge(
            container: report.container, video: report.video, audio: report.audio)
        return report
    }

    /// HEVC and AV1 may carry HDR metadata in their own headers only: the first picture has it then.
    private static func completeHDR(
        _ report: inout ProbeReport, _ source: any ByteSource, _ limits: DemuxerLimits, _ cancellation: Cancellation
    ) throws {
        for position in report.video.indices {
            let stream = report.video[position]
            guard let hdr = stream.hdr, hdr.system == .pq, hdr.mastering == nil, stream.decodable, !stream.encrypted
            else { continue }
            var settings = SourceReader.Settings()
            settings.videoStream = stream.index
            settings.limits = limits
            settings.salvage = true
            let reader = try SourceReader({ source }, settings: settings, cancellation: cancellation)
            guard let picture = try reader.peekVideo() else { continue }
            let found = picture.frame.hdr
            report.video[position].hdr?.mastering = found.mastering
            report.video[position].hdr?.maxContentLightLevel = hdr.maxContentLightLevel ?? found.maxContentLightLevel
            report.video[position].hdr?.maxFrameAverageLightLevel =
                hdr.maxFrameAverageLightLevel ?? found.maxFrameAverageLightLevel
        }
    }

    /// What libavformat's "invalid data" means for an MP4 whose outline is known.
    private static func explained(_ error: MediaError, _ mp4: MP4Structure?) -> any Error {
        guard let mp4, error.code == .damagedMedia else { return error }
        if mp4.isProtected {
            return EngineError(.encryptedMedia, "the file is encrypted", detail: error.lastLogLine)
        }
        if mp4.isStillPicture, !mp4.hasIndex {
            return EngineError(.formatNotAllowed, "HEIC and AVIF pictures cannot be read", detail: error.lastLogLine)
        }
        if mp4.hasMedia, !mp4.hasIndex {
            return EngineError(
                .truncated, "the file is cut short: its index (moov), written last, is missing",
                detail: error.lastLogLine)
        }
        return error
    }

    /// An image whose size was not learnt is one that the pixel limit stopped.
    private static func refuseBlindImage(
        _ report: ProbeReport, _ source: any ByteSource, _ cancellation: Cancellation
    ) throws {
        guard report.container.format.hasSuffix("_pipe"), report.video.contains(where: { $0.codedWidth == 0 }) else {
            return
        }
        // PNG and JPEG decoders learn the size without decoding when only parameters are asked for.
        guard ["png_pipe", "jpeg_pipe"].contains(report.container.format) else {
            throw EngineError(.damagedMedia, "the picture's size cannot be read")
        }
        var open = DemuxerLimits()
        // libavcodec's own upper bound of the option.
        open.maximumPixels = Int64(Int32.max)
        let demuxer = try Demuxer(source, limits: open, cancellation: cancellation)
        if case .video(let stream) = demuxer.describe(stream: 0), stream.codedWidth > 0 {
            throw EngineError(.tooManyPixels, "\(stream.codedWidth)x\(stream.codedHeight) is more than can be handled")
        }
        throw EngineError(.damagedMedia, "the picture's size cannot be read")
    }
}

extension MP4Structure {
    fileprivate func editList(ofStream index: Int) -> [EditListEntry] {
        guard index < tracks.count, movieTimescale > 0, tracks[index].mediaTimescale > 0 else { return [] }
        let track = tracks[index]
        return track.edits.map { edit in
            EditListEntry(
                durationSeconds: Double(edit.duration) / Double(movieTimescale),
                mediaStartSeconds: edit.mediaTime.map { Double($0) / Double(track.mediaTimescale) })
        }
    }
}
