internal import Media
internal import Planning

/// Decodes the pictures of a seam: from a keyframe to the last one wanted, leaving out what nothing refers to.
final class SeamDecoder {
    private static let undecodable = SmartObstacle.bitstream("pictures around a cut cannot be decoded")

    private var decoder: Decoder
    private let window: PacketWindow
    private let cancellation: Cancellation
    /// What was decoded, for the report; pictures left out are not in it.
    private(set) var decodedPictures = 0

    init(_ window: PacketWindow, limits: DemuxerLimits, cancellation: Cancellation) throws {
        (self.window, self.cancellation) = (window, cancellation)
        decoder = try Decoder(window.demuxer, stream: window.stream, threads: 1, limits: limits)
        // What is intact is told by where decoding begins, not by the decoder's guess, which is wrong where little is
        // decoded behind a picture that is no IDR picture.
        decoder.showAll()
    }

    /// Hands out the seam's pictures in the order they are shown, with their times.
    func decode(_ seam: SegmentCutter.Seam, _ show: (borrowing Frame, Int64) throws -> Void) throws {
        decoder.reset()
        let wanted = Set(seam.times)
        var next = 0
        let entryTime = try window.packet(at: seam.decoded.lowerBound)?.picture.time ?? .min
        var frame = try Frame()
        func take() throws {
            while true {
                switch try decoder.receive(into: &frame) {
                case .needsInput, .endOfStream: return
                case .produced:
                    guard let time = frame.time.map(window.sinceStart), wanted.contains(time) else { continue }
                    guard next < seam.times.count, time == seam.times[next], !frame.hasErrors else {
                        throw Self.undecodable
                    }
                    next += 1
                    try show(frame, time)
                }
            }
        }
        for index in seam.decoded {
            try cancellation.check()
            guard let held = try window.packet(at: index) else { break }
            guard wanted.contains(held.picture.time) || !window.codec.isDisposable(held.packet) else { continue }
            // Leading pictures refer to what precedes the entry: nobody wants them, and nothing behind them needs them.
            guard try decoder.send(held.packet) || held.picture.time < entryTime else {
                throw Self.undecodable
            }
            decodedPictures += 1
            try take()
        }
        try decoder.finish()
        try take()
        guard next == seam.times.count else {
            throw Self.undecodable
        }
    }
}
