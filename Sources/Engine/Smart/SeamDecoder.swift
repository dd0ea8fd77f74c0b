internal import Dispatch
internal import Media
internal import Planning

/// Decodes the pictures of a seam: from a keyframe to the last one wanted, leaving out what nothing refers to. Where the
/// job has two threads, on one of its own, a little ahead of whoever encodes them.
final class SeamDecoder {
    /// Pictures that may wait to be encoded.
    private static let lead = 1

    private let work: SeamDecoding
    private let window: PacketWindow
    private let queue: DispatchQueue?

    init(
        _ window: PacketWindow, threads: ThreadBudget, limits: DemuxerLimits, cancellation: Cancellation
    ) throws {
        self.window = window
        var decoder = try Decoder(window.demuxer, stream: window.stream, threads: 1, limits: limits)
        // What is intact is told by where decoding begins, not by the decoder's guess, which is wrong where little is
        // decoded behind a picture that is no IDR picture.
        decoder.showAll()
        work = SeamDecoding(decoder, cancellation: cancellation)
        queue = threads.isConcurrent ? DispatchQueue(label: "reelpool.seams") : nil
    }

    /// What was decoded, for the report; pictures left out are not in it.
    var decodedPictures: Int { work.decodedPictures }

    /// Hands out the seam's pictures in the order they are shown, with their times.
    func decode(_ seam: SegmentCutter.Seam, _ show: (borrowing Frame, Int64) throws -> Void) throws {
        let run = try run(of: seam)
        guard let queue else { return try work.decode(run, show) }
        let pictures = Handover<VideoFrame>(depth: Self.lead)
        queue.async { [work] in
            pictures.end { try work.decode(run) { try pictures.put(VideoFrame($0.reference(), time: $1)) } }
        }
        defer {
            pictures.stop()
            queue.sync {}
        }
        while let picture = try pictures.take() { try show(picture.frame, picture.time) }
    }

    /// The packets to be decoded, while nobody else reads the source.
    private func run(of seam: SegmentCutter.Seam) throws -> SeamRun {
        let wanted = Set(seam.times)
        var run = SeamRun(times: seam.times, window: window)
        for index in seam.decoded {
            guard let held = try window.packet(at: index) else { break }
            if run.packets.isEmpty { run.entryTime = held.picture.time }
            guard wanted.contains(held.picture.time) || !window.codec.isDisposable(held.packet) else { continue }
            run.packets.append(held)
        }
        return run
    }
}

/// SAFETY: made by one thread, and only read from then on.
private struct SeamRun: @unchecked Sendable {
    /// Of the wanted pictures, in the order they are shown.
    let times: [Int64]
    var entryTime = Int64.min
    var packets: [WindowPacket] = []
    private let offset: Int64

    init(times: [Int64], window: PacketWindow) {
        self.times = times
        offset = window.sinceStart(0)
    }

    func sinceStart(_ time: Int64) -> Int64 { time + offset }
}

/// SAFETY: used by one thread at a time: the one that decodes, and its owner when that has ended.
private final class SeamDecoding: @unchecked Sendable {
    private static let undecodable = SmartObstacle.bitstream("pictures around a cut cannot be decoded")

    private var decoder: Decoder
    private let cancellation: Cancellation
    private(set) var decodedPictures = 0

    init(_ decoder: consuming Decoder, cancellation: Cancellation) {
        self.decoder = decoder
        self.cancellation = cancellation
    }

    func decode(_ run: SeamRun, _ show: (borrowing Frame, Int64) throws -> Void) throws {
        // What it refers to is let go of before the seam is verified.
        defer { decoder.reset() }
        let wanted = Set(run.times)
        var next = 0
        var frame = try Frame()
        func take() throws {
            while true {
                switch try decoder.receive(into: &frame) {
                case .needsInput, .endOfStream: return
                case .produced:
                    guard let time = frame.time.map(run.sinceStart), wanted.contains(time) else { continue }
                    guard next < run.times.count, time == run.times[next], !frame.hasErrors else {
                        throw Self.undecodable
                    }
                    next += 1
                    try show(frame, time)
                }
            }
        }
        for held in run.packets {
            try cancellation.check()
            // Leading pictures refer to what precedes the entry: nobody wants them, and nothing behind them needs them.
            guard try decoder.send(held.packet) || held.picture.time < run.entryTime else {
                throw Self.undecodable
            }
            decodedPictures += 1
            try take()
        }
        try decoder.finish()
        try take()
        guard next == run.times.count else {
            throw Self.undecodable
        }
    }
}
