import Foundation
import Model
import TestSupport
import Testing

@Suite("A smart render")
struct SmartRenderTests {
    /// H.264 with eight bits, shown as it is stored.
    static let sources = [
        "bframes_closed.mp4", "open_gop.mp4", "vfr.mp4", "vfr.mkv", "ntsc.mp4", "pal25.mp4", "film24.mkv", "hfr60.mp4",
        "start_offset.ts", "start_10s.mp4", "late_video.mkv", "late_audio.mp4", "edit_list.mp4", "fullrange.mp4",
        "bt601.mp4", "fragmented.mp4", "moov_last.mp4", "no_audio.mp4",
    ]

    /// The ways of cutting that have most to do with groups of pictures; `SmartMatrixTests` has any.
    private static let cuts: [Cut] = [.insideGroups, .outOfOrder, .overlapping, .justAfterFrameTimes, .toTheEnd]

    @Test("keeps the frames that a full one keeps, when it keeps them, wherever it is cut", arguments: sources)
    func sameFrames(name: String) throws {
        let path = Fixture.media(name)
        let source = try ReferenceVideo(path)
        try withTemporaryFolder { folder in
            for cut in Self.cuts.few(3, turn: Self.sources.firstIndex(of: name) ?? 0) {
                try SelectionCheck.check(
                    cut.ranges(of: source), of: path, showing: source, in: folder, as: cut.rawValue,
                    besideFullEncode: true, "\(name), \(cut)")
            }
        }
    }
}
