import TestSupport
import Testing

@testable import Bitstream

/// Real files of many makers, which not every machine has beside its checkout.
@Suite("H.264 of ../shared/media", .enabled(if: Fixture.sharedMedia != nil, "../shared/media is absent"))
struct SharedMediaTests {
    private static let folder = Fixture.sharedMedia ?? ""
    private static let files = ((try? contents(ofFolder: folder)) ?? []).filter { name in
        guard !name.hasSuffix(".md"), !name.contains("widevine"), !name.hasPrefix("long_1080p") else { return false }
        let codec = try? Command.output(
            "ffprobe",
            ["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
                + ["\(folder)/\(name)"])
        return codec.map { String(decoding: $0, as: UTF8.self).hasPrefix("h264") } == true
    }

    /// What cannot be spliced, or not with seams.
    private static let refused: [String: H264.Obstacle] = [
        "sample_android_slow_motion.mp4": .layers, "iibbibb_editlist_videoonly.mp4": .chromaFormat,
    ]

    @Test("are many")
    func many() { #expect(Self.files.count > 15) }

    private static func clip(_ name: String, _ folder: String) throws -> CodedClip {
        _ = try Command.output(
            "ffmpeg",
            ["-v", "error", "-i", "\(Self.folder)/\(name)", "-map", "0:v:0", "-c", "copy", "\(folder)/x.mp4"])
        return try CodedClip("\(folder)/x.mp4")
    }

    @Test("is read whole, and written as it was", arguments: files)
    func read(name: String) throws {
        try withTemporaryFolder { folder in
            let clip = try Self.clip(name, folder)
            if Self.refused[name] == .layers {
                #expect(throws: H264.Obstacle.layers) { try clip.units() }
                return
            }
            let units = try clip.units()
            #expect(!units.isEmpty && units.first?.canBeginPiece(isKeyframe: true) == true)
            for (packet, unit) in zip(clip.packets, units) {
                for slice in unit.slices {
                    let picture = try #require(clip.configuration.pictureSet(slice.header.pictureSetID))
                    let again = try packet.bytes.withUnsafeBytes { bytes in
                        try H264.rewritten(
                            UnsafeRawBufferPointer(rebasing: bytes[slice.range]), from: slice.header,
                            to: slice.header, clip.configuration.sequence, picture)
                    }
                    let old = packet.bytes.withUnsafeBytes { NALUnits.trimmed(slice.range, in: $0) }
                    #expect(again == [UInt8](packet.bytes[old]))
                }
            }
        }
    }

    @Test("takes seams before each of its pieces", arguments: files)
    func spliced(name: String) throws {
        try withTemporaryFolder { folder in
            let clip = try Self.clip(name, folder)
            if let obstacle = Self.refused[name] {
                #expect(throws: obstacle) {
                    let seam = try clip.seam(folder, frames: 1, seed: 1)
                    _ = try (seam, clip.units())
                }
                return
            }
            let (units, entries) = (try clip.units(), try clip.entries().prefix(4))
            let seam = try clip.seam(folder, frames: 4, seed: 4)
            let sets = try H264.SeamSets(
                source: clip.configuration, encoder: seam.configuration)
            var joiner = Joiner(H264.Splice(sets))
            for entry in entries {
                try joiner.seam(seam, before: units[entry])
                try joiner.copy(clip, entry..<min(units.count, entry + 12))
            }
            try joiner.check(folder, "\(name)")
        }
    }
}
