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

    init(_ path: String) throws {
        LogCapture.install()
        self.path = path
        var demuxer = try Demuxer(LocalFile(path: path), cancellation: Cancellation())
        let streams = (0..<demuxer.streamCount).compactMap { index in
            if case .audio(let stream) = demuxer.describe(stream: index) { stream } else { nil }
        }
        stream = try #require(streams.first)
        parameters = try CodecParameters(demuxer, stream: stream.index)
        let (timeBase, offset) = (stream.timeBase, demuxer.timeOffset(ofStream: stream.index))
        var packet = try Packet()
        var found: [FedPacket] = []
        while try demuxer.read(into: &packet) {
            guard packet.streamIndex == stream.index else { continue }
            if let fed = FedPacket(packet, timeBase: timeBase, offset: offset) { found.append(fed) }
        }
        packets = found
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
    }

    let report: SoundCopyReport
    let pieces: [Piece]
    /// What was written, packet by packet.
    let packets: [[UInt8]]

    /// - Parameters:
    ///   - fades: at seams, as edits have them.
    ///   - random: how packets and the knowledge of what is kept come; all at once without.
    init(
        _ ranges: [SoundRange], of source: CompressedSound, to output: String, fades: Bool = true,
        random: SeededGenerator? = nil
    ) throws {
        let isPiecewise = random != nil
        let outputs = LocalOutputs()
        let file = try MuxedFile(
            output, in: outputs, format: "mp4", reservation: 1 << 20, cancellation: Cancellation())
        let stream = try file.muxer.addStream(
            CopiedSoundTrack.outputParameters(source.parameters),
            timeBase: Rational(1, Int64(source.stream.sampleRate)))
        let track = try CopiedSoundTrack(source.parameters, stream: stream)
        try file.beginIndexFirst(timeBases: [track.timeBase])
        let grid = PacketGrid(sampleRate: source.stream.sampleRate)
        var random = random ?? SeededGenerator(seed: 0)
        var start = Rational.zero
        var pieces: [Piece] = []
        for (index, range) in ranges.enumerated() {
            var segment = CopiedSegment(origin: range.start, start: start)
            segment.shape.fadesIn = fades && index > 0
            segment.shape.fadesOut = fades && index < ranges.count - 1
            segment.shape.effects = range.effects
            track.begin(segment)
            let runIn = CopiedSoundTrack.runIn(sampleRate: grid.sampleRate)
            let fed = source.packets.filter { $0.time >= range.start - runIn }
            var told = Rational.zero
            for packet in fed {
                if track.reaches(range.length), !isPiecewise || Bool.random(using: &random) { break }
                track.feed(packet)
                guard isPiecewise else { continue }
                told = min(range.length, told + Rational(Int64.random(in: 0...60, using: &random), 1000))
                try track.advance(to: told)
                if Bool.random(using: &random) { try track.drain(into: &file.muxer) }
            }
            try track.end(length: range.length)
            if let first = fed.first {
                let placement = grid.placement(at: start + first.time - range.start)
                pieces.append(
                    Piece(
                        samples: grid.sample(at: start)..<grid.sample(at: start + range.length),
                        offset: grid.sample(at: first.time) - placement.frame * PacketGrid.frameSamples,
                        shift: placement.shift.seconds * Double(grid.sampleRate)))
            }
            start = start + range.length
        }
        try track.finish()
        try track.drain(into: &file.muxer)
        try file.muxer.finish()
        try outputs.commit([file.file])
        report = track.report
        self.pieces = pieces
        packets = try CompressedSound(output).packets.map(\.bytes)
    }

    /// What the programme should sound like, of what the source does.
    func meant(_ source: ReferenceAudio) -> [[Float]] {
        source.channels.map { channel in
            var samples: [Float] = []
            for piece in pieces {
                samples += piece.samples.map { place in
                    let index = Int(place + piece.offset)
                    return channel.indices.contains(index) ? channel[index] : 0
                }
            }
            return samples
        }
    }
}

enum CopiedSoundSources {
    /// Music of one's own choice of kind, as AAC by the `ffmpeg` command.
    static func music(
        _ folder: String, rate: Int, channels: Int, seconds: Int = 12, options: [String] = ["-b:a", "128k"],
        name: String = "music.m4a"
    ) throws -> String {
        let path = "\(folder)/\(name)"
        // Six channels of one stereo recording, none like another.
        let spread =
            "pan=5.1|c0=0.9*c0|c1=0.8*c1|c2=0.5*c0+0.4*c1|c3=0.3*c0|c4=0.6*c1-0.2*c0|c5=0.7*c0-0.1*c1"
        let filters = channels == 6 ? ["-af", spread] : ["-ac", "\(channels)"]
        _ = try Command.output(
            "ffmpeg",
            ["-v", "error", "-y", "-stream_loop", "-1", "-i", Fixture.media("music.mp3"), "-t", "\(seconds)"]
                + filters + ["-ar", "\(rate)", "-c:a", "aac"] + options + [path])
        return path
    }
}
