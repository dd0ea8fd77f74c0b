internal import CFFmpeg
internal import CFFmpegShims
package import Model

extension Demuxer {
    package enum StreamDescription {
        case video(VideoStream)
        case audio(AudioStream)
        case other(OtherStream)
    }

    package func describe(stream index: Int) -> StreamDescription {
        let stream = stream(index).pointee
        let parameters = stream.codecpar.pointee
        let isCover = stream.disposition & AV_DISPOSITION_ATTACHED_PIC != 0
        switch parameters.codec_type {
        case AVMEDIA_TYPE_VIDEO where !isCover: return .video(describeVideo(index))
        case AVMEDIA_TYPE_AUDIO: return .audio(describeAudio(index))
        default:
            let kind = isCover ? "cover" : av_get_media_type_string(parameters.codec_type).map { String(cString: $0) }
            return .other(
                OtherStream(
                    index: index, kind: kind ?? "unknown", codec: codecName(parameters), language: language(stream)))
        }
    }

    package func timeBase(ofStream index: Int) -> Rational {
        Rational(stream(index).pointee.time_base) ?? Rational(1, 90000)
    }

    /// The ticks that turn a stream's own timestamps into times from the container's start.
    ///
    /// Source: ffmpeg 5.1 `process_input_packet`, which rescales the negated start time to the stream's time base.
    package func timeOffset(ofStream index: Int) -> Int64 {
        av_rescale_q(-startMicroseconds, AVRational(num: 1, den: Int32(AV_TIME_BASE)), stream(index).pointee.time_base)
    }

    private func describeVideo(_ index: Int) -> VideoStream {
        let pointer = stream(index)
        let stream = pointer.pointee
        let parameters = stream.codecpar.pointee
        let format = PixelFormat(rawValue: parameters.format)
        var video = VideoStream(
            index: index, codec: codecName(parameters), pixelFormat: format.description, bitDepth: format.bitDepth,
            codedWidth: Int(parameters.width), codedHeight: Int(parameters.height),
            sampleAspectRatio: sampleAspectRatio(pointer), orientation: orientation(pointer),
            color: ColorTags(parameters: stream.codecpar), timeBase: timeBase(ofStream: index)
        )
        video.profile = profileName(parameters)
        video.level = parameters.level > 0 ? Int(parameters.level) : nil
        video.averageFrameRate = Rational(stream.avg_frame_rate)
        video.realFrameRate = Rational(stream.r_frame_rate)
        video.frameCount = stream.nb_frames > 0 ? stream.nb_frames : nil
        video.interlaced =
            parameters.field_order != AV_FIELD_PROGRESSIVE && parameters.field_order != AV_FIELD_UNKNOWN
        video.hdr = hdr(pointer, video.color)
        (video.startSeconds, video.durationSeconds) = times(stream)
        video.bitRate = parameters.bit_rate > 0 ? parameters.bit_rate : nil
        video.language = language(stream)
        video.isDefault = stream.disposition & AV_DISPOSITION_DEFAULT != 0
        video.encrypted = isEncrypted(pointer)
        video.decodable = avcodec_find_decoder(parameters.codec_id) != nil && parameters.width > 0
        return video
    }

    private func describeAudio(_ index: Int) -> AudioStream {
        let pointer = stream(index)
        let stream = pointer.pointee
        let parameters = stream.codecpar.pointee
        let sampleFormat = av_get_sample_fmt_name(AVSampleFormat(rawValue: parameters.format))
        var audio = AudioStream(
            index: index, codec: codecName(parameters), channels: Int(parameters.ch_layout.nb_channels),
            channelLayout: ChannelLayout.describe(parameters.ch_layout), sampleRate: Int(parameters.sample_rate),
            sampleFormat: sampleFormat.map { String(cString: $0) } ?? "unknown", timeBase: timeBase(ofStream: index)
        )
        audio.profile = profileName(parameters)
        (audio.startSeconds, audio.durationSeconds) = times(stream)
        audio.bitRate = parameters.bit_rate > 0 ? parameters.bit_rate : nil
        audio.language = language(stream)
        audio.isDefault = stream.disposition & AV_DISPOSITION_DEFAULT != 0
        audio.encrypted = isEncrypted(pointer)
        audio.decodable = avcodec_find_decoder(parameters.codec_id) != nil && parameters.sample_rate > 0
        return audio
    }

    private func codecName(_ parameters: AVCodecParameters) -> String {
        String(cString: avcodec_get_name(parameters.codec_id))
    }

    private func profileName(_ parameters: AVCodecParameters) -> String? {
        avcodec_profile_name(parameters.codec_id, parameters.profile).map { String(cString: $0) }
    }

    private func language(_ stream: AVStream) -> String? {
        guard let entry = av_dict_get(stream.metadata, "language", nil, 0), let value = entry.pointee.value else {
            return nil
        }
        let text = String(cString: value)
        return text == "und" ? nil : text
    }

    private func times(_ stream: AVStream) -> (start: Double?, duration: Double?) {
        let unit = av_q2d(stream.time_base)
        return (
            timestamp(stream.start_time).map { Double($0) * unit },
            timestamp(stream.duration).flatMap { $0 > 0 ? Double($0) * unit : nil }
        )
    }

    private func sampleAspectRatio(_ stream: UnsafeMutablePointer<AVStream>) -> Rational {
        // The container's word outranks the codec's, as in players.
        Rational(av_guess_sample_aspect_ratio(context, stream, nil)) ?? .one
    }

    /// Width by height of a sample, by the codec's word alone; `nil` where it says nothing.
    package func codedAspectRatio(ofStream index: Int) -> Rational? {
        let coded = stream(index).pointee.codecpar.pointee.sample_aspect_ratio
        return coded.num > 0 && coded.den > 0 ? Rational(coded) : nil
    }

    private func orientation(_ stream: UnsafeMutablePointer<AVStream>) -> Orientation {
        var size = 0
        guard let bytes = rp_stream_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size), size >= 36 else {
            return .upright
        }
        return bytes.withMemoryRebound(to: Int32.self, capacity: 9) { matrix in
            Orientation(a: matrix[0], b: matrix[1], c: matrix[3], d: matrix[4])
        }
    }

    private func isEncrypted(_ stream: UnsafeMutablePointer<AVStream>) -> Bool {
        var size = 0
        return rp_stream_side_data(stream, AV_PKT_DATA_ENCRYPTION_INIT_INFO, &size) != nil
    }

    private func hdr(_ stream: UnsafeMutablePointer<AVStream>, _ color: ColorTags) -> HDRMetadata? {
        var size = 0
        let dolbyVision = rp_stream_side_data(stream, AV_PKT_DATA_DOVI_CONF, &size) != nil
        guard color.isHDR else { return nil }
        var hdr = HDRMetadata(system: color.transfer == "smpte2084" ? .pq : .hlg, dolbyVision: dolbyVision)
        if let bytes = rp_stream_side_data(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, &size) {
            hdr.mastering = bytes.withMemoryRebound(to: AVMasteringDisplayMetadata.self, capacity: 1) {
                MasteringDisplay($0.pointee)
            }
        }
        if let bytes = rp_stream_side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, &size) {
            bytes.withMemoryRebound(to: AVContentLightMetadata.self, capacity: 1) {
                hdr.maxContentLightLevel = Int($0.pointee.MaxCLL)
                hdr.maxFrameAverageLightLevel = Int($0.pointee.MaxFALL)
            }
        }
        return hdr
    }
}

extension MasteringDisplay {
    /// `nil` when the metadata names no primaries or no luminance.
    init?(_ raw: AVMasteringDisplayMetadata) {
        guard raw.has_primaries != 0, raw.has_luminance != 0 else { return nil }
        func exact(_ value: AVRational) -> Rational { Rational(value) ?? .zero }
        let primaries = raw.display_primaries
        self.init(
            red: Point(x: exact(primaries.0.0), y: exact(primaries.0.1)),
            green: Point(x: exact(primaries.1.0), y: exact(primaries.1.1)),
            blue: Point(x: exact(primaries.2.0), y: exact(primaries.2.1)),
            whitePoint: Point(x: exact(raw.white_point.0), y: exact(raw.white_point.1)),
            minLuminance: exact(raw.min_luminance), maxLuminance: exact(raw.max_luminance)
        )
    }

    var av: AVMasteringDisplayMetadata {
        var raw = AVMasteringDisplayMetadata()
        raw.display_primaries.0 = (red.x.avRational, red.y.avRational)
        raw.display_primaries.1 = (green.x.avRational, green.y.avRational)
        raw.display_primaries.2 = (blue.x.avRational, blue.y.avRational)
        raw.white_point = (whitePoint.x.avRational, whitePoint.y.avRational)
        raw.min_luminance = minLuminance.avRational
        raw.max_luminance = maxLuminance.avRational
        (raw.has_primaries, raw.has_luminance) = (1, 1)
        return raw
    }
}
