import Foundation
import Model
import TestSupport
import Testing

/// What an analysis measures, beside what the `ffmpeg` command measures.
@Suite("An analysis")
struct AnalyzeMeasureTests {
    @Test(
        "measures loudness and true peak as the reference's meter does",
        arguments: [
            "talk.mp4", "bframes_closed.mp4", "surround51.mp4", "surround51.mkv", "music.mp3", "no_video.m4a",
            "voice.ogg", "speech.flac", "tone.wav", "pal25.mp4", "vp9_opus.webm", "mpeg2.ts",
        ])
    func loudness(name: String) throws {
        let path = Fixture.media(name)
        let expected = try ReferenceLoudness(path)
        let found = try #require(try analyze(path).loudness)
        let (integrated, range, peak) = (
            try #require(found.integratedLufs), try #require(found.rangeLu), try #require(found.truePeakDbtp)
        )
        #expect(abs(integrated - (try #require(expected.integrated))) <= 0.2)
        #expect(abs(range - (try #require(expected.range))) <= 0.3)
        #expect(abs(peak - (try #require(expected.truePeak))) <= 0.3)
    }

    @Test("follows a change of level, decibel by decibel", arguments: [-30.0, -12, -6, 1])
    func loudnessFollows(change: Double) throws {
        try withTemporaryFolder { folder in
            let copy = "\(folder)/copy.wav"
            _ = try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-i", Fixture.media("talk.mp4"), "-map", "0:a", "-af",
                    "volume=\(change)dB",
                ]
                    + ["-c:a", "pcm_f32le", copy])
            let (before, after) = (try analyze(Fixture.media("talk.mp4")).loudness, try analyze(copy).loudness)
            let moved = try #require(after?.integratedLufs) - #require(before?.integratedLufs)
            #expect(abs(moved - change) <= 0.1)
            let raised = try #require(after?.truePeakDbtp) - #require(before?.truePeakDbtp)
            // The meter gives peaks in thousandths of full scale, which is coarse far below it.
            #expect(abs(raised - change) <= (change < -20 ? 0.2 : 0.1))
        }
    }

    @Test("finds the one scene change, at its first picture")
    func scenes() throws {
        let (truth, report) = (try TalkTruth.read(), try analyze(Fixture.media("talk.mp4")))
        #expect(report.scenes?.map(\.atMs) == truth.sceneCuts.map { Int64(($0.time * 1000).rounded()) })
    }

    @Test("finds the black second within two pictures")
    func black() throws {
        let (truth, report) = (try TalkTruth.read(), try analyze(Fixture.media("talk.mp4")))
        let found = try #require(report.black)
        try #require(found.count == truth.black.count)
        for (range, wanted) in zip(found, truth.black) {
            #expect(abs(Double(range.startMs) - wanted.start * 1000) <= 67)
            #expect(abs(Double(range.endMs) - wanted.end * 1000) <= 67)
        }
    }

    @Test("finds changes and black at their times wherever the clock begins", arguments: ["mp4", "mkv", "ts"])
    func offset(container: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/scenes.\(container)"
            // A second each of red, black, yellow at 25 frames a second; the clock begins at five seconds.
            _ = try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=c=red:s=160x120:r=25:d=1", "-f", "lavfi",
                    "-i", "color=c=black:s=160x120:r=25:d=1", "-f", "lavfi", "-i", "color=c=yellow:s=160x120:r=25:d=1",
                    "-filter_complex", "[0][1][2]concat=n=3", "-c:v", "libx264", "-output_ts_offset", "5", path,
                ])
            let report = try analyze(path)
            let black = try #require(report.black)
            try #require(black.count == 1)
            #expect(abs(black[0].startMs - 1000) <= 1 && abs(black[0].endMs - 2000) <= 1)
            #expect(abs(report.durationSeconds - 3) < 0.002)
            #expect(report.scenes?.allSatisfy { [999, 1000, 1001, 1999, 2000, 2001].contains($0.atMs) } == true)
        }
    }

    @Test("finds black that lasts to the end")
    func blackEnd() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/dark.mp4"
            _ = try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=c=gray:s=160x120:r=25:d=1", "-f", "lavfi",
                    "-i", "color=c=black:s=160x120:r=25:d=2", "-filter_complex", "[0][1]concat=n=2", "-c:v", "libx264",
                    path,
                ])
            #expect(try analyze(path).black == [.init(startMs: 1000, endMs: 3000)])
        }
    }

    @Test("says the same whatever the number of threads")
    func threads() throws {
        func told(_ threads: Int) throws -> AnalysisReport {
            var report = try analyze(Fixture.media("talk.mp4"), pacing: 80, threads: threads)
            (report.elapsedSeconds, report.speed) = (0, 0)
            return report
        }
        let one = try told(1)
        #expect(try told(2) == one)
        #expect(try told(8) == one)
    }
}
