package import Model

/// Why a programme's sound cannot be made of its sources' packets.
package enum SoundCopyObstacle: Hashable, Sendable {
    case noSound
    case otherCodec(String)
    case otherOutputCodec
    /// Framed as in broadcasts (ADTS), or without a description of any kind.
    case noConfiguration
    case unreadableConfiguration
    case otherProfile(String)
    case otherFrameLength(Int)
    case channels(Int)
    case differentConfigurations
    case converted(sampleRate: Int, channels: Int)
    case encrypted
    case noEncoder

    /// A sentence without its stop.
    package var reason: String {
        switch self {
        case .noSound: "a source has no sound"
        case .otherCodec(let codec): "the sound is \(codec), not AAC"
        case .otherOutputCodec: "another codec than AAC was asked for"
        case .noConfiguration: "the sound's description is in its packets (ADTS), not in the container"
        case .unreadableConfiguration: "the sound's description cannot be read"
        case .otherProfile(let profile): "the sound is AAC of the profile \(profile), not LC"
        case .otherFrameLength(let samples): "the sound's packets have \(samples) samples, not 1024"
        case .channels(let configuration): "the sound's channel configuration \(configuration) is unusual"
        case .differentConfigurations: "the sources' sound is of different kinds"
        case .converted(let rate, let channels): "sound of \(rate) Hz and \(channels) channels was asked for"
        case .encrypted: "the sound is encrypted"
        case .noEncoder: "the encoder's packets cannot be decoded as the source's are"
        }
    }
}

/// One source's sound, as its container describes it.
package struct CopySource: Sendable {
    package var stream: AudioStream?
    /// The decoder's configuration from the container; empty where it has none.
    package var configuration: [UInt8]

    package init(stream: AudioStream?, configuration: [UInt8]) {
        (self.stream, self.configuration) = (stream, configuration)
    }
}

extension SoundCopyObstacle {
    /// The first obstacle to copying, as far as descriptions tell.
    ///
    /// - Parameters:
    ///   - sources: of all segments.
    ///   - output: the sound that was asked for.
    package static func first(in sources: [CopySource], output: AudioPlan) -> SoundCopyObstacle? {
        guard output.codec == .aac else { return .otherOutputCodec }
        var common: AACConfiguration?
        for source in sources {
            switch check(source) {
            case .failure(let obstacle): return obstacle.value
            case .success(let configuration):
                if let common, common != configuration { return .differentConfigurations }
                common = configuration
                guard output.sampleRate == configuration.sampleRate, output.channels == source.stream?.channels else {
                    return .converted(sampleRate: output.sampleRate, channels: output.channels)
                }
            }
        }
        return common == nil ? .noSound : nil
    }

    private struct Found: Error { var value: SoundCopyObstacle }

    private static func check(_ source: CopySource) -> Result<AACConfiguration, Found> {
        func fail(_ obstacle: SoundCopyObstacle) -> Result<AACConfiguration, Found> { .failure(Found(value: obstacle)) }
        guard let stream = source.stream else { return fail(.noSound) }
        guard stream.codec == "aac" else { return fail(.otherCodec(stream.codec)) }
        guard !stream.encrypted else { return fail(.encrypted) }
        guard !source.configuration.isEmpty else { return fail(.noConfiguration) }
        guard let found = AACConfiguration(source.configuration) else { return fail(.unreadableConfiguration) }
        guard found.objectType == 2, stream.profile.map({ $0 == "LC" }) ?? true else {
            return fail(.otherProfile(stream.profile ?? "\(found.objectType)"))
        }
        // Bands above the stream's own may show only once it is decoded.
        guard !found.replicatesBands, stream.sampleRate == found.sampleRate else {
            return fail(.otherProfile("HE-AAC"))
        }
        guard found.frameSamples == 1024 else { return fail(.otherFrameLength(found.frameSamples)) }
        guard (1...6).contains(found.channelConfiguration), !found.isExtended,
            stream.channels == found.channelConfiguration
        else { return fail(.channels(found.channelConfiguration)) }
        return .success(found)
    }
}
