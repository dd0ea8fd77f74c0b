import Model
import TestSupport
import Testing

@Suite("An edit of very many ranges")
struct ManyRangesTests {
    private static let small = #"{"video":{"crf":0,"preset":"ultrafast"},"audio":{"bitrate_kbps":64}}"#

    /// A tiny picture that is different in every frame, and a tone.
    private static func makeSource(_ path: String, frames: Int, rate: Int) throws {
        let length = "d=\(Double(frames) / Double(rate))"
        _ = try Command.output(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=32x32:r=\(rate):\(length)"]
                + ["-f", "lavfi", "-i", "sine=f=300:r=16000:\(length)", "-c:v", "libx264", "-preset", "ultrafast"]
                + ["-c:a", "aac", "-b:a", "32k", path])
    }

    @Test("keeps every one of 10,000 ranges, in order")
    func tenThousand() throws {
        try withTemporaryFolder { folder in
            let (path, output) = ("\(folder)/source.mp4", "\(folder)/out.mp4")
            try Self.makeSource(path, frames: 20_000, rate: 50)
            let ranges = (0..<10_000).map { index -> (start: Rational, end: Rational?) in
                (Rational(2 * Int64(index), 50), Rational(2 * Int64(index) + 1, 50))
            }
            let report = try render(EditText.timeline(ranges, of: path, output: Self.small), to: output)
            #expect(report.segments == 10_000 && report.video?.frames == 10_000)
            #expect(report.audio?.samples == 3_200_000)
            let (source, result) = (try ReferenceVideo(path), try ReferenceVideo(output))
            let every = stride(from: 0, to: source.frames.count, by: 2).map { source.frames[$0].hash }
            #expect(result.hashes == every)
            #expect(result.times == (0..<10_000).map { Rational($0, 50) })
            #expect(result.end == Rational(200))
        }
    }

    @Test("cuts 500 times out of one programme, overlapping and touching")
    func fiveHundredCuts() throws {
        try withTemporaryFolder { folder in
            let (path, output) = ("\(folder)/source.mp4", "\(folder)/out.mp4")
            try Self.makeSource(path, frames: 3000, rate: 50)
            var random = SeededGenerator(seed: 5)
            let cuts = (0..<500).map { _ -> Range<Int64> in
                let start = Int64.random(in: 0..<59_800, using: &random)
                return start..<start + .random(in: 1...200, using: &random)
            }
            let operations = cuts.map { #"{"start_ms":\#($0.lowerBound),"end_ms":\#($0.upperBound)}"# }
            let json = EditText.edits(operations.joined(separator: ","), of: [path], output: Self.small)
            let report = try render(json, to: output)
            let (source, result) = (try ReferenceVideo(path), try ReferenceVideo(output))
            let kept = source.frames.filter { frame in
                !cuts.contains {
                    Rational($0.lowerBound, 1000) <= frame.time && frame.time < Rational($0.upperBound, 1000)
                }
            }
            #expect(result.hashes == kept.map(\.hash))
            #expect(report.audio?.samples == Int64(kept.count) * 320)
        }
    }

    @Test("jumps 500 times about its source")
    func fiveHundredJumps() throws {
        try withTemporaryFolder { folder in
            let path = Fixture.media("open_gop.mp4")
            let source = try ReferenceVideo(path)
            var random = SeededGenerator(seed: 7)
            let places = (0..<500).map { _ in Int.random(in: 0..<source.frames.count - 2, using: &random) }
            let ranges = places.map { (source.frames[$0].time, source.frames[$0 + 1].time as Rational?) }
            let output = "\(folder)/out.mp4"
            try render(EditText.timeline(ranges, of: path, output: Self.small), to: output)
            #expect(try ReferenceVideo(output).hashes == ExpectedProgramme(source, ranges: ranges).frames.map(\.hash))
        }
    }
}
