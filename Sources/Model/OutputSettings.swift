/// The form of a render's output. Every part has a default that suits the web.
package struct OutputSettings: Sendable, Equatable {
    package enum Container: String, Sendable, Codable, CaseIterable { case mp4, mov, mkv, webm }

    /// `nil` follows the output's file name, else MP4.
    package var container: Container?
    /// Frames per second; `nil` keeps the source's own frame spacing where one rate allows it.
    package var framesPerSecond: Rational?
    package var video = VideoSettings()
    package var audio = AudioSettings()

    package init() {}
}

package struct VideoSettings: Sendable, Equatable {
    package enum Codec: String, Sendable, Codable, CaseIterable { case h264, hevc, vp9, av1 }
    package enum Preset: String, Sendable, Codable, CaseIterable {
        case ultrafast, superfast, veryfast, faster, fast, medium, slow, slower, veryslow
    }
    package enum DynamicRange: String, Sendable, Codable, CaseIterable {
        /// Keep HDR where the output codec's players show it (HEVC, VP9, AV1), else convert to SDR.
        case auto
        case keep
        case sdr
    }

    /// `nil` is the source's where its pictures are copied, else H.264, or VP9 in WebM.
    package var codec: Codec?
    /// Constant quality, 0 (lossless for H.264, else best) to 63; `nil` is each codec's usual value.
    package var crf: Int?
    package var preset: Preset = .veryfast
    package var dynamicRange: DynamicRange = .auto
    /// The longest distance between keyframes in seconds, 1 to 60; `nil` leaves it to the encoder (250 frames).
    package var keyframeIntervalSeconds: Int?

    package init() {}
}

package struct AudioSettings: Sendable, Equatable {
    package enum Codec: String, Sendable, Codable, CaseIterable { case aac, opus, mp3 }

    /// `nil` is AAC, or Opus in WebM.
    package var codec: Codec?
    /// For the whole stream; `nil` is 64 kb/s a channel.
    package var bitrateKilobits: Int?
    /// `nil` keeps the first source's.
    package var sampleRate: Int?
    /// 1 mono, 2 stereo, 6 5.1; `nil` keeps the first source's, 8 at most.
    package var channels: Int?

    package init() {}
}

extension OutputSettings: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case container, fps, video, audio }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.init()
        self.container = try container.choice(Container.self, .container)
        framesPerSecond = try container.decodeIfPresent(FrameRate.self, forKey: .fps)?.value
        video = try container.decodeIfPresent(VideoSettings.self, forKey: .video) ?? VideoSettings()
        audio = try container.decodeIfPresent(AudioSettings.self, forKey: .audio) ?? AudioSettings()
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(self.container, forKey: .container)
        try container.encodeIfPresent(framesPerSecond, forKey: .fps)
        try container.encode(video, forKey: .video)
        try container.encode(audio, forKey: .audio)
    }
}

/// A rate as people write it: 30, 29.97 (taken as 30000/1001), or "30000/1001".
private struct FrameRate: Decodable {
    let value: Rational

    init(from decoder: any Decoder) throws {
        let path = decoder.codingPath.jsonPath
        let container = try decoder.singleValueContainer()
        let rate: Rational
        if let text = try? container.decode(String.self) {
            guard text.contains("/"), let fraction = try? container.decode(Rational.self) else {
                throw EditError.invalid(path: path, reason: "\"\(text)\" is not a rate such as 30 or \"30000/1001\"")
            }
            rate = fraction
        } else {
            guard let number = try? container.decode(Double.self), number >= 1, number <= 240 else {
                throw EditError.invalid(path: path, reason: "must be 1 to 240 frames per second")
            }
            rate = Self.broadcastRate(near: number)
        }
        guard rate >= .one, rate <= Rational(240) else {
            throw EditError.invalid(path: path, reason: "must be 1 to 240 frames per second")
        }
        value = rate
    }

    /// 23.976, 29.97 and 59.94 mean the rates of NTSC; anything else is taken to a thousandth.
    private static func broadcastRate(near number: Double) -> Rational {
        for whole in [24, 30, 48, 60, 120] as [Int64] {
            let exact = Rational(whole * 1000, 1001)
            if abs(exact.seconds - number) < 0.006, number.rounded() != number { return exact }
        }
        return Rational(Int64((number * 1000).rounded()), 1000)
    }
}

extension VideoSettings: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case codec, crf, preset
        case dynamicRange = "dynamic_range"
        case keyframeIntervalSeconds = "keyframe_interval_s"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.init()
        codec = try container.choice(Codec.self, .codec)
        crf = try container.integer(.crf, in: 0...63)
        preset = try container.choice(Preset.self, .preset) ?? .veryfast
        dynamicRange = try container.choice(DynamicRange.self, .dynamicRange) ?? .auto
        keyframeIntervalSeconds = try container.integer(.keyframeIntervalSeconds, in: 1...60)
        if codec ?? .h264 == .h264 || codec == .hevc, let crf, crf > 51 {
            throw EditError.invalid(
                path: (decoder.codingPath + [CodingKeys.crf]).jsonPath,
                reason: "\(crf) is outside 0 to 51 for this codec")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(codec, forKey: .codec)
        try container.encodeIfPresent(crf, forKey: .crf)
        try container.encode(preset, forKey: .preset)
        try container.encode(dynamicRange, forKey: .dynamicRange)
        try container.encodeIfPresent(keyframeIntervalSeconds, forKey: .keyframeIntervalSeconds)
    }
}

extension AudioSettings: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case codec, channels
        case bitrateKilobits = "bitrate_kbps"
        case sampleRate = "sample_rate"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.strictContainer(keyedBy: CodingKeys.self)
        self.init()
        codec = try container.choice(Codec.self, .codec)
        bitrateKilobits = try container.integer(.bitrateKilobits, in: 8...1536)
        sampleRate = try container.integer(.sampleRate, in: 8000...96000)
        channels = try container.integer(.channels, in: 1...8)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(codec, forKey: .codec)
        try container.encodeIfPresent(bitrateKilobits, forKey: .bitrateKilobits)
        try container.encodeIfPresent(sampleRate, forKey: .sampleRate)
        try container.encodeIfPresent(channels, forKey: .channels)
    }
}
