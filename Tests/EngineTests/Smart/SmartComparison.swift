import Engine
import Foundation
import Media
import Model
import TestSupport
import Testing

/// What a smart render made, beside a full encode without loss of the same edit.
struct SmartComparison {
    let report: RenderReport
    let output: String

    /// Renders both ways and compares every frame: how many there are, when each is shown, and what it shows.
    ///
    /// - Parameter shown: the source's own frames.
    /// - Returns: `nil` where nothing was copied: then `declined` says why.
    @discardableResult
    static func check(
        _ ranges: [(start: Rational, end: Rational?)], of source: String, showing shown: ReferenceVideo,
        in folder: String, as name: String, container: String = "mp4", threads: Int = 1, _ comment: String
    ) throws -> RenderReport.Smart {
        let (full, output) = ("\(folder)/\(name)-full.mp4", "\(folder)/\(name).\(container)")
        try render(EditText.timeline(ranges, of: source), to: full)
        let report = try render(
            EditText.timeline(ranges, of: source, output: "{}"), to: output, threads: threads, mode: .smart)
        let smart = try #require(report.smart, "\(comment)")
        let (expected, made) = (try ReferenceVideo(full), try ReferenceVideo(output))
        let selection = ExpectedProgramme(shown, ranges: ranges)
        #expect(expected.hashes == selection.frames.map(\.hash), "the full render: \(comment)")
        // Matroska's clock ticks in milliseconds.
        if container == "mkv" {
            #expect(made.times.count == expected.times.count, "\(comment)")
            // There the encoder's run-in is counted, and begins before the first picture.
            let first = made.times.first ?? .zero
            let furthest = zip(made.times, expected.times).map { distance($0 - first, $1) }.max() ?? .zero
            #expect(furthest <= Rational(1, 1000), "\(comment)")
        } else {
            #expect(made.times == expected.times, "times: \(comment)")
            #expect(distance(made.end, expected.end) <= Rational(1, 24), "length: \(comment)")
        }
        let likeness = try PictureComparison.compare(full, output, cancellation: Cancellation())
        #expect(likeness.unmatched == 0, "\(comment)")
        let worst = likeness.scores.map(\.psnr).min() ?? 0
        let bound = smart.declined == nil ? 37.5 : 30
        let different = likeness.scores.enumerated().filter { $0.element.psnr < bound }.map(\.offset)
        #expect(worst >= bound, "\(worst) dB at frames \(different.prefix(20)): \(comment)")
        if smart.declined == nil {
            let exact = likeness.scores.count { $0.psnr == .infinity }
            #expect(exact >= smart.copiedPictures, "\(exact) exact of \(smart.copiedPictures) copied: \(comment)")
            #expect(smart.copiedPictures + smart.encodedPictures == likeness.scores.count, "\(comment)")
            try expectNoComplaints(about: output, comment)
        }
        return smart
    }
}
