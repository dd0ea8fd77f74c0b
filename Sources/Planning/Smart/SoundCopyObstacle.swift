/// Why a programme's sound cannot be made of its sources' packets.
package enum SoundCopyObstacle: Error, Hashable, Sendable {
    case noSound
    case otherCodec(String)
    case otherOutputCodec
    /// Neither in the container nor in the packets.
    case noConfiguration
    case unreadableConfiguration
    case otherProfile(String)
    case otherFrameLength(Int)
    /// Half of one would be heard to be early or late.
    case longPackets
    case channels(Int)
    case differentConfigurations
    case converted(sampleRate: Int, channels: Int)
    /// Decoders change its loudness.
    case gain
    case encrypted
    case noEncoder

    /// A sentence without its stop.
    package var reason: String {
        switch self {
        case .noSound: "a source has no sound"
        case .otherCodec(let codec): "the sound is \(codec), not AAC, Opus or MP3"
        case .otherOutputCodec: "another codec than the source's was asked for"
        case .noConfiguration: "the sound has no description"
        case .unreadableConfiguration: "the sound's description cannot be read"
        case .otherProfile(let profile): "the sound is AAC of the profile \(profile), not LC"
        case .otherFrameLength(let samples): "the sound's packets have \(samples) samples, which is unusual"
        case .longPackets: "the sound's packets last too long to be moved by half of one"
        case .channels(let configuration): "the sound's channel configuration \(configuration) is unusual"
        case .differentConfigurations: "the sources' sound is of different kinds"
        case .converted(let rate, let channels): "sound of \(rate) Hz and \(channels) channels was asked for"
        case .gain: "the sound's description asks decoders to change its loudness"
        case .encrypted: "the sound is encrypted"
        case .noEncoder: "the encoder's packets cannot be decoded as the source's are"
        }
    }
}
