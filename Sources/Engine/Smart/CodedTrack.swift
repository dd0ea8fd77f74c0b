internal import Media
internal import Planning

/// The output's picture made of coded pictures: packets in decode order in, with decode times and true durations out.
struct CodedTrack {
    private final class Waiting {
        var packet: Packet
        let time: Int64
        let decodeTime: Int64
        let isKey: Bool
        let isCopied: Bool

        init(_ packet: consuming Packet, time: Int64, decodeTime: Int64, isKey: Bool, isCopied: Bool) {
            self.packet = packet
            (self.time, self.decodeTime, self.isKey, self.isCopied) = (time, decodeTime, isKey, isCopied)
        }
    }

    private var clock: DecodeTimes
    private var waiting: [Waiting] = []
    private var durations: [Int64: Int64] = [:]
    private(set) var frameCount = 0

    init(_ clock: DecodeTimes) { self.clock = clock }

    /// - Parameter time: in the output's ticks.
    mutating func add(_ packet: consuming Packet, at time: Int64, isKey: Bool, isCopied: Bool) throws {
        let (decodeTime, known) = try clock.next(time)
        if let known { durations[known.earlier] = known.later - known.earlier }
        waiting.append(Waiting(packet, time: time, decodeTime: decodeTime, isKey: isKey, isCopied: isCopied))
        frameCount += 1
    }

    /// Writes what is known to last how long.
    ///
    /// - Parameter write: takes packets in decode order.
    mutating func drain(_ write: (inout Packet, _ isCopied: Bool) throws -> Void) throws {
        var written = 0
        for entry in waiting {
            guard let duration = durations.removeValue(forKey: entry.time) else { break }
            entry.packet.place(
                at: entry.time, decodeTime: entry.decodeTime, duration: duration, isKey: entry.isKey)
            try write(&entry.packet, entry.isCopied)
            written += 1
        }
        waiting.removeFirst(written)
    }

    /// - Parameter end: when the last picture is over.
    mutating func finish(at end: Int64, _ write: (inout Packet, _ isCopied: Bool) throws -> Void) throws {
        for known in clock.finish(at: end) { durations[known.earlier] = known.later - known.earlier }
        try drain(write)
        precondition(waiting.isEmpty, "pictures without an end")
    }
}
