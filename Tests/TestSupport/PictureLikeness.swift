import Foundation

/// How alike the pictures of two files are, measured by the `ffmpeg` command frame by frame.
package enum PictureLikeness {
    /// The likeness of each pair of frames in decibels over all planes; infinite for equal frames.
    ///
    /// - Parameter filters: what the reference goes through first, in libavfilter's text. The command turns rotated
    ///   pictures upright by itself.
    package static func decibels(_ file: String, reference: String, filters: String) throws -> [Double] {
        try decibels(file, inputs: ["-i", reference], reference: "[1:v:0]\(filters)")
    }

    /// Beside some of the frames of another file.
    ///
    /// - Parameter runs: their numbers, half-open, one run after the other.
    package static func decibels(_ file: String, ofFrames runs: [Range<Int>], of source: String) throws -> [Double] {
        // The source is decoded once, whatever of it is wanted, and in which order.
        let pieces = runs.enumerated().map { index, run in
            "[all\(index)]trim=start_frame=\(run.lowerBound):end_frame=\(run.upperBound),"
                + "settb=1/1000,setpts=N,setsar=1[run\(index)];"
        }
        func names(_ kind: String) -> String { runs.indices.map { "[\(kind)\($0)]" }.joined() }
        return try decibels(
            file, inputs: ["-i", source],
            reference: "[1:v:0]split=\(runs.count)\(names("all"));" + pieces.joined() + names("run")
                + "concat=n=\(runs.count)")
    }

    /// - Parameter reference: a graph of the inputs from the second on, without a name for what comes out.
    private static func decibels(_ file: String, inputs: [String], reference: String) throws -> [Double] {
        // Frames are paired by their order: times are another test's subject.
        let graph =
            "[0:v:0]settb=1/1000,setpts=N,format=yuv420p,setsar=1[file];"
            + "\(reference),settb=1/1000,setpts=N,format=yuv420p,setsar=1[reference];"
            + "[file][reference]psnr=stats_file=-:shortest=1"
        let text = String(
            decoding: try Command.output(
                "ffmpeg",
                ["-v", "error", "-nostdin", "-i", file] + inputs
                    + ["-filter_complex", graph, "-an", "-fps_mode", "passthrough", "-f", "null", "-"]), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("psnr_avg:") }.flatMap { Double($0.dropFirst(9)) }
        }
    }

    /// What the `signalstats` filter says about each frame after other filters: a value such as `YAVG`.
    package static func statistic(_ key: String, of path: String, filters: String = "null") throws -> [Double] {
        let text = String(
            decoding: try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-i", path, "-map", "0:v:0", "-vf",
                    "\(filters),signalstats,metadata=print:key=lavfi.signalstats.\(key):file=-", "-fps_mode",
                    "passthrough", "-f", "null", "-",
                ]), as: UTF8.self)
        let prefix = "lavfi.signalstats.\(key)="
        return text.split(separator: "\n").filter { $0.hasPrefix(prefix) }
            .compactMap { Double($0.dropFirst(prefix.count)) }
    }
}
