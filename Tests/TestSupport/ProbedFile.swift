package import Foundation

/// A file as the `ffprobe` command sees it: streams and packets, times in seconds from the container's start.
package struct ProbedFile: Decodable, Sendable {
    package struct Stream: Decodable, Sendable {
        package var index: Int
        package var codecType: String
        package var codecName: String?
        package var profile: String?
        package var width: Int?
        package var height: Int?
        package var pixFmt: String?
        package var sampleAspectRatio: String?
        package var fieldOrder: String?
        package var colorRange: String?
        package var colorSpace: String?
        package var colorTransfer: String?
        package var colorPrimaries: String?
        package var channels: Int?
        package var sampleRate: String?
        package var bitRate: String?
        package var sideDataList: [SideData]?
    }

    package struct SideData: Decodable, Sendable {
        package var sideDataType: String
    }

    package struct Packet: Decodable, Sendable {
        package var streamIndex: Int
        package var ptsTime: String?
        package var dtsTime: String?
        package var durationTime: String?
        package var flags: String
        package var size: String
        /// Of the payload; only when it was asked for.
        package var dataHash: String?

        package var seconds: Double { ptsTime.flatMap(Double.init) ?? .nan }
        package var isKey: Bool { flags.hasPrefix("K") }
    }

    package struct Format: Decodable, Sendable {
        package var formatName: String
        package var duration: String?
        package var startTime: String?

        package var seconds: Double { duration.flatMap(Double.init) ?? 0 }
        package var start: Double { startTime.flatMap(Double.init) ?? 0 }
    }

    package var streams: [Stream]
    package var packets: [Packet]
    package var format: Format

    /// - Parameter hashes: whether packets' payloads are hashed.
    package init(_ path: String, hashes: Bool = false) throws {
        var arguments = ["-v", "error", "-show_streams", "-show_format", "-show_packets", "-of", "json"]
        if hashes { arguments += ["-show_data_hash", "md5"] }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(ProbedFile.self, from: Command.output("ffprobe", arguments + [path]))
    }

    package var video: Stream? { streams.first { $0.codecType == "video" } }
    package var audio: Stream? { streams.first { $0.codecType == "audio" } }

    package func packets(of stream: Stream?) -> [Packet] { packets.filter { $0.streamIndex == stream?.index } }

    /// The longest that a picture lies after the keyframe that it needs.
    ///
    /// Seeking decodes from the last keyframe at or before the picture.
    package var longestWayFromKeyframe: Double {
        let pictures = packets(of: video).sorted { $0.seconds < $1.seconds }
        guard let first = pictures.first, first.isKey else { return .infinity }
        var (keyframe, longest) = (first.seconds, 0.0)
        for picture in pictures {
            if picture.isKey { keyframe = picture.seconds }
            longest = max(longest, picture.seconds - keyframe)
        }
        return longest
    }
}

/// The outline of an MP4 file, read without any help from what is being tested.
package struct MP4Boxes: Sendable {
    package struct Box: Sendable {
        package var type: String
        package var range: Range<Int>
    }

    private let data: Data

    package init(_ path: String) throws { data = try bytes(ofFile: path) }

    package var topLevel: [Box] { boxes(in: 0..<data.count) }

    /// All boxes of a type, looked for inside the boxes that only hold others.
    package func find(_ type: String) -> [Box] { find(type, in: 0..<data.count) }

    /// The bytes with the boxes of a type turned into free space.
    package func removing(_ type: String) -> Data {
        var copy = data
        for box in find(type) {
            copy.replaceSubrange(box.range.lowerBound + 4..<box.range.lowerBound + 8, with: Data("free".utf8))
        }
        return copy
    }

    private func find(_ type: String, in range: Range<Int>) -> [Box] {
        boxes(in: range).flatMap { box -> [Box] in
            if box.type == type { return [box] }
            let holdsOthers = ["moov", "trak", "mdia", "minf", "stbl", "edts"].contains(box.type)
            return holdsOthers ? find(type, in: box.range.lowerBound + 8..<box.range.upperBound) : []
        }
    }

    private func boxes(in range: Range<Int>) -> [Box] {
        var (result, position) = ([Box](), range.lowerBound)
        while position + 8 <= range.upperBound {
            var size = number(4, at: position)
            if size == 1 { size = number(8, at: position + 8) }
            if size == 0 { size = range.upperBound - position }
            guard size >= 8, position + size <= range.upperBound else { break }
            result.append(
                Box(
                    type: String(decoding: data[position + 4..<position + 8], as: UTF8.self),
                    range: position..<position + size))
            position += size
        }
        return result
    }

    private func number(_ count: Int, at position: Int) -> Int {
        data[position..<position + count].reduce(0) { $0 << 8 | Int($1) }
    }
}
