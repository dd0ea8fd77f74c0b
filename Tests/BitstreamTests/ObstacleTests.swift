import Foundation
import TestSupport
import Testing

@testable import Bitstream

@Suite("What cannot be spliced")
struct ObstacleTests {
    @Test("has a reason that fits into a sentence", arguments: H264.Obstacle.allCases)
    func reasons(obstacle: H264.Obstacle) {
        #expect(obstacle.reason.first?.isLowercase == true)
        #expect(!obstacle.reason.hasSuffix("."))
    }

    @Test(
        "is told from the stream's sets",
        arguments: [
            ("interlaced=1", "high", "yuv420p", H264.Obstacle.interlaced),
            ("bframes=1", "high422", "yuv422p", .chromaFormat), ("bframes=1", "high444", "yuv444p", .chromaFormat),
        ])
    func streams(parameters: String, profile: String, format: String, obstacle: H264.Obstacle) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/x.mp4"
            try CodedClip.encode(
                to: path, frames: 4, format: format, ["-profile:v", profile, "-x264-params", parameters])
            let configuration = try CodedClip(path).configuration
            #expect(configuration.seamObstacle == obstacle)
            #expect(throws: obstacle) { try H264.SeamProfile(configuration) }
        }
    }

    @Test("is an encoder's stream of another form")
    func encoders() throws {
        try withTemporaryFolder { folder in
            let clip = try Stream.withoutB.encode(folder, frames: 4)
            let main = try CodedClip.x264(folder, "main", "bframes=0:ref=1", frames: 4, profile: "main")
            let larger = try CodedClip.x264(folder, "larger", "bframes=0:ref=1", frames: 4, size: "120x76")
            let references = try CodedClip.x264(folder, "references", "bframes=0:ref=5", frames: 4)
            let reordered = try CodedClip.x264(folder, "reordered", "bframes=1:b-adapt=0:ref=2", frames: 9)
            func failure(_ source: CodedClip, _ encoder: CodedClip) -> H264.Obstacle? {
                do throws(H264.Obstacle) {
                    let sets = try H264.SeamSets(
                        source: source.configuration, encoder: encoder.configuration)
                    var splice = H264.Splice(sets)
                    _ = try splice.write(seam: encoder.packets.map(\.bytes), before: nil)
                    return nil
                } catch { return error }
            }
            #expect(failure(clip, main) == nil)
            #expect(failure(main, clip) == .encoderFormat)
            #expect(failure(clip, larger) == .encoderFormat)
            #expect(failure(clip, references) == .encoderReferences)
            #expect(failure(clip, reordered) == .encoderOrder)
        }
    }

    @Test("is a piece that begins where decoding cannot, or lacks a picture")
    func pieces() throws {
        try withTemporaryFolder { folder in
            let clip = try Stream.open.encode(folder)
            let seam = try clip.seam(folder, frames: 3, seed: 1)
            let sets = try H264.SeamSets(
                source: clip.configuration, encoder: seam.configuration)
            let units = try clip.units()
            let entry = try #require(try clip.entries().first { !units[$0].isIDR })
            func failure(_ indices: [Int], seamBefore: Int? = nil) -> H264.Obstacle? {
                var splice = H264.Splice(sets)
                do throws(H264.Obstacle) {
                    if let seamBefore {
                        _ = try splice.write(seam: seam.packets.map(\.bytes), before: units[seamBefore])
                    }
                    for index in indices {
                        _ = try clip.packets[index].bytes.reading { (bytes) throws(H264.Obstacle) in
                            try splice.copy(units[index], bytes)
                        }
                    }
                    return nil
                } catch { return error }
            }
            let references = units.indices.filter { units[$0].isReference }
            #expect(failure([entry]) == .entry)
            #expect(failure([entry], seamBefore: entry) == nil)
            #expect(failure([references[1]]) == .entry)
            #expect(failure([references[1]], seamBefore: 0) == .entry)
            #expect(failure([0, references[2]]) == .frameNumbers)
            // The pictures between the two are shown before the entry, by the seam.
            #expect(failure([entry, entry + 1], seamBefore: entry) == .leadingPicture)
        }
    }

    @Test("is a packet with sets of its own")
    func changedSets() throws {
        try withTemporaryFolder { folder in
            let clip = try Stream.closed.encode(folder, frames: 2)
            let other = try Stream.withoutB.encode(folder, frames: 2)
            var packet: [UInt8] = []
            NALUnits.append(lengthPrefixed: other.configuration.sequence.unit, to: &packet)
            let changed = packet + clip.packets[0].bytes
            #expect(throws: H264.Obstacle.changingSets) { try accessUnit(changed, clip.configuration) }
            let doubled = clip.packets[0].bytes + clip.packets[0].bytes
            #expect(throws: H264.Obstacle.severalPictures) { try accessUnit(doubled, clip.configuration) }
        }
    }

    @Test("is damage of any kind, which never does more than that", arguments: [Stream.closed, .openCAVLC])
    func damage(stream: Stream) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        try withTemporaryFolder { folder in
            let clip = try stream.encode(folder, frames: 24)
            var (refused, read) = (0, 0)
            for _ in 0..<4000 {
                let index = Int.random(in: 0..<clip.packets.count, using: &random)
                let bytes = Self.damaged(clip.packets[index].bytes, &random)
                do throws(H264.Obstacle) {
                    var splice = try H264.Splice(copying: clip.configuration)
                    try bytes.reading { (raw) throws(H264.Obstacle) in
                        let unit = try H264.AccessUnit(raw, clip.configuration)
                        #expect(unit.payloads(in: raw).allSatisfy { $0.upperBound <= raw.count }, "seed \(seed)")
                        _ = try splice.copy(unit, raw)
                        _ = try splice.copy(unit, raw)
                    }
                    read += 1
                } catch { refused += 1 }
            }
            #expect(refused > 100 && read > 10, "seed \(seed)")
        }
    }

    @Test("is a damaged record of sets")
    func damagedSets() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        try withTemporaryFolder { folder in
            let record = try Stream.closed.encode(folder, frames: 2).record
            var refused = 0
            for _ in 0..<4000 {
                let bytes = Self.damaged(record, &random)
                do throws(H264.Obstacle) {
                    let configuration = try H264.DecoderConfiguration(extradata: bytes)
                    // What was read can be written, and read again.
                    let again = try H264.DecoderConfiguration(extradata: configuration.record)
                    #expect(again.sequence == configuration.sequence, "seed \(seed)")
                } catch { refused += 1 }
            }
            #expect(refused > 100 && refused < 4000, "seed \(seed)")
        }
    }

    static func damaged(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard !bytes.isEmpty else { return bytes }
            let place = min(bytes.count - 1, Int.random(in: 0..<40, using: &random))
            switch Int.random(in: 0...4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 2: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            case 3: bytes.remove(at: place)
            default: bytes.insert(0, at: place)
            }
        }
        return bytes
    }
}
