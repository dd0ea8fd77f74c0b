import Foundation
import TestSupport
import Testing

@testable import Bitstream

/// Joins pieces the way a smart renderer does, and remembers which pictures they should show.
struct Joiner {
    private(set) var splice: H264.Splice
    /// Of the output, in decoding order.
    private(set) var packets: [[UInt8]] = []
    private(set) var expected: [String] = []
    /// How many packets went through as they were, and how many were written anew.
    private(set) var unchanged = 0
    private(set) var rewritten = 0
    /// Of those, how many whose slice data was moved by whole bytes.
    private(set) var movedByBytes = 0

    init(_ splice: H264.Splice) { self.splice = splice }

    mutating func seam(_ clip: CodedClip, before following: H264.AccessUnit?) throws {
        packets += try splice.write(seam: clip.packets.map(\.bytes), before: following)
        expected += clip.hashes
    }

    /// Copies packets by their numbers in decoding order. Pictures that are shown before the first are left out.
    mutating func copy(_ clip: CodedClip, _ range: Range<Int>) throws {
        splice.begin()
        let places = clip.places
        var shown: [Int] = []
        for index in range {
            let packet = clip.packets[index].bytes
            let unit = try accessUnit(packet, clip.configuration)
            if places[index] < places[range.lowerBound] {
                try splice.skip(unit)
                continue
            }
            shown.append(places[index])
            let payloads = packet.withUnsafeBytes { unit.payloads(in: $0).map { [UInt8](packet[$0]) } }
            switch try packet.withUnsafeBytes({ try splice.copy(unit, $0) }) {
            case .unchanged:
                packets.append(packet)
                unchanged += 1
            case .rewritten(let bytes, let ranges):
                if let ranges {
                    #expect(ranges.map { [UInt8](bytes[$0]) } == payloads)
                    // Whoever has only what was written finds the same.
                    let written = try accessUnit(bytes, splice.configuration)
                    #expect(bytes.withUnsafeBytes { written.payloads(in: $0).map { [UInt8](bytes[$0]) } } == payloads)
                    movedByBytes += 1
                }
                #expect(try data(of: bytes, splice.configuration) == data(of: packet, clip.configuration))
                packets.append(bytes)
                rewritten += 1
            }
        }
        expected += shown.sorted().map { clip.hashes[$0] }
    }

    private func data(of packet: [UInt8], _ configuration: H264.DecoderConfiguration) throws -> [[UInt8]] {
        try packet.withUnsafeBytes { bytes in
            let unit = try H264.AccessUnit(bytes, configuration)
            return unit.slices.map { slice in
                let set = configuration.pictureSet(slice.header.pictureSetID)
                return unit.data(of: slice, in: bytes, usesCABAC: set?.usesCABAC == true)
            }
        }
    }

    /// Decodes what was joined, and finds every picture as it was before, without a word of complaint.
    func check(_ folder: String, _ note: Comment? = nil) throws {
        let path = "\(folder)/joined-\(UUID().uuidString).h264"
        try Data(annexB(splice.configuration) + packets.flatMap { annexB($0) }).write(to: URL(fileURLWithPath: path))
        let (hashes, complaints) = try CodedClip.decode(path)
        #expect(complaints == "", note)
        #expect(hashes == expected, note)
        // Another reader of headers, which holds every element against its bounds.
        let read = try Command.run(
            "ffmpeg",
            ["-v", "warning", "-nostdin", "-i", path, "-c", "copy", "-bsf:v", "h264_metadata", "-f", "null", "-"])
        #expect(read.errors == "" && read.status == 0, note)
    }
}
