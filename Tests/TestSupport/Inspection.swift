import Foundation

/// What the `ffprobe` command says of a file: the independent word on what was written into it.
package struct Inspection: Sendable {
    /// The first stream of each kind, by ffprobe's names; empty where there is none.
    package let video: [String: String]
    package let audio: [String: String]
    package let format: [String: String]
    package let streamCount: Int
    /// Side data of the first video stream and of its first frame, by type.
    package let sideData: [String: [String: String]]

    package init(_ path: String) throws {
        let arguments = [
            "-v", "error", "-show_format", "-show_streams", "-show_frames", "-read_intervals", "%+#1", "-of", "json",
            path,
        ]
        let object = try JSONSerialization.jsonObject(with: Command.output("ffprobe", arguments))
        let root = object as? [String: Any] ?? [:]
        let streams = root["streams"] as? [[String: Any]] ?? []
        let frames = root["frames"] as? [[String: Any]] ?? []
        func first(_ kind: String) -> [String: Any] { streams.first { $0["codec_type"] as? String == kind } ?? [:] }
        let frame = frames.first { $0["media_type"] as? String == "video" } ?? [:]
        var found: [String: [String: String]] = [:]
        for holder in [first("video"), frame] {
            for data in holder["side_data_list"] as? [[String: Any]] ?? [] {
                if let type = data["side_data_type"] as? String { found[type] = Self.texts(data) }
            }
        }
        (video, audio) = (Self.texts(first("video")), Self.texts(first("audio")))
        (format, streamCount, sideData) = (Self.texts(root["format"] as? [String: Any] ?? [:]), streams.count, found)
    }

    private static func texts(_ values: [String: Any]) -> [String: String] {
        values.mapValues { "\($0)" }
    }
}
