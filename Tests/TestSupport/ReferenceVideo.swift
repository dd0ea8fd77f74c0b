package import Model

/// A file's pictures as the `ffmpeg` command decodes them: the independent word on what a file shows, and when.
package struct ReferenceVideo: Sendable, Equatable {
    package struct Frame: Sendable, Equatable {
        /// Seconds from the container's start, exact.
        package var time: Rational
        /// MD5 of the decoded samples.
        package var hash: String
    }

    package var frames: [Frame]
    package var width: Int
    package var height: Int
    /// When the last frame ends.
    package var end: Rational
    /// Whether the file says how long its last frame lasts; else it is taken to last as long as the one before.
    package var endIsKnown: Bool

    package var hashes: [String] { frames.map(\.hash) }
    package var times: [Rational] { frames.map(\.time) }

    /// - Parameters:
    ///   - filters: libavfilter's text, applied to every frame.
    ///   - pixelFormat: what frames are converted to before they are hashed.
    ///   - frameLimit: decode no more than so many; the end is then not the file's.
    ///   - withoutSound: leave out the sound, where it cannot be read.
    package init(
        _ path: String, filters: String? = nil, pixelFormat: String? = nil, withoutSound: Bool = false,
        frameLimit: Int? = nil
    ) throws {
        // Passthrough and the stream's own time base: anything else drops, doubles or moves frames. The sound is read
        // too, because the command counts an MPEG-TS from the first of those streams that it reads. So are the packets
        // of the picture, which say how long the last one is shown.
        var arguments = ["-v", "error", "-nostdin", "-i", path, "-map", "0:v:0", "-map", "0:v:0", "-c:v:1", "copy"]
        arguments += ["-copyinkf:v:1"]
        if !withoutSound { arguments += ["-map", "0:a?", "-c:a", "copy"] }
        arguments += ["-fps_mode", "passthrough", "-enc_time_base", "-1"]
        if let frameLimit { arguments += ["-frames:v", "\(frameLimit)"] }
        if let filters { arguments += ["-filter:v:0", filters] }
        if let pixelFormat { arguments += ["-pix_fmt:v:0", pixelFormat] }
        let lines = String(decoding: try Command.output("ffmpeg", arguments + ["-f", "framemd5", "-"]), as: UTF8.self)
        var (timeBase, packetTimeBase) = (Rational.one, Rational.one)
        var lastPacket: (time: Int64, duration: Int64) = (.min, 0)
        (frames, width, height, end, endIsKnown) = ([], 0, 0, .zero, false)
        for line in lines.split(separator: "\n") {
            if line.hasPrefix("#tb 0: ") {
                timeBase = try Self.timeBase(line)
            } else if line.hasPrefix("#tb 1: ") {
                packetTimeBase = try Self.timeBase(line)
            } else if line.hasPrefix("1,") {
                let fields = line.split(separator: ",").prefix(4).map { $0.filter { $0 != " " } }
                guard fields.count == 4, let time = Int64(fields[2]), let duration = Int64(fields[3]) else { continue }
                if time >= lastPacket.time { lastPacket = (time, duration) }
            } else if line.hasPrefix("#dimensions 0: ") {
                let parts = line.dropFirst(15).split(separator: "x").compactMap { Int($0) }
                guard parts.count == 2 else { throw CommandFailure(description: "no size in \(line)") }
                (width, height) = (parts[0], parts[1])
            } else if line.hasPrefix("0,") {
                let fields = line.split(separator: ",").map { $0.filter { $0 != " " } }
                guard fields.count == 6, let ticks = Int64(fields[2]) else {
                    throw CommandFailure(description: "no frame in \(line)")
                }
                frames.append(Frame(time: Rational(ticks) * timeBase, hash: fields[5]))
            }
        }
        guard let last = frames.last else { throw CommandFailure(description: "\(path) has no frames") }
        // Matroska's packets do not say.
        endIsKnown = lastPacket.duration > 0
        end =
            last.time
            + (endIsKnown
                ? Rational(lastPacket.duration) * packetTimeBase
                : frames.count > 1 ? last.time - frames[frames.count - 2].time : .zero)
    }

    /// Of a line such as `#tb 0: 1/90000`.
    private static func timeBase(_ line: Substring) throws -> Rational {
        let parts = line.split(separator: " ").last?.split(separator: "/").compactMap { Int64($0) } ?? []
        guard parts.count == 2 else { throw CommandFailure(description: "no time base in \(line)") }
        return Rational(parts[0], parts[1])
    }
}

/// What an edit of one source must give, by the rule: frames with start ≤ t < end, each segment as long as from its
/// first frame's time to that of the first frame at or after its end.
package struct ExpectedProgramme: Sendable {
    package struct Interval: Sendable, Equatable {
        package var start: Rational
        package var end: Rational
    }

    package var frames: [ReferenceVideo.Frame] = []
    /// What of the source each segment shows, in source time.
    package var intervals: [Interval] = []
    /// The same by number: which of the source's frames follow each other, half-open.
    package var runs: [Range<Int>] = []
    package var length = Rational.zero

    /// - Parameter ranges: as asked for; no end plays to the end.
    package init(_ source: ReferenceVideo, ranges: [(start: Rational, end: Rational?)]) {
        for range in ranges {
            let kept = source.frames.indices { frame in
                frame.time >= range.start && range.end.map { frame.time < $0 } ?? true
            }
            guard let first = source.frames[kept].first else { continue }
            let next = range.end.flatMap { end in source.frames.first { $0.time >= end } }
            let interval = Interval(start: first.time, end: next?.time ?? source.end)
            for frame in source.frames[kept] {
                frames.append(.init(time: length + frame.time - first.time, hash: frame.hash))
            }
            runs += kept.ranges
            intervals.append(interval)
            length = length + interval.end - interval.start
        }
    }
}
