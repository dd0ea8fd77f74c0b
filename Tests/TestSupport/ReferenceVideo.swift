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
        // too, because the command counts an MPEG-TS from the first of those streams that it reads.
        var arguments = ["-v", "error", "-nostdin", "-i", path, "-map", "0:v:0"]
        if !withoutSound { arguments += ["-map", "0:a?", "-c:a", "copy"] }
        arguments += ["-fps_mode", "passthrough", "-enc_time_base", "-1"]
        if let frameLimit { arguments += ["-frames:v", "\(frameLimit)"] }
        if let filters { arguments += ["-vf", filters] }
        if let pixelFormat { arguments += ["-pix_fmt", pixelFormat] }
        let lines = String(decoding: try Command.output("ffmpeg", arguments + ["-f", "framemd5", "-"]), as: UTF8.self)
        var timeBase = Rational.one
        (frames, width, height, end, endIsKnown) = ([], 0, 0, .zero, false)
        for line in lines.split(separator: "\n") {
            if line.hasPrefix("#tb 0: ") {
                let parts = line.dropFirst(7).split(separator: "/").compactMap { Int64($0) }
                guard parts.count == 2 else { throw CommandFailure(description: "no time base in \(line)") }
                timeBase = Rational(parts[0], parts[1])
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
        let duration = try Self.lastDuration(path)
        endIsKnown = duration != nil
        end = last.time + (duration ?? (frames.count > 1 ? last.time - frames[frames.count - 2].time : .zero))
    }

    /// How long the last frame is shown, by its packet; `nil` where packets do not say (Matroska).
    private static func lastDuration(_ path: String) throws -> Rational? {
        let arguments = [
            "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=time_base:packet=pts,dts,duration",
        ]
        let text = String(
            decoding: try Command.output("ffprobe", arguments + ["-of", "compact=p=0:nk=0", path]), as: UTF8.self)
        var timeBase = Rational.one
        var last: (time: Int64, duration: Int64?)?
        for line in text.split(separator: "\n") {
            var fields: [Substring: Substring] = [:]
            for field in line.split(separator: "|") {
                let parts = field.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { fields[parts[0]] = parts[1] }
            }
            if let parts = fields["time_base"]?.split(separator: "/").compactMap({ Int64($0) }), parts.count == 2 {
                timeBase = Rational(parts[0], parts[1])
            }
            if let time = (fields["pts"].flatMap { Int64($0) } ?? fields["dts"].flatMap { Int64($0) }),
                time >= last?.time ?? .min
            {
                last = (time, fields["duration"].flatMap { Int64($0) })
            }
        }
        return last?.duration.map { Rational($0) * timeBase }
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
    package var length = Rational.zero

    /// - Parameter ranges: as asked for; no end plays to the end.
    package init(_ source: ReferenceVideo, ranges: [(start: Rational, end: Rational?)]) {
        for range in ranges {
            let kept = source.frames.filter { frame in
                guard frame.time >= range.start else { return false }
                return range.end.map { frame.time < $0 } ?? true
            }
            guard let first = kept.first else { continue }
            let next = range.end.flatMap { end in source.frames.first { $0.time >= end } }
            let interval = Interval(start: first.time, end: next?.time ?? source.end)
            for frame in kept {
                frames.append(.init(time: length + frame.time - first.time, hash: frame.hash))
            }
            intervals.append(interval)
            length = length + interval.end - interval.start
        }
    }
}
