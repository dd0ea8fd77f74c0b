import Foundation
import Model
import TestSupport
import Testing

/// The edit that an analysis proposes, rendered as it is.
@Suite("A recording without its pauses")
struct AnalyzeRenderTests {
    private static let talk = Fixture.media("talk.mp4")

    /// What is left between cuts, in milliseconds.
    private static func kept(_ report: AnalysisReport) -> [(start: Rational, end: Rational?)] {
        guard case .edits(let operations) = report.edit.programme else { return [] }
        var (ranges, position) = ([(start: Rational, end: Rational?)](), Rational.zero)
        for operation in operations {
            if position < operation.start.seconds { ranges.append((position, operation.start.seconds)) }
            position = operation.end.seconds
        }
        let end = Rational(Int64(report.durationSeconds * 1000), 1000)
        if position < end { ranges.append((position, end)) }
        return ranges
    }

    private static func renderEdit(_ report: AnalysisReport, to output: String, settings: OutputSettings) throws {
        var edit = report.edit
        edit.output = settings
        try render(String(decoding: JSONEncoder().encode(edit), as: UTF8.self), to: output)
    }

    private static var small: OutputSettings {
        get throws {
            try JSONDecoder().decode(
                OutputSettings.self,
                from: Data(#"{"video":{"preset":"ultrafast","crf":24},"audio":{"bitrate_kbps":192}}"#.utf8))
        }
    }

    @Test("holds exactly the pictures of speech, and its sound to the millisecond", arguments: [50, 100])
    func exact(pacing: Int) throws {
        let report = try analyze(Self.talk, pacing: pacing)
        let source = try ReferenceVideo(Self.talk)
        let expected = ExpectedProgramme(source, ranges: Self.kept(report))
        try withTemporaryFolder { folder in
            let output = "\(folder)/tight.mp4"
            try Self.renderEdit(report, to: output, settings: try Self.small)
            let result = try ReferenceVideo(output)
            #expect(result.times == expected.frames.map(\.time))
            #expect(result.end == expected.length)

            let numbers = try RawVideo(output).frameNumbers()
            let wanted = expected.intervals.flatMap { interval in
                source.times.indices.filter { source.times[$0] >= interval.start && source.times[$0] < interval.end }
            }
            // The strip fades with the picture around the black second.
            let readable = zip(numbers, wanted).filter { !(545..<600).contains($1) }
            #expect(readable.count > 300)
            #expect(readable.allSatisfy { $0 == $1 })

            let (before, after) = (
                try ReferenceAudio(Self.talk, options: ["-ar", "8000"]),
                try ReferenceAudio(output, options: ["-ar", "8000"])
            )
            #expect(abs(after.seconds - expected.length.seconds) < 0.025 + 1.0 / 30)
            var position = Rational.zero
            for interval in expected.intervals {
                let length = interval.end - interval.start
                let (lag, decibels) = Sound.alignment(
                    of: after.samples(from: position, to: position + length),
                    to: before.samples(from: interval.start, to: interval.end), limit: 24)
                #expect(abs(lag) <= 8, "\(lag) eighths of a millisecond off at \(position.seconds) s")
                #expect(decibels > 8, "at \(position.seconds) s")
                position = position + length
            }
        }
    }

    @Test("lasts as long as the truth says", arguments: [50, 100])
    func length(pacing: Int) throws {
        let (truth, report) = (try TalkTruth.read(), try analyze(Self.talk, pacing: pacing))
        let shortest = Double(3000 - 27 * pacing) / 1000
        // A tenth of a second of each pause stays on its sides of speech.
        let cut = truth.pauses.filter { $0.length >= shortest }.reduce(0.0) { sum, pause in
            let sides = (pause.start > 0 ? 0.1 : 0) + (pause.end < truth.duration ? 0.1 : 0)
            return sum + pause.length - sides
        }
        let count = Double(truth.pauses.filter { $0.length >= shortest }.count)
        let kept = Self.kept(report).reduce(0.0) { $0 + (($1.end ?? .zero) - $1.start).seconds }
        #expect(abs(kept - (truth.duration - cut)) <= 0.06 * count)
    }

    @Test("is the whole recording when it has no pause")
    func nothingToCut() throws {
        let path = Fixture.media("proxy_ready.mp4")
        let report = try analyze(path, pacing: 100)
        #expect(report.edit.programme == .edits([]))
        try withTemporaryFolder { folder in
            try Self.renderEdit(report, to: "\(folder)/whole.mp4", settings: try Self.small)
            #expect(try ReferenceVideo("\(folder)/whole.mp4").times == ReferenceVideo(path).times)
        }
    }

    @Test("has no pause left that was worth cutting")
    func again() throws {
        let report = try analyze(Self.talk, pacing: 70)
        try withTemporaryFolder { folder in
            let output = "\(folder)/tight.mp4"
            try Self.renderEdit(report, to: output, settings: try Self.small)
            let second = try analyze(output, pacing: 70)
            #expect(second.speech?.silence == [])
        }
    }
}
