internal import Media
internal import Model
internal import Planning

/// How a join sounds, against the sound as it is meant.
struct JoinQuality {
    /// The error in the worst frame that packets of two makers have made, in decibels of its sound.
    var decibels: Double
    /// The same of the frames beside it: what coding and substituted noise account for. Where a join itself shows for
    /// long, or there is no such noise, it does not count.
    var neighbours: Double

    /// Aliasing that does not cancel is nearly as loud as the sound. What is as good as the frames beside it is no
    /// seam.
    var isClean: Bool { decibels <= max(Self.inaudible, min(neighbours + 4, Self.limit)) }
    /// Clean, or better than nothing where all places were tried.
    var isUsable: Bool { isClean || neighbours > -.infinity && decibels <= Self.bearable }

    private static let inaudible = -20.0
    private static let limit = -3.0
    private static let bearable = -12.0
}

/// Decodes across a join, and measures.
final class JoinCheck {
    private let decoder: PacketDecoder
    private let hasLooseFrames: Bool

    init(_ codec: any SoundCopyCodec) throws {
        decoder = try PacketDecoder(codec)
        hasLooseFrames = codec.hasLooseFrames
    }

    /// - Parameters:
    ///   - packets: in order. The first ones are to begin from.
    ///   - meant: the sound of the last packets' frames: one before the join, those that it shows in, one behind.
    func measure(_ packets: [SoundPacket], meant: [SoundFrame]) throws -> JoinQuality {
        decoder.reset()
        let heard = try packets.map { try decoder.decode($0.bytes) }.suffix(meant.count)
        let errors = zip(heard, meant).map { Self.error(of: $0, against: $1) }
        guard errors.count > 2, errors.count == meant.count, let before = errors.first, let behind = errors.last,
            let worst = errors.dropFirst().dropLast().max()
        else { return JoinQuality(decibels: .infinity, neighbours: -.infinity) }
        return JoinQuality(decibels: worst, neighbours: hasLooseFrames ? max(before, behind) : -.infinity)
    }

    /// The worst channel's error, in decibels of its sound; a channel that is all but silent counts for as much as a
    /// thousandth of all.
    private static func error(of heard: SoundFrame, against meant: SoundFrame) -> Double {
        let powers = meant.map { channel in channel.reduce(0.0) { $0 + Double($1 * $1) } }
        let floor = max(1e-9 * Double(meant.first?.count ?? 0), powers.reduce(0, +) / 1000)
        var worst = 0.0
        for (channel, power) in powers.enumerated() {
            var error = 0.0
            for (heard, meant) in zip(heard[channel], meant[channel]) {
                error += Double((heard - meant) * (heard - meant))
            }
            worst = max(worst, error / max(power, floor))
        }
        return decibels(ofAmplitude: max(1e-6, worst.squareRoot()))
    }
}
