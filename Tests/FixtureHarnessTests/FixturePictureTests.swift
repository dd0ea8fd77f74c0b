import FixtureHarness
import Foundation
import TestSupport
import Testing

/// Pictures that are not bit for bit the expected ones.
@Suite("A fixture's pictures")
struct FixturePictureTests {
    /// Spoils the accepted render from picture 12 on, and forgets its hash.
    private static func spoil(_ fixture: SampleFixture, filters: String) throws {
        let (reference, spoilt) = ("\(fixture.folder)/expected.mp4", "\(fixture.folder)/spoilt.mp4")
        _ = try Command.output(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-i", reference, "-vf", filters, "-fps_mode", "passthrough", "-c:v",
                "libx264", "-preset", "ultrafast", "-qp", "0", "-c:a", "copy", spoilt,
            ])
        try FileManager.default.removeItem(atPath: reference)
        try FileManager.default.moveItem(atPath: spoilt, toPath: reference)
        try fixture.expect("video.sha256", "another")
    }

    private static let box = "drawbox=x=100:y=60:w=80:h=60:color=red:t=fill:enable='gte(n,12)'"

    @Test("that differ are named, and the first is saved beside the expected one and their difference")
    func savesPicture() throws {
        try SampleFixture.with { fixture in
            try Self.spoil(fixture, filters: Self.box)
            let result = try fixture.run()
            #expect(result.outcome == .failed)
            try #require(result.differences.count == 1)
            let difference = result.differences[0]
            #expect(difference.what == "picture 12")
            #expect(difference.expected.contains("PSNR ≥ 38") && difference.actual.contains("PSNR"))
            let picture = try #require(difference.picture)
            #expect(picture == "\(fixture.differences)/sample-frame12.png")
            #expect(try contents(ofFolder: fixture.differences) == ["sample-frame12.png"])

            let drawn = try RawVideo(picture, filters: "format=rgb24,scale=out_color_matrix=bt709:out_range=tv")
            #expect(drawn.width == 960 && drawn.height == 180)
            // Expected: with the box. Actual: without. Difference: dark but for the box.
            func mean(_ panel: Int, _ x: Range<Int>) -> Double {
                drawn.meanLuma(0, x: panel * 320 + x.lowerBound..<panel * 320 + x.upperBound, y: 65..<115)
            }
            #expect(abs(mean(0, 105..<175) - mean(1, 105..<175)) > 5)
            #expect(abs(mean(0, 200..<300) - mean(1, 200..<300)) < 2)
            #expect(mean(2, 105..<175) > 60)
            #expect(mean(2, 200..<300) < 30)
            #expect(drawn.frameNumber(0) == 12 && drawn.frameNumber(0, left: 320) == 12)
        }
    }

    @Test("that are alike pass with floors, and are refused without")
    func floors() throws {
        try SampleFixture.with { fixture in
            try Self.spoil(fixture, filters: "eq=brightness=0.005")
            #expect(try fixture.run().outcome == .passed)
            try fixture.expect("video.psnr_min", nil)
            #expect(try fixture.run().outcome == .passed, "one floor is enough")
            try fixture.expect("video.ssim_min", nil)
            let result = try fixture.run()
            #expect(result.outcome == .failed)
            #expect(result.differences.first?.what == "pictures (sha256)")
            #expect(result.differences.first?.picture?.hasSuffix("-frame0.png") == true)
        }
    }

    @Test("must reach each floor", arguments: [("video.psnr_min", 90.0), ("video.ssim_min", 0.99999)])
    func eachFloor(place: String, floor: Double) throws {
        try SampleFixture.with { fixture in
            try Self.spoil(fixture, filters: "noise=alls=6:allf=t:all_seed=1")
            try fixture.expect("video.psnr_min", 25.0)
            try fixture.expect("video.ssim_min", 0.5)
            #expect(try fixture.run().differences == [])
            try fixture.expect(place, floor)
            #expect(try fixture.run().differences.first?.what == "picture 0")
        }
    }

    @Test("that are equal pass by their reference alone")
    func referenceOnly() throws {
        try SampleFixture.with { fixture in
            for place in ["sha256", "psnr_min", "ssim_min"] { try fixture.expect("video.\(place)", nil) }
            #expect(try fixture.run().differences == [])
            try Self.spoil(fixture, filters: Self.box)
            try fixture.expect("video.sha256", nil)
            #expect(try fixture.run().outcome == .failed)
        }
    }

    @Test("that are too few or too many for their reference do not pass", arguments: ["lt(n,25)", "lt(n,29)"])
    func missing(choice: String) throws {
        try SampleFixture.with { fixture in
            try Self.spoil(fixture, filters: "select='\(choice)'")
            for place in ["frames", "frame_times_ms", "duration_ms"] { try fixture.expect(place, nil) }
            #expect(try fixture.run().outcome == .failed)
        }
    }

    @Test("of another size than the reference fail and are still shown")
    func otherSize() throws {
        try SampleFixture.with { fixture in
            try Self.spoil(fixture, filters: "scale=160:90")
            let result = try fixture.run()
            #expect(result.outcome == .failed)
            let picture = try #require(result.differences.compactMap(\.picture).first)
            #expect(try ProbedFile(picture).video?.codecName == "png")
        }
    }
}
