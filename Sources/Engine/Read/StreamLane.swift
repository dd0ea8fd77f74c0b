internal import Media
internal import Model

/// One stream of a source on its way from packets to frames: packets that wait, and the decoder they wait for.
final class StreamLane {
    final class WaitingPacket {
        let packet: Packet
        init(_ packet: consuming Packet) { self.packet = packet }
    }

    let stream: Int
    let timeBase: Rational
    /// Added to the stream's own timestamps, counts them from the container's start.
    let offset: Int64
    private var decoder: Decoder
    private var packets: [WaitingPacket] = []
    private var taken = 0
    private(set) var waitingBytes = 0
    private(set) var isFinished = false
    /// The first and the furthest packet seen since opening or seeking, from the container's start.
    private(set) var firstTime: Int64?
    private(set) var furthestTime: Int64?

    init(_ decoder: consuming Decoder, stream: Int, timeBase: Rational, offset: Int64) {
        self.decoder = decoder
        (self.stream, self.timeBase, self.offset) = (stream, timeBase, offset)
    }

    func append(_ packet: consuming Packet) {
        if let time = packet.presentationTime ?? packet.decodeTime {
            if firstTime == nil { firstTime = time + offset }
            furthestTime = max(furthestTime ?? .min, time + offset)
        }
        waitingBytes += packet.sizeBytes
        packets.append(WaitingPacket(packet))
    }

    /// Gives the decoder the next waiting packet.
    ///
    /// - Returns: `nil` when none waits, else whether the packet could be used.
    func decodeNext() throws(MediaError) -> Bool? {
        guard taken < packets.count else { return nil }
        let waiting = packets[taken]
        taken += 1
        waitingBytes -= waiting.packet.sizeBytes
        if taken == packets.count || taken >= 256 {
            packets.removeFirst(taken)
            taken = 0
        }
        return try decoder.send(waiting.packet)
    }

    func finishDecoding() throws(MediaError) { try decoder.finish() }

    func receive(into frame: inout Frame) throws -> PullResult {
        if isFinished { return .endOfStream }
        let result = try decoder.receive(into: &frame)
        if case .endOfStream = result { isFinished = true }
        return result
    }

    /// Forgets everything, for a new position.
    func reset() {
        decoder.reset()
        packets.removeAll()
        (taken, waitingBytes, isFinished) = (0, 0, false)
        (firstTime, furthestTime) = (nil, nil)
    }
}

/// A picture with its time; a class so that it can wait in a property.
final class VideoFrame {
    var frame: Frame
    /// In the video stream's ticks, from the container's start.
    let time: Int64

    init(_ frame: consuming Frame, time: Int64) {
        self.frame = frame
        self.time = time
    }
}

/// A run of samples with its time.
final class AudioFrame {
    let frame: Frame
    /// In the audio stream's ticks, from the container's start.
    let time: Int64

    init(_ frame: consuming Frame, time: Int64) {
        self.frame = frame
        self.time = time
    }
}
