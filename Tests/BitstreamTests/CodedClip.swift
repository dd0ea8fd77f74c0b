import Foundation
import TestSupport

@testable import Bitstream

/// An H.264 stream in an MP4 file that the `ffmpeg` command wrote: its packets as they lie in the file, and what the
/// command decodes of it.
struct CodedClip {
    struct Packet {
        var bytes: [UInt8]
        var time: Int
        var isKeyframe: Bool
    }

    /// In decoding order.
    let packets: [Packet]
    let configuration: H264.DecoderConfiguration
    /// The container's record of the parameter sets.
    let record: [UInt8]
    /// MD5 of the pictures in the order of showing.
    let hashes: [String]

    init(_ path: String) throws {
        let file = try bytes(ofFile: path)
        record = try Self.box("avcC", in: file)
        configuration = try H264.DecoderConfiguration(extradata: record)
        packets = try Self.packets(path, file)
        hashes = try Self.decode(path).hashes
        guard hashes.count == packets.count else {
            throw CommandFailure(description: "\(hashes.count) pictures of \(packets.count) packets")
        }
    }

    /// The access units, as the configuration reads them.
    func units() throws -> [H264.AccessUnit] { try packets.map { try accessUnit($0.bytes, configuration) } }

    /// Where in the order of showing each packet's picture is.
    var places: [Int] {
        let order = packets.indices.sorted { packets[$0].time < packets[$1].time }
        var places = [Int](repeating: 0, count: packets.count)
        for (place, index) in order.enumerated() { places[index] = place }
        return places
    }

    /// A moving picture with noise in it, so that every coding tool is used.
    static func encode(
        to path: String, frames: Int = 60, size: String = "100x76", seed: Int = 1, format: String = "yuv420p",
        _ options: [String]
    ) throws {
        let source = "testsrc2=s=\(size):r=25,noise=alls=12:all_seed=\(seed):allf=t,fade=t=in:s=0:n=20,format=\(format)"
        _ = try Command.output(
            "ffmpeg",
            ["-v", "error", "-y", "-f", "lavfi", "-i", source, "-frames:v", "\(frames)", "-threads", "1"]
                + ["-c:v", "libx264", "-preset", "veryfast", "-crf", "32"] + options + [path])
    }

    /// Encodes a clip with x264's own options.
    static func x264(
        _ folder: String, _ name: String, _ parameters: String, frames: Int = 60, size: String = "100x76",
        format: String = "yuv420p", profile: String = "high"
    ) throws -> CodedClip {
        let path = "\(folder)/\(name).mp4"
        try encode(
            to: path, frames: frames, size: size, format: format, ["-profile:v", profile, "-x264-params", parameters])
        return try CodedClip(path)
    }

    /// The pictures that a command decodes, and what it says meanwhile: any word of complaint.
    static func decode(_ path: String) throws -> (hashes: [String], complaints: String) {
        let result = try Command.run(
            "ffmpeg",
            ["-v", "repeat+warning", "-nostdin", "-threads", "1", "-err_detect", "explode", "-noautorotate"]
                + wholeMovie(path)
                + ["-i", path, "-map", "0:v:0"]
                + ["-fps_mode", "passthrough", "-f", "framemd5", "-"])
        guard result.status == 0 else { throw CommandFailure(description: result.errors) }
        let hashes = result.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .compactMap { $0.split(separator: ",").last.map { $0.filter { $0 != " " } } }
        return (hashes, result.errors)
    }

    /// Every picture counts, whatever an edit list shows of them.
    private static func wholeMovie(_ path: String) -> [String] {
        path.hasSuffix(".mp4") ? ["-ignore_editlist", "1"] : []
    }

    static func packets(_ path: String, _ file: Data) throws -> [Packet] {
        let text = String(
            decoding: try Command.output(
                "ffprobe",
                ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts,pos,size,flags"]
                    + wholeMovie(path)
                    + ["-of", "compact=p=0:nk=0", path]), as: UTF8.self)
        return try text.split(separator: "\n").filter { $0.contains("pts=") }.map { line in
            var fields: [Substring: Substring] = [:]
            for field in line.split(separator: "|") {
                let parts = field.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { fields[parts[0]] = parts[1] }
            }
            guard let position = fields["pos"].flatMap({ Int($0) }), let size = fields["size"].flatMap({ Int($0) }),
                let time = fields["pts"].flatMap({ Int($0) }), position + size <= file.count
            else { throw CommandFailure(description: "no packet in \(line)") }
            return Packet(
                bytes: [UInt8](file[position..<position + size]), time: time,
                isKeyframe: fields["flags"]?.contains("K") == true)
        }
    }

    static func box(_ name: String, in file: Data) throws -> [UInt8] {
        guard let range = file.range(of: Data(name.utf8)), range.lowerBound >= 4 else {
            throw CommandFailure(description: "no \(name) box")
        }
        let size = file[range.lowerBound - 4..<range.lowerBound].reduce(0) { $0 << 8 | Int($1) }
        return [UInt8](file[range.upperBound..<range.lowerBound - 4 + size])
    }
}

func accessUnit(_ packet: [UInt8], _ configuration: H264.DecoderConfiguration) throws -> H264.AccessUnit {
    try packet.withUnsafeBytes { try H264.AccessUnit($0, configuration) }
}

/// Units whose lengths precede them, after start codes.
func annexB(_ packet: [UInt8]) -> [UInt8] {
    packet.withUnsafeBytes { bytes in
        (NALUnits.ranges(in: bytes, .lengthPrefixed(4)) ?? []).flatMap { [0, 0, 0, 1] + bytes[$0] }
    }
}

func annexB(_ configuration: H264.DecoderConfiguration) -> [UInt8] {
    ([configuration.sequence.unit] + configuration.pictureSets.map(\.unit)).flatMap { [0, 0, 0, 1] + $0 }
}
