import FixtureHarness
import Foundation
import Model
import TestSupport
import Testing

@Suite("Updating a fixture")
struct FixtureUpdateTests {
    @Test("writes everything that is checked, and the render to compare with")
    func writes() throws {
        try SampleFixture.with(accepted: false) { fixture in
            #expect(try fixture.run(update: true).outcome == .updated)
            #expect(
                try contents(ofFolder: fixture.folder) == ["clip.mp4", "edit.json", "expected.json", "expected.mp4"])
            let expected = try fixture.expected()
            #expect(expected["frames"] as? Int == 30)
            #expect((expected["frame_times_ms"] as? [Double])?.count == 30)
            let video = try #require(expected["video"] as? [String: Any])
            #expect(video["width"] as? Int == 320 && video["height"] as? Int == 180)
            #expect((video["sha256"] as? String)?.count == 64)
            #expect(video["reference"] as? String == "expected.mp4")
            let audio = try #require(expected["audio"] as? [String: Any])
            #expect(audio["channels"] as? Int == 2 && audio["sample_rate"] as? Int == 44100)
            let size = try bytes(ofFile: "\(fixture.folder)/expected.mp4").count
            #expect(expected["size_bytes"] as? Int == size)
            #expect(try ReferenceVideo("\(fixture.folder)/expected.mp4").times.count == 30)
        }
    }

    @Test("measures what the ffmpeg command measures")
    func independent() throws {
        try SampleFixture.with { fixture in
            let expected = try fixture.expected()
            let reference = try ReferenceVideo("\(fixture.folder)/expected.mp4")
            let times = try #require(expected["frame_times_ms"] as? [Double])
            #expect(zip(times, reference.times).allSatisfy { abs($0 - $1.seconds * 1000) < 0.001 })
            let audio = try #require(expected["audio"] as? [String: Any])
            let loudness = try #require(try ReferenceLoudness("\(fixture.folder)/expected.mp4").integrated)
            #expect(abs((audio["loudness_lufs"] as? Double ?? 0) - loudness) <= 0.2)
        }
    }

    @Test("keeps floors and tolerances that somebody chose")
    func keepsFloors() throws {
        try SampleFixture.with { fixture in
            let chosen: [(String, any Sendable)] = [
                ("video.psnr_min", 31.5), ("video.ssim_min", 0.91), ("size_tolerance_percent", 25.0),
                ("audio.loudness_tolerance_lu", 1.5),
            ]
            for (place, value) in chosen { try fixture.expect(place, value) }
            try fixture.expect("frames", 99)
            #expect(try fixture.run().outcome == .failed)
            #expect(try fixture.run(update: true).outcome == .updated)
            let expected = try fixture.expected()
            let (video, audio) = (expected["video"] as? [String: Any], expected["audio"] as? [String: Any])
            #expect(expected["frames"] as? Int == 30)
            #expect(video?["psnr_min"] as? Double == 31.5 && video?["ssim_min"] as? Double == 0.91)
            #expect(expected["size_tolerance_percent"] as? Double == 25)
            #expect(audio?["loudness_tolerance_lu"] as? Double == 1.5)
            #expect(try fixture.run().outcome == .passed)
        }
    }

    @Test("writes the same twice")
    func stable() throws {
        try SampleFixture.with { fixture in
            let first = (
                try bytes(ofFile: fixture.expectation), try bytes(ofFile: "\(fixture.folder)/expected.mp4")
            )
            _ = try fixture.run(update: true)
            #expect(try bytes(ofFile: fixture.expectation) == first.0)
            #expect(try bytes(ofFile: "\(fixture.folder)/expected.mp4") == first.1)
        }
    }

    @Test("of a sound-only fixture writes no picture")
    func soundOnly() throws {
        let edit = #"{"sources":[{"id":"a","uri":"sound.m4a"}],"timeline":[{"source":"a","end_ms":1000}]}"#
        try SampleFixture.with(edit: edit, accepted: false) { fixture in
            try FileManager.default.copyItem(
                atPath: Fixture.media("no_video.m4a"), toPath: "\(fixture.folder)/sound.m4a")
            #expect(try fixture.run(update: true).outcome == .updated)
            let expected = try fixture.expected()
            #expect(expected["video"] == nil && expected["frames"] == nil && expected["audio"] != nil)
            #expect(try fixture.run().outcome == .passed)
        }
    }
}
