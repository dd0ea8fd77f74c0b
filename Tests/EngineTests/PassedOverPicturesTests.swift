import LocalFiles
import Media
import Model
import TestSupport
import Testing

@testable import Engine

@Suite("Pictures that nobody looks at")
struct PassedOverPicturesTests {
    private struct Reading {
        /// How many pictures of those before the time were given out.
        var before = 0
        var from: [VideoFrame] = []
    }

    private static func read(_ name: String, from start: Rational, passingOver: Bool) throws -> Reading {
        let path = Fixture.media(name)
        let reader = try SourceReader(
            { try LocalFile(path: path) }, settings: SourceReader.Settings(videoStream: 0), cancellation: Cancellation()
        )
        let lane = try #require(reader.video)
        _ = try reader.position(atOrBefore: .zero)
        if passingOver { reader.passOver(before: start) }
        let tick = start.ticksRoundedUp(in: lane.timeBase)
        var reading = Reading()
        while let picture = try reader.peekVideo() {
            reader.takeVideo()
            if picture.time < tick { reading.before += 1 } else { reading.from.append(picture) }
        }
        return reading
    }

    @Test(
        "are decoded only where others refer to them, and all behind them are as ever",
        arguments: ["bframes_closed.mp4", "open_gop.mp4", "vfr.mkv", "start_offset.ts"], [11, 15, 21])
    func unreferenced(name: String, tenths: Int64) throws {
        let start = Rational(tenths, 10)
        let all = try Self.read(name, from: start, passingOver: false)
        let some = try Self.read(name, from: start, passingOver: true)
        #expect(some.before < all.before && some.before > 0, "\(some.before) of \(all.before)")
        #expect(!all.from.isEmpty && some.from.map(\.time) == all.from.map(\.time))
        for (one, other) in zip(some.from, all.from) {
            #expect(try LumaPlane(copying: one.frame).psnr(of: other.frame) == .infinity, "at \(one.time)")
        }
    }

    /// Temporal layers refer to pictures that their own layer does not.
    @Test("are decoded all the same in HEVC")
    func layers() throws {
        let start = Rational(3, 2)
        let all = try Self.read("open_gop_hevc.mp4", from: start, passingOver: false)
        #expect(all.before > 0)
        #expect(try Self.read("open_gop_hevc.mp4", from: start, passingOver: true).before == all.before)
    }
}
