import Foundation
import LocalFiles
import Media
import Model
import TestSupport
import Testing

@testable import Engine
@testable import Planning

/// A source's sound as packets, and as the `ffmpeg` command decodes it.
struct CompressedSound {
    let path: String
    let packets: [FedPacket]
    let parameters: CodecParameters
    let stream: AudioStream
    /// What keeps it from being copied into sound of its own kind.
    let obstacle: SoundCopyObstacle?
    let sound: CopyableSound?

    /// - Parameter hole: packets that begin in it are left out.
    init(_ path: String, without hole: Range<Rational>? = nil) throws {
        LogCapture.install()
        self.path = path
        var demuxer = try Demuxer(LocalFile(path: path), cancellation: Cancellation())
        let streams = (0..<demuxer.streamCount).compactMap { index in
            if case .audio(let stream) = demuxer.describe(stream: index) { stream } else { nil }
        }
        stream = try #require(streams.first)
        parameters = try CodecParameters(demuxer, stream: stream.index)
        let plan = AudioPlan(
            codec: AudioSettings.Codec(rawValue: stream.codec) ?? .aac, bitRate: 128_000,
            sampleRate: stream.sampleRate, channels: stream.channels, layout: stream.channelLayout)
        let (timeBase, offset) = (stream.timeBase, demuxer.timeOffset(ofStream: stream.index))
        var packet = try Packet()
        var found: [FedPacket] = []
        while try demuxer.read(into: &packet) {
            guard packet.streamIndex == stream.index else { continue }
            if let fed = FedPacket(packet, timeBase: timeBase, offset: offset) { found.append(fed) }
        }
        packets = found.filter { hole?.contains($0.time) != true }
        let copied = CopySource(demuxer, stream: stream.index, firstPacket: found.first?.bytes ?? [])
        do throws(SoundCopyObstacle) {
            sound = try CopyableSound.common(of: [copied], output: plan)
            obstacle = nil
        } catch {
            (sound, obstacle) = (nil, error)
        }
    }

    func codec() throws -> any SoundCopyCodec { try SoundCopyCodecs.make(try #require(sound), parameters) }

    /// The same with other packets.
    init(_ other: CompressedSound, packets: [FedPacket]) {
        (path, parameters, stream, obstacle) = (other.path, other.parameters, other.stream, other.obstacle)
        sound = other.sound
        self.packets = packets
    }

    var seconds: Rational { (packets.last.map { $0.time + ($0.duration ?? .zero) }) ?? .zero }
}

/// One segment of a cut list that is all sound.
struct SoundRange {
    var start: Rational
    var length: Rational
    var effects: [SoundEffect] = []
}

/// A programme made of copied sound, and where in the source each of its pieces is.
struct CopiedProgramme {
    struct Piece {
        /// Samples of the programme.
        let samples: Range<Int64>
        /// Added to a sample of the programme, gives the source's.
        let offset: Int64
        /// How far it is from where it should be, in samples.
        let shift: Double
        /// Added to an output packet's index, gives the source's.
        let packetOffset: Int
    }

    let report: SoundCopyReport
    let grid: PacketGrid
    let pieces: [Piece]
    let fades: Bool
    /// The programme's length in samples.
    let samples: Int64
    /// What was written, packet by packet.
    let packets: [[UInt8]]

    /// - Parameters:
    ///   - fades: at seams, as edits have them.
    ///   - random: how packets and the knowledge of what is kept come; all at once without.
    init(
        _ ranges: [SoundRange], of source: CompressedSound, to output: String, fades: Bool = true,
        random: SeededGenerator? = nil, format: String = "mp4"
    ) throws {
        let isPiecewise = random != nil
        let codec = try source.codec()
        let outputs = LocalOutputs()
        let file = try MuxedFile(
            output, in: outputs, format: format, reservation: 1 << 20, cancellation: Cancellation())
        let stream = try file.muxer.addStream(
            codec.outputParameters(), timeBase: codec.grid.sampleSeconds)
        let track = try CopiedSoundTrack(
            codec, stream: stream, in: format == "mp4" ? .mp4 : .mkv, cancellation: Cancellation())
        if format == "mp4" {
            try file.beginIndexFirst(timeBases: [track.timeBase])
        } else {
            try file.muxer.begin(options: ["avoid_negative_ts": "disabled"])
        }
        let grid = codec.grid
        var random = random ?? SeededGenerator(seed: 0)
        var start = Rational.zero
        var pieces: [Piece] = []
        for (index, range) in ranges.enumerated() {
            var segment = CopiedSegment(origin: range.start, start: start)
            segment.shape.fadesIn = fades && index > 0
            segment.shape.fadesOut = fades && index < ranges.count - 1
            segment.shape.effects = range.effects
            track.begin(segment)
            let fed = source.packets.filter { $0.time >= range.start - grid.leadSeconds }
            var told = Rational.zero
            for packet in fed {
                if track.reaches(range.length), !isPiecewise || Bool.random(using: &random) { break }
                try track.feed(packet)
                guard isPiecewise else { continue }
                told = min(range.length, told + Rational(Int64.random(in: 0...60, using: &random), 1000))
                try track.advance(to: told)
                if Bool.random(using: &random) { try track.drain(into: &file.muxer) }
            }
            try track.end(length: range.length)
            if let first = fed.first {
                let placement = grid.placement(at: start + first.time - range.start)
                let index = source.packets.count - fed.count
                pieces.append(
                    Piece(
                        samples: grid.sample(at: start)..<grid.sample(at: start + range.length),
                        offset: grid.sample(at: first.time) - placement.frame * grid.frameSamples,
                        shift: placement.shift.seconds * Double(grid.sampleRate),
                        packetOffset: index - Int(placement.frame + grid.runIn)))
            }
            start = start + range.length
        }
        try track.finish()
        try track.drain(into: &file.muxer)
        try file.muxer.finish()
        try outputs.commit([file.file])
        report = track.report
        self.grid = grid
        (self.pieces, self.fades, samples) = (pieces, fades, track.samples ?? 0)
        packets = try CompressedSound(output).packets.map(\.bytes)
    }

    /// How many packets are the source's own, where the grid puts them.
    func packetsInPlace(_ source: CompressedSound) -> Int {
        packets.indices.count { index in
            let samples = grid.samples(ofFrame: Int64(index) - grid.runIn)
            let piece = pieces.first { samples.lowerBound < $0.samples.upperBound }
            let place = index + (piece?.packetOffset ?? 0)
            return source.packets.indices.contains(place) && source.packets[place].bytes == packets[index]
        }
    }

    /// What the programme should sound like, of what the source does: its pieces where the grid puts them, faded for
    /// 5 ms at seams.
    func meant(_ source: ReferenceAudio) -> [[Float]] {
        let fade = Float(source.sampleRate / 200)
        return source.channels.map { channel in
            var samples: [Float] = []
            for (index, piece) in pieces.enumerated() {
                for place in piece.samples {
                    let position = Int(place + piece.offset)
                    var sample = channel.indices.contains(position) ? channel[position] : 0
                    let (since, until) = (place - piece.samples.lowerBound, piece.samples.upperBound - place)
                    if fades, index > 0 { sample *= min(1, Float(since) / fade) }
                    if fades, index < pieces.count - 1 { sample *= min(1, Float(until) / fade) }
                    samples.append(sample)
                }
            }
            return samples
        }
    }
}

/// How far what is heard is from what was meant, 1024 samples at a time.
enum FrameErrors {
    /// The frame with the largest error, in decibels of the sound around it; frames in near silence count little.
    static func worst(_ heard: [[Float]], _ meant: [[Float]]) -> (decibels: Double, frame: Int) {
        // Decoders give the whole of the last packet.
        let count = min(heard.first?.count ?? 0, meant.first?.count ?? 0) / 1024
        var errors = [Double](repeating: 0, count: count)
        var powers = errors
        for (heard, meant) in zip(heard, meant) {
            heard.withUnsafeBufferPointer { heard in
                meant.withUnsafeBufferPointer { meant in
                    var place = 0
                    while place < count * 1024 {
                        let difference = heard[place] - meant[place]
                        errors[place >> 10] += Double(difference * difference)
                        powers[place >> 10] += Double(meant[place] * meant[place])
                        place += 1
                    }
                }
            }
        }
        var worst = (decibels: -Double.infinity, frame: 0)
        for frame in 0..<count {
            let sound = 1e-4 + (powers[max(0, frame - 1)...min(count - 1, frame + 1)].max() ?? 0)
            let decibels = 10 * log10(max(1e-12, errors[frame] / sound))
            if decibels > worst.decibels { worst = (decibels, frame) }
        }
        return worst
    }
}

enum CopiedSoundSources {
    /// Music of one's own choice of kind, by the `ffmpeg` command.
    static func music(
        _ folder: String, rate: Int, channels: Int, seconds: Int = 12, options: [String] = ["-b:a", "128k"],
        codec: String = "aac", name: String = "music.m4a"
    ) throws -> String {
        let path = "\(folder)/\(name)"
        // Six channels of one stereo recording, none like another.
        let spread =
            "pan=5.1|c0=0.9*c0|c1=0.8*c1|c2=0.5*c0+0.4*c1|c3=0.3*c0|c4=0.6*c1-0.2*c0|c5=0.7*c0-0.1*c1"
        let mixed = channels == 1 ? "pan=mono|c0=0.5*c0+0.5*c1" : channels == 6 ? spread : "anull"
        let filters = "aloop=loop=-1:size=260000,\(mixed)"
        _ = try Command.output(
            "ffmpeg",
            ["-v", "error", "-y", "-i", Fixture.media("music.mp3"), "-t", "\(seconds)", "-af", filters]
                + ["-ar", "\(rate)", "-c:a", codec] + options + [path])
        return path
    }
}
