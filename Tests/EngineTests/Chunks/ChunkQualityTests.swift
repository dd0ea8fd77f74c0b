import Engine
import Foundation
import Model
import TestSupport
import Testing

/// What dividing costs, beside a render in one go with the same settings.
struct ChunkCost {
    /// Of the file's size, above one.
    let size: Double
    /// In decibels over all planes, mean over all frames: what was lost.
    let psnr: Double
    let chunks: Int
    let frames: Int

    /// - Parameter video: the edit's settings of the picture, as JSON without braces.
    init(
        _ ranges: [(start: Rational, end: Rational?)], of path: String, video: String, seconds: Int, in folder: String
    ) throws {
        func edit(_ video: String) -> String {
            EditText.timeline(ranges, of: path, output: #"{"video":{\#(video)}}"#)
        }
        let (chunked, single, truth) = ("\(folder)/chunked.mp4", "\(folder)/single.mp4", "\(folder)/truth.mp4")
        let report = try ChunkRendering(folder: "\(folder)/chunks", seconds: seconds, threads: 2)
            .run(edit(video), to: chunked)
        let whole = try render(edit(video), to: single, threads: 2)
        try render(edit(#""crf":0,"preset":"ultrafast""#), to: truth, threads: 2)
        chunks = report.chunks?.count ?? 0
        frames = report.video?.frames ?? 0
        size = Double(report.sizeBytes) / Double(whole.sizeBytes) - 1
        psnr = try Self.mean(single, beside: truth) - Self.mean(chunked, beside: truth)
    }

    /// Frames that are exact count as 100 dB, as in libavfilter's own mean.
    private static func mean(_ file: String, beside truth: String) throws -> Double {
        let scores = try PictureLikeness.decibels(file, reference: truth, filters: "null").map { min(100, $0) }
        return scores.reduce(0, +) / Double(max(1, scores.count))
    }
}

@Suite("A chunked render costs next to nothing")
struct ChunkQualityTests {
    enum Film: String, CaseIterable, Sendable {
        case h264, hevc
        /// A real recording in 1080p, which takes minutes.
        case recording

        static let cases = Thoroughness.isFull ? Film.allCases : [.h264]

        func cost(in folder: String) throws -> ChunkCost {
            guard self == .recording else {
                return try ChunkCost(
                    [(.zero, nil)], of: Fixture.media("talk.mp4"),
                    video: #""codec":"\#(rawValue)","preset":"superfast","keyframe_interval_s":4"#, seconds: 8,
                    in: folder)
            }
            let media = try #require(Fixture.sharedMedia, "../shared/media is absent")
            return try ChunkCost(
                [(Rational(20), Rational(86))], of: "\(media)/long_1080p_lowbitrate.mp4",
                video: #""preset":"veryfast""#, seconds: 30, in: folder)
        }
    }

    @Test("in size and in likeness", arguments: Film.cases)
    func cost(film: Film) throws {
        try withTemporaryFolder { folder in
            let cost = try film.cost(in: folder)
            print("\(film): \(cost)")
            #expect(cost.chunks == (film == .recording ? 3 : 4), "the sound is one of them")
            #expect(film != .recording || cost.frames == 66 * 30)
            #expect(cost.size < 0.01 && cost.psnr < 0.1, "\(cost)")
        }
    }
}
