import FixtureHarness
import Foundation
import TestSupport
import Testing

/// One thing that is expected and does not come out, and what is said of it.
struct WrongExpectation: Sendable, CustomTestStringConvertible {
    var place: String
    var value: (any Sendable)?
    /// What the difference is called, and words that it holds.
    var what: String
    var expected: String
    var actual: String

    var testDescription: String { place }

    init(_ place: String, _ value: (any Sendable)?, what: String, expected: String, actual: String) {
        (self.place, self.value, self.what) = (place, value, what)
        (self.expected, self.actual) = (expected, actual)
    }

    static let all = [
        WrongExpectation("frames", 31, what: "frame count", expected: "31", actual: "30"),
        WrongExpectation(
            "frame_times_ms[7]", 230.0, what: "time of frame 7", expected: "230.0 ms", actual: "233.333 ms"),
        WrongExpectation("duration_ms", 1100.0, what: "duration", expected: "1100.0 ms", actual: "10"),
        WrongExpectation("video.width", 640, what: "picture size", expected: "640x180", actual: "320x180"),
        WrongExpectation("video.height", 360, what: "picture size", expected: "320x360", actual: "320x180"),
        WrongExpectation("audio.sample_rate", 48000, what: "sample rate", expected: "48000 Hz", actual: "44100 Hz"),
        WrongExpectation("audio.channels", 1, what: "channels", expected: "1", actual: "2"),
        WrongExpectation(
            "audio.duration_ms", 900.0, what: "duration of the sound", expected: "900.0 ms", actual: "10"),
        WrongExpectation("audio.loudness_lufs", -30.0, what: "loudness", expected: "-30.0 ± 0.5 LUFS", actual: "LUFS"),
        WrongExpectation("audio", nil, what: "sound", expected: "none", actual: "2 channels"),
        WrongExpectation("size_bytes", 1000, what: "size", expected: "1000 bytes ± 10.0 %", actual: "bytes"),
        WrongExpectation("error", "range_reversed", what: "failure", expected: "range_reversed", actual: "an output"),
    ]
}

@Suite("A fixture")
struct FixtureExpectationTests {
    @Test("passes when it renders to what was accepted")
    func passes() throws {
        try SampleFixture.with { fixture in
            let result = try fixture.run()
            #expect(result.outcome == .passed && result.differences == [])
            #expect(result.name == "sample")
            #expect(!FileManager.default.fileExists(atPath: fixture.differences))
        }
    }

    @Test("says what is not as expected, and only that", arguments: WrongExpectation.all)
    func differs(wrong: WrongExpectation) throws {
        try SampleFixture.with { fixture in
            try fixture.expect(wrong.place, wrong.value)
            let result = try fixture.run()
            #expect(result.outcome == .failed)
            try #require(result.differences.count == 1, "\(result.differences)")
            let difference = result.differences[0]
            #expect(difference.what == wrong.what)
            #expect(difference.expected.contains(wrong.expected), "\(difference.expected)")
            #expect(difference.actual.contains(wrong.actual), "\(difference.actual)")
        }
    }

    @Test("passes within its tolerances", arguments: ["duration_ms", "audio.duration_ms"])
    func durations(place: String) throws {
        try SampleFixture.with { fixture in
            let expected = try fixture.expected()
            let audio = expected["audio"] as? [String: Any]
            let value = try #require((place == "duration_ms" ? expected : audio)?["duration_ms"] as? Double)
            for (change, count) in [(24.0, 0), (-24, 0), (26, 1), (-26, 1)] {
                try fixture.expect(place, value + change)
                #expect(try fixture.run().differences.count == count, "\(change) ms")
            }
        }
    }

    @Test("allows a container's clock half a millisecond a picture", arguments: [(0.4, 0), (-0.4, 0), (0.6, 1)])
    func times(change: Double, count: Int) throws {
        try SampleFixture.with { fixture in
            try fixture.expect("frame_times_ms[9]", 300 + change)
            #expect(try fixture.run().differences.count == count)
        }
    }

    @Test("is not checked for what is absent", arguments: ["frames", "frame_times_ms", "duration_ms", "size_bytes"])
    func absent(place: String) throws {
        try SampleFixture.with { fixture in
            try fixture.expect(place, nil)
            #expect(try fixture.run().differences == [])
        }
    }

    @Test("without pictures is expected to have none when nothing is said of them")
    func unexpectedPictures() throws {
        try SampleFixture.with { fixture in
            for place in ["video", "frames", "frame_times_ms"] { try fixture.expect(place, nil) }
            #expect(try fixture.run().differences.map(\.what) == ["pictures"])
        }
    }

    @Test("is not passed over when its expectation is misspelt", arguments: ["frmaes", "video.psnr_mim", "audio.lufs"])
    func unknownField(place: String) throws {
        try SampleFixture.with { fixture in
            try fixture.expect(place, 1)
            let result = try fixture.run()
            #expect(result.outcome == .failed)
            let name = place.split(separator: ".").last ?? ""
            #expect(result.differences.first?.actual.contains(name) == true, "\(result.differences)")
        }
    }

    @Test("fails when there is nothing to compare with, and says how to make it")
    func noExpectation() throws {
        try SampleFixture.with(accepted: false) { fixture in
            let result = try fixture.run()
            #expect(result.outcome == .failed)
            #expect(result.differences.map(\.what) == ["expected.json"])
            #expect(result.differences.first?.actual.contains("--update") == true)
            let left = try contents(ofFolder: fixture.folder)
            #expect(left == ["clip.mp4", "edit.json"])
        }
    }

    @Test("fails when its expectation is no JSON, or the picture to compare with is gone")
    func unreadable() throws {
        try SampleFixture.with { fixture in
            try FileManager.default.removeItem(atPath: "\(fixture.folder)/expected.mp4")
            try fixture.expect("video.sha256", "0")
            #expect(try fixture.run().outcome == .failed)
            try write("{", to: fixture.expectation)
            let result = try fixture.run()
            #expect(result.outcome == .failed)
            #expect(result.differences.first?.actual.contains("expected.json") == true)
        }
    }

    @Test("can expect a failure by its code")
    func expectedFailure() throws {
        let reversed = SampleFixture.edit.replacingOccurrences(of: #""end_ms":1000"#, with: #""start_ms":9,"end_ms":3"#)
        try SampleFixture.with(edit: reversed) { fixture in
            #expect(try fixture.expected() as? [String: String] == ["error": "range_reversed"])
            #expect(try fixture.run().differences == [])
            try fixture.expect("error", "truncated")
            let difference = try #require(try fixture.run().differences.first)
            #expect(difference.what == "failure" && difference.expected == "truncated")
            #expect(difference.actual.contains("range_reversed"))
            try fixture.expect("error", nil)
            let unexpected = try #require(try fixture.run().differences.first)
            #expect(unexpected.expected == "an output" && unexpected.actual.contains("range_reversed"))
        }
    }

    @Test("whose edit cannot be read fails with that code", arguments: [("{", "invalid_json"), ("", "empty_file")])
    func faultyEdit(edit: String, code: String) throws {
        try SampleFixture.with(edit: edit) { fixture in
            let expected = try fixture.expected() as? [String: String]
            #expect(expected == ["error": code])
            #expect(try fixture.run().outcome == .passed)
        }
    }
}
