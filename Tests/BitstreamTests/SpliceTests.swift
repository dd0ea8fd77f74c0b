import Foundation
import TestSupport
import Testing

@testable import Bitstream

/// Every decode is by the `ffmpeg` command, which has to find each picture as it was before, and nothing to complain
/// of.
@Suite("A splice of copied packets and seams")
struct SpliceTests {
    private static func sets(_ clip: CodedClip, _ seam: CodedClip) throws -> H264.SeamSets {
        try H264.SeamSets(source: clip.configuration, encoder: seam.configuration)
    }

    @Test("shows every picture bit for bit, from each place where a piece can begin", arguments: Stream.all)
    func everyEntry(stream: Stream) throws {
        try withTemporaryFolder { folder in
            let clip = try stream.encode(folder)
            let (units, entries) = (try clip.units(), try clip.entries())
            let seams = try [1, 2, 5, 11].map { try clip.seam(folder, frames: $0, seed: $0) }
            let sets = try seams.map { try Self.sets(clip, $0) }
            // Rate and length do not change the set: one output can hold all seams.
            #expect(Set(sets.map(\.pictureSet)).count == 1)
            for (seam, set) in zip(seams, sets) {
                var joiner = Joiner(H264.Splice(set))
                for (number, entry) in entries.enumerated() {
                    let end = min(units.count, entry + 7 + 5 * number)
                    try joiner.seam(seam, before: units[entry])
                    try joiner.copy(clip, entry..<end)
                }
                try joiner.seam(seam, before: nil)
                try joiner.check(folder, "\(stream.name), seams of \(seam.packets.count)")
            }
            if stream.hasOpenGOPs { #expect(entries.contains { !units[$0].isIDR }) }
        }
    }

    @Test("joins open GOPs to seams of any length", arguments: [Stream.open, .deep])
    func seamLengths(stream: Stream) throws {
        try withTemporaryFolder { folder in
            let clip = try stream.encode(folder, frames: 150)
            let units = try clip.units()
            let entries = try clip.entries().filter { !units[$0].isIDR }
            #expect(entries.count >= 3)
            for frames in 1...12 {
                let seam = try clip.seam(folder, frames: frames, seed: frames)
                var joiner = Joiner(H264.Splice(try Self.sets(clip, seam)))
                for entry in entries {
                    try joiner.seam(seam, before: units[entry])
                    try joiner.copy(clip, entry..<min(units.count, entry + 26))
                }
                try joiner.check(folder, "seams of \(frames)")
                #expect(joiner.rewritten > 60 && joiner.movedByBytes == joiner.rewritten)
            }
        }
    }

    @Test("takes seams with other numbers, references and weights than the source's")
    func foreignSeams() throws {
        let parameters = [
            "bframes=2:ref=2:b-pyramid=none:weightb=0:weightp=2", "bframes=0:ref=1:weightp=0:slices=3",
            "bframes=3:ref=4:b-pyramid=normal:weightb=0:weightp=2:keyint=16", "cabac=0:bframes=1:ref=3:8x8dct=0",
            "bframes=3:ref=3:direct=temporal:weightb=1:b-pyramid=none",
        ]
        try withTemporaryFolder { folder in
            let clip = try CodedClip.x264(
                folder, "source",
                "keyint=24:scenecut=0:open-gop=1:bframes=3:b-pyramid=normal:ref=6:b-adapt=0:cabac=1")
            let (units, entries) = (try clip.units(), try clip.entries())
            for (number, text) in parameters.enumerated() {
                let seam = try CodedClip.x264(folder, "seam\(number)", "scenecut=0:" + text, frames: 40)
                var joiner = Joiner(H264.Splice(try Self.sets(clip, seam)))
                for entry in entries {
                    try joiner.seam(seam, before: units[entry])
                    try joiner.copy(clip, entry..<min(units.count, entry + 12))
                }
                try joiner.check(folder, "\(text)")
            }
        }
    }

    @Test("tells IDR pictures apart that were no neighbours", arguments: [Stream.closed, .cavlc, .intra])
    func neighbouringIDR(stream: Stream) throws {
        try withTemporaryFolder { folder in
            let clip = try stream.encode(folder, frames: 48)
            let first = try #require(try clip.entries().first)
            var joiner = Joiner(try H264.Splice(copying: clip.configuration))
            for _ in 0..<5 { try joiner.copy(clip, first..<first + 1) }
            try joiner.check(folder)
            #expect(joiner.rewritten == 2 && joiner.unchanged == 3)
        }
    }

    @Test("copies whole streams as they are", arguments: Stream.all)
    func wholeStream(stream: Stream) throws {
        try withTemporaryFolder { folder in
            let clip = try stream.encode(folder)
            var joiner = Joiner(try H264.Splice(copying: clip.configuration))
            try joiner.copy(clip, 0..<clip.packets.count)
            #expect(joiner.unchanged == clip.packets.count)
            #expect(joiner.splice.configuration.record == clip.record)
            try joiner.check(folder)
        }
    }

    @Test(
        "frames what came with start codes, or with shorter lengths, anew",
        arguments: [NALUnits.Framing.annexB, .lengthPrefixed(2)])
    func framing(framing: NALUnits.Framing) throws {
        try withTemporaryFolder { folder in
            let clip = try Stream.closed.encode(folder, frames: 30)
            let configuration = H264.DecoderConfiguration(
                framing: framing, sequence: clip.configuration.sequence, pictureSets: clip.configuration.pictureSets)
            var splice = try H264.Splice(copying: configuration)
            for packet in clip.packets {
                let units = packet.bytes.withUnsafeBytes { bytes in
                    (NALUnits.ranges(in: bytes, .lengthPrefixed(4)) ?? []).map { [UInt8](bytes[$0]) }
                }
                // Delimiters, sets and filler, as broadcasters send them.
                var extended: [[UInt8]] = [[0x09, 0xF0], configuration.sequence.unit]
                extended += configuration.pictureSets.map(\.unit) + units + [[0x0C, 0xFF, 0x80]]
                let bytes = extended.flatMap { unit -> [UInt8] in
                    framing == .annexB ? [0, 0, 1] + unit : [UInt8(unit.count >> 8), UInt8(unit.count & 255)] + unit
                }
                let unit = try accessUnit(bytes, configuration)
                #expect(unit.hasParameterSets)
                let result = try bytes.withUnsafeBytes { try splice.copy(unit, $0) }
                guard case .rewritten(let copied, _) = result else {
                    Issue.record("a packet went through as it was")
                    continue
                }
                #expect(copied == packet.bytes)
            }
        }
    }

    @Test("leaves out what no other picture refers to")
    func skipped() throws {
        try withTemporaryFolder { folder in
            let clip = try Stream.closed.encode(folder)
            let units = try clip.units()
            var splice = try H264.Splice(copying: clip.configuration)
            var (packets, kept): ([UInt8], [Int]) = ([], [])
            for (index, unit) in units.enumerated() {
                guard unit.isReference else {
                    try splice.skip(unit)
                    continue
                }
                kept.append(index)
                let copied = try clip.packets[index].bytes.withUnsafeBytes { try splice.copy(unit, $0) }
                #expect(copied == .unchanged)
                packets += annexB(clip.packets[index].bytes)
            }
            #expect(kept.count < units.count)
            try Data(annexB(clip.configuration) + packets).write(to: URL(fileURLWithPath: "\(folder)/kept.h264"))
            let places = clip.places
            let decoded = try CodedClip.decode("\(folder)/kept.h264")
            #expect(decoded.complaints == "")
            #expect(decoded.hashes == kept.map { places[$0] }.sorted().map { clip.hashes[$0] })
        }
    }
}
