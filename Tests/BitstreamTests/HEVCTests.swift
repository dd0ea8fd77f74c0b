import Foundation
import TestSupport
import Testing

@testable import Bitstream

/// As in the tests of H.264: the `ffmpeg` command must find every picture as it was before.
@Suite("A splice of HEVC")
struct HEVCTests {
    private struct Clip {
        let packets: [CodedClip.Packet]
        let configuration: HEVC.DecoderConfiguration
        let record: [UInt8]
        let hashes: [String]

        init(_ path: String) throws {
            let file = try bytes(ofFile: path)
            packets = try CodedClip.packets(path, file)
            record = try CodedClip.box("hvcC", in: file)
            configuration = try HEVC.DecoderConfiguration(extradata: record)
            hashes = try CodedClip.decode(path).hashes
        }

        /// Where in the order of showing a packet's picture is.
        func place(_ index: Int) -> Int { packets.count { $0.time < packets[index].time } }

        func unit(_ index: Int) throws -> HEVC.AccessUnit {
            try packets[index].bytes.withUnsafeBytes { try HEVC.AccessUnit($0, configuration) }
        }
    }

    private static func encode(
        _ folder: String, _ name: String, frames: Int, seed: Int, format: String = "yuv420p", _ options: [String]
    ) throws -> Clip {
        let path = "\(folder)/\(name).mp4"
        let source = "testsrc2=s=136x104:r=25,noise=alls=12:all_seed=\(seed):allf=t,format=\(format)"
        _ = try Command.output(
            "ffmpeg",
            ["-v", "error", "-y", "-f", "lavfi", "-i", source, "-frames:v", "\(frames)", "-c:v", "libx265"]
                + ["-preset", "ultrafast", "-crf", "32", "-tag:v", "hvc1"] + options + [path])
        return try Clip(path)
    }

    private static func source(_ folder: String, _ parameters: String, format: String = "yuv420p") throws -> Clip {
        try encode(
            folder, "source", frames: 80, seed: 1, format: format,
            ["-x265-params", "log-level=none:pools=1:frame-threads=1:keyint=20:scenecut=0:" + parameters])
    }

    private static func seam(_ folder: String, for clip: Clip, frames: Int) throws -> Clip {
        let profile = try HEVC.SeamProfile(clip.configuration)
        #expect(profile.width == 136 && profile.height == 104)
        var options = profile.options
        options["x265-params"]? += ":pools=1:frame-threads=1"
        return try encode(
            folder, "seam\(frames)", frames: frames, seed: 7, format: profile.pixelFormat,
            options.sorted { $0.key < $1.key }.flatMap { ["-\($0.key)", $0.value] })
    }

    @Test(
        "shows every picture bit for bit, from each place where a piece can begin",
        arguments: [
            ("open-gop=1:bframes=4:b-pyramid=1", "yuv420p"), ("open-gop=0:bframes=3:slices=2", "yuv420p"),
            ("open-gop=1:bframes=4:radl=2", "yuv420p10le"), ("bframes=0:ref=2", "yuv420p"),
        ])
    func everyEntry(parameters: String, format: String) throws {
        try withTemporaryFolder { folder in
            let clip = try Self.source(folder, parameters, format: format)
            for frames in [1, 2, 7] {
                let seam = try Self.seam(folder, for: clip, frames: frames)
                let sets = try HEVC.SeamSets(source: clip.configuration, encoder: seam.configuration)
                var splice = HEVC.Splice(sets)
                var (packets, expected): ([[UInt8]], [String]) = ([], [])
                for entry in try clip.packets.indices.filter({ try clip.unit($0).canBeginPiece }) {
                    packets += try splice.write(seam: seam.packets.map(\.bytes))
                    expected += seam.hashes
                    var shown: [Int] = []
                    for index in entry..<min(clip.packets.count, entry + 13) {
                        let unit = try clip.unit(index)
                        guard clip.place(index) >= clip.place(entry) else {
                            #expect(unit.isLeading)
                            try splice.skip(unit)
                            continue
                        }
                        packets.append(try Self.copy(unit, clip.packets[index].bytes, &splice))
                        shown.append(clip.place(index))
                    }
                    expected += shown.sorted().map { clip.hashes[$0] }
                }
                try Self.check(folder, splice.configuration, packets, expected)
            }
        }
    }

    private static func copy(
        _ unit: HEVC.AccessUnit, _ packet: [UInt8], _ splice: inout HEVC.Splice
    ) throws -> [UInt8] {
        switch try packet.withUnsafeBytes({ try splice.copy(unit, $0) }) {
        case .unchanged: return packet
        case .rewritten(let bytes, let payloads):
            #expect(payloads?.map { [UInt8](bytes[$0]) } == unit.payloads().map { [UInt8](packet[$0]) })
            return bytes
        }
    }

    private static func check(
        _ folder: String, _ configuration: HEVC.DecoderConfiguration, _ packets: [[UInt8]], _ expected: [String]
    ) throws {
        // The record is what a container keeps: it is read back.
        let read = try HEVC.DecoderConfiguration(extradata: Self.single(configuration))
        #expect(read.sequence == configuration.sequence)
        let sets =
            configuration.videoSets + configuration.sequenceSets.map(\.unit) + configuration.pictureSets.map(\.unit)
        let path = "\(folder)/joined.hevc"
        try Data(sets.flatMap { [0, 0, 0, 1] + $0 } + packets.flatMap { annexB($0) }).write(
            to: URL(fileURLWithPath: path))
        let (hashes, complaints) = try CodedClip.decode(path)
        // Without a container nobody says beforehand how far pictures are out of order, which seams are not at all.
        let known = ["video_delay is larger in decoder than demuxer", "If you want to help, upload a sample"]
        let others = complaints.split(separator: "\n").filter { line in !known.contains { line.contains($0) } }
        #expect(others.isEmpty, "\(complaints)")
        #expect(hashes == expected)
    }

    /// The record of the source's sets alone.
    private static func single(_ configuration: HEVC.DecoderConfiguration) -> [UInt8] {
        HEVC.DecoderConfiguration(
            framing: configuration.framing, videoSets: configuration.videoSets,
            sequenceSets: [configuration.sequence], pictureSets: [configuration.pictureSets[0]], messages: []
        ).record
    }

    @Test("tells size, depth and order from the sets, and writes the record that it read")
    func sets() throws {
        try withTemporaryFolder { folder in
            let clip = try Self.source(folder, "bframes=4:b-pyramid=1", format: "yuv420p10le")
            let set = clip.configuration.sequence
            #expect(set.croppedWidth == 136 && set.croppedHeight == 104 && set.bitDepthLuma == 10)
            #expect(set.profile == 2 && set.maxReorderedPictures == 2 && set.chromaFormat == 1)
            let again = try HEVC.DecoderConfiguration(record: clip.configuration.record)
            #expect(again == clip.configuration)
            let moved = try set.renumbered(id: 5, video: 3)
            #expect(moved.id == 5 && moved.videoID == 3 && moved.codedWidth == set.codedWidth)
            let back = try moved.renumbered(id: set.id, video: set.videoID)
            #expect(back == set)
        }
    }

    @Test("refuses a piece that begins elsewhere, or with pictures that cannot be decoded")
    func refused() throws {
        try withTemporaryFolder { folder in
            let clip = try Self.source(folder, "open-gop=1:bframes=4")
            let units = try clip.packets.indices.map { try clip.unit($0) }
            let entry = try #require(units.firstIndex { $0.type == .cra })
            let leading = try #require(units.firstIndex { $0.type.isSkippedLeading })
            func failure(_ indices: [Int]) -> HEVC.Obstacle? {
                do throws(HEVC.Obstacle) {
                    var splice = try HEVC.Splice(copying: clip.configuration)
                    for index in indices {
                        _ = try clip.packets[index].bytes.reading { (bytes) throws(HEVC.Obstacle) in
                            try splice.copy(units[index], bytes)
                        }
                    }
                    return nil
                } catch { return error }
            }
            #expect(failure([entry]) == nil)
            #expect(failure([1]) == .entry)
            #expect(failure([entry, leading]) == .leadingPicture)
            #expect(failure([0, 1]) == nil)
        }
    }

    @Test("survives damage of any kind")
    func damage() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        try withTemporaryFolder { folder in
            let clip = try Self.source(folder, "bframes=2")
            var (refused, read) = (0, 0)
            for round in 0..<4000 {
                let index = Int.random(in: 0..<clip.packets.count, using: &random)
                let original = round.isMultiple(of: 2) ? clip.record : clip.packets[index].bytes
                let bytes = ObstacleTests.damaged(original, &random)
                do throws(HEVC.Obstacle) {
                    if round.isMultiple(of: 2) {
                        let configuration = try HEVC.DecoderConfiguration(extradata: bytes)
                        let again = try HEVC.DecoderConfiguration(extradata: configuration.record)
                        #expect(again.sequence == configuration.sequence, "seed \(seed)")
                    } else {
                        var splice = try HEVC.Splice(copying: clip.configuration)
                        try bytes.reading { (raw) throws(HEVC.Obstacle) in
                            let unit = try HEVC.AccessUnit(raw, clip.configuration)
                            _ = try splice.copy(unit, raw)
                        }
                    }
                    read += 1
                } catch { refused += 1 }
            }
            #expect(refused > 100 && read > 10, "seed \(seed)")
        }
    }
}
