import Foundation

/// How alike the pictures of two files are, measured by the `ffmpeg` command frame by frame.
package enum PictureLikeness {
    /// The likeness of each pair of frames in decibels over all planes; infinite for equal frames.
    ///
    /// - Parameter filters: what the reference goes through first, in libavfilter's text. The command turns rotated
    ///   pictures upright by itself.
    package static func decibels(_ file: String, reference: String, filters: String) throws -> [Double] {
        // Frames are paired by their order: times are another test's subject.
        let graph =
            "[0:v:0]settb=1/1000,setpts=N,format=yuv420p,setsar=1[file];"
            + "[1:v:0]\(filters),settb=1/1000,setpts=N,format=yuv420p,setsar=1[reference];"
            + "[file][reference]psnr=stats_file=-:shortest=1"
        let text = String(
            decoding: try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-i", file, "-i", reference, "-filter_complex", graph, "-fps_mode",
                    "passthrough", "-f", "null", "-",
                ]), as: UTF8.self)
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
