package import Model

/// One source's sound, as its container describes it.
package struct CopySource: Sendable {
    package var stream: AudioStream?
    /// The decoder's configuration from the container; empty where it has none.
    package var configuration: [UInt8]
    /// For codecs whose packets tell what their configuration does not; empty where there is none.
    package var firstPacket: [UInt8]

    package init(stream: AudioStream?, configuration: [UInt8], firstPacket: [UInt8] = []) {
        (self.stream, self.configuration, self.firstPacket) = (stream, configuration, firstPacket)
    }
}

/// Sound whose packets may be copied. Sources' packets go into one stream when these are equal.
package struct CopyableSound: Hashable, Sendable {
    package var codec: AudioSettings.Codec
    package var sampleRate: Int
    package var channels: Int
    /// Of a packet.
    package var frameSamples: Int
    /// What the headers say that packets of AAC begin with (ADTS): an AudioSpecificConfig; `nil` where they have none.
    package var headers: [UInt8]?

    /// What all sources have in common.
    ///
    /// - Parameters:
    ///   - sources: of all segments.
    ///   - output: the sound that was asked for.
    package static func common(
        of sources: [CopySource], output: AudioPlan
    ) throws(SoundCopyObstacle) -> CopyableSound {
        var common: CopyableSound?
        for source in sources {
            guard let stream = source.stream else { throw .noSound }
            guard let rules = rules[stream.codec] else { throw .otherCodec(stream.codec) }
            guard !stream.encrypted else { throw .encrypted }
            let found = try rules.read(source, stream)
            guard found.codec == output.codec else { throw .otherOutputCodec }
            if let common, common != found { throw .differentConfigurations }
            guard Rational(Int64(found.frameSamples), Int64(found.sampleRate)) <= longestPacket else {
                throw .longPackets
            }
            common = found
            guard output.sampleRate == found.sampleRate, output.channels == found.channels else {
                throw .converted(sampleRate: output.sampleRate, channels: output.channels)
            }
        }
        guard let common else { throw .noSound }
        return common
    }

    /// In seconds: AAC's at half the usual rate.
    private static let longestPacket = Rational(48, 1000)

    /// By FFmpeg's name of the codec.
    private static let rules: [String: any SoundCopyRules.Type] = [
        "aac": AACCopyRules.self, "opus": OpusCopyRules.self, "mp3": MP3CopyRules.self,
    ]
}

/// Which sound of one codec can be copied.
private protocol SoundCopyRules: Sendable {
    static func read(_ source: CopySource, _ stream: AudioStream) throws(SoundCopyObstacle) -> CopyableSound
}

private enum AACCopyRules: SoundCopyRules {
    static func read(_ source: CopySource, _ stream: AudioStream) throws(SoundCopyObstacle) -> CopyableSound {
        let headers = source.configuration.isEmpty ? ADTSHead(source.firstPacket)?.configuration : nil
        guard !source.configuration.isEmpty || headers != nil else { throw .noConfiguration }
        guard let found = AACConfiguration(headers ?? source.configuration) else { throw .unreadableConfiguration }
        guard found.objectType == 2, stream.profile.map({ $0 == "LC" }) ?? true else {
            throw .otherProfile(stream.profile ?? "\(found.objectType)")
        }
        // Bands above the stream's own may show only once it is decoded.
        guard !found.replicatesBands, stream.sampleRate == found.sampleRate else { throw .otherProfile("HE-AAC") }
        guard found.frameSamples == 1024 else { throw .otherFrameLength(found.frameSamples) }
        guard (1...6).contains(found.channelConfiguration), !found.isExtended,
            stream.channels == found.channelConfiguration
        else { throw .channels(found.channelConfiguration) }
        return CopyableSound(
            codec: .aac, sampleRate: found.sampleRate, channels: stream.channels, frameSamples: found.frameSamples,
            headers: headers)
    }
}

private enum OpusCopyRules: SoundCopyRules {
    /// 20 ms: half of more would be heard to be late.
    private static let longest = 960

    static func read(_ source: CopySource, _ stream: AudioStream) throws(SoundCopyObstacle) -> CopyableSound {
        guard !source.configuration.isEmpty else { throw .noConfiguration }
        guard let found = OpusConfiguration(source.configuration), let head = OpusPacketHead(source.firstPacket) else {
            throw .unreadableConfiguration
        }
        guard found.mappingFamily == 0, (1...2).contains(found.channels), found.channels == stream.channels else {
            throw .channels(found.channels)
        }
        // What is encoded anew would be made louder twice.
        guard found.gain == 0 else { throw .gain }
        guard head.samples <= longest else { throw .otherFrameLength(head.samples) }
        return CopyableSound(codec: .opus, sampleRate: 48_000, channels: found.channels, frameSamples: head.samples)
    }
}

private enum MP3CopyRules: SoundCopyRules {
    static func read(_ source: CopySource, _ stream: AudioStream) throws(SoundCopyObstacle) -> CopyableSound {
        guard let head = MP3FrameHead(source.firstPacket), head.sampleRate == stream.sampleRate,
            head.channels == stream.channels
        else { throw .unreadableConfiguration }
        return CopyableSound(
            codec: .mp3, sampleRate: head.sampleRate, channels: head.channels, frameSamples: head.frameSamples)
    }
}
