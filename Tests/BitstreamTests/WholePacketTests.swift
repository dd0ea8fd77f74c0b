import Foundation
import TestSupport
import Testing

@testable import Bitstream

/// VP9 and AV1, whose packets are read but never changed: the `ffmpeg` command's word on them is the reference.
@Suite("Reading packets of VP9 and AV1")
struct WholePacketTests {
    private static func encode(_ folder: String, _ name: String, _ options: [String]) throws -> String {
        let path = "\(folder)/\(name)"
        _ = try Command.output(
            "ffmpeg",
            ["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=144x80:r=25,noise=alls=8:all_seed=3:allf=t"]
                + ["-frames:v", "60"] + options + [path])
        return path
    }

    private static func vp9(_ folder: String, format: String = "yuv420p") throws -> String {
        let options = [
            "-c:v", "libvpx-vp9", "-pix_fmt", format, "-g", "20", "-b:v", "0", "-crf", "40", "-cpu-used", "8",
            "-auto-alt-ref", "6", "-lag-in-frames", "25", "-passlogfile", "\(folder)/passes",
            "-color_range", "pc", "-colorspace", "bt709",
        ]
        _ = try encode(folder, "first.webm", options + ["-pass", "1"])
        return try encode(folder, "clip.mp4", options + ["-pass", "2"])
    }

    private static func packets(_ path: String) throws -> [CodedClip.Packet] {
        try CodedClip.packets(path, bytes(ofFile: path))
    }

    @Test("tells keyframes, hidden pictures and formats of VP9", arguments: ["yuv420p", "yuv420p10le"])
    func vp9(format: String) throws {
        try withTemporaryFolder { folder in
            let packets = try Self.packets(Self.vp9(folder, format: format))
            let read = try packets.map { try $0.bytes.withUnsafeBytes { try VP9.Packet($0) } }
            #expect(read.count == 60)
            #expect(read.map { $0.keyframe != nil } == packets.map(\.isKeyframe))
            #expect(read.contains { $0.frames.count > 1 }, "the clip has superframes")
            #expect(read.contains { $0.frames.contains(where: \.showsExisting) }, "the clip shows hidden pictures")
            let key = try #require(read.first?.keyframe)
            #expect(key.size == .init(width: 144, height: 80) && key.renderSize == key.size)
            #expect(key.format.is420 && key.format.isFullRange && key.format.colorSpace == 2)
            #expect(key.format.bitDepth == (format == "yuv420p" ? 8 : 10))
            #expect(read.allSatisfy { $0.sizes.allSatisfy { $0 == key.size } })
        }
    }

    @Test(
        "tells keyframes and sequence headers of AV1",
        arguments: [
            ["-c:v", "libsvtav1", "-preset", "10", "-g", "20", "-svtav1-params", "lp=1"],
            ["-c:v", "libaom-av1", "-cpu-used", "8", "-g", "20", "-pix_fmt", "yuv420p10le"],
        ])
    func av1(options: [String]) throws {
        try withTemporaryFolder { folder in
            let path = try Self.encode(folder, "clip.mp4", options)
            let packets = try Self.packets(path)
            let record = try CodedClip.box("av1C", in: bytes(ofFile: path))
            let told = try AV1.sequenceHeader(in: record)
            let found = try packets[0].bytes.withUnsafeBytes { try AV1.sequenceHeader(of: $0) }
            let sequence = try #require(found)
            #expect(sequence.width == 144 && sequence.height == 80 && told.width == 144)
            #expect(sequence.bitDepth == (options.contains("yuv420p10le") ? 10 : 8))
            #expect(sequence.obstacle == nil && sequence.orderHintBits == 7)
            let again = try AV1.sequenceHeader(in: sequence.record(like: record))
            #expect(again == sequence)
            let units = try packets.map { try $0.bytes.withUnsafeBytes { try AV1.TemporalUnit($0, sequence) } }
            #expect(units.count == 60)
            #expect(units.map(\.isEntry) == packets.map(\.isKeyframe))
            #expect(!units.contains { $0.isEntry && !$0.hasSequenceHeader })
            #expect(units.contains { $0.frames.contains(where: \.showsExisting) }, "the clip shows hidden pictures")
        }
    }

    @Test("knows a header that is not the stream's")
    func otherHeader() throws {
        try withTemporaryFolder { folder in
            let options = ["-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime"]
            let path = try Self.encode(folder, "clip.mp4", options)
            let other = try Self.encode(folder, "other.mp4", options + ["-enable-cdef", "0"])
            let sequence = try AV1.sequenceHeader(in: CodedClip.box("av1C", in: bytes(ofFile: other)))
            #expect(!sequence.tools.cdef)
            let packet = try Self.packets(path)[0].bytes
            func obstacle() -> SpliceObstacle? {
                do throws(SpliceObstacle) {
                    _ = try packet.reading { (bytes) throws(SpliceObstacle) in try AV1.TemporalUnit(bytes, sequence) }
                    return nil
                } catch { return error }
            }
            #expect(obstacle() == .changingSets)
        }
    }

    @Test("survives damage of any kind")
    func damage() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        try withTemporaryFolder { folder in
            let vp9 = try Self.packets(Self.vp9(folder))
            let path = try Self.encode(folder, "clip1.mp4", ["-c:v", "libaom-av1", "-cpu-used", "8", "-g", "20"])
            let av1 = try Self.packets(path)
            let sequence = try AV1.sequenceHeader(in: CodedClip.box("av1C", in: bytes(ofFile: path)))
            var (refused, read) = (0, 0)
            for round in 0..<4000 {
                let packets = round.isMultiple(of: 2) ? vp9 : av1
                let original = packets[Int.random(in: 0..<packets.count, using: &random)].bytes
                let bytes = ObstacleTests.damaged(original, &random)
                do throws(SpliceObstacle) {
                    try bytes.reading { (bytes) throws(SpliceObstacle) in
                        if round.isMultiple(of: 2) {
                            _ = try VP9.Packet(bytes)
                        } else {
                            _ = try AV1.TemporalUnit(bytes, sequence)
                        }
                    }
                    read += 1
                } catch { refused += 1 }
            }
            #expect(refused > 50 && read > 50, "\(refused) refused, \(read) read, seed \(seed)")
        }
    }
}
