import Foundation
import Model
import TestSupport
import Testing

/// What a smart render made, beside the frames that the `ffmpeg` command decodes of its source.
enum SelectionCheck {
    /// - Parameters:
    ///   - shown: the source's own frames.
    ///   - besideFullEncode: encode everything without loss, too: the same frames, and as long.
    ///   - mayDecline: where all was encoded instead, that is as good; nothing but its frames' times are looked at.
    @discardableResult
    static func check(
        _ ranges: [(start: Rational, end: Rational?)], of source: String, showing shown: ReferenceVideo,
        in folder: String, as name: String, container: String = "mp4", threads: Int = 1,
        besideFullEncode: Bool = false, mayDecline: Bool = false, _ comment: String
    ) throws -> RenderReport.Smart {
        let output = "\(folder)/\(name).\(container)"
        let report = try render(
            EditText.timeline(ranges, of: source, output: "{}"), to: output, threads: threads, mode: .smart)
        let smart = try #require(report.smart, "\(comment)")
        #expect(smart.declined == nil || mayDecline, "\(smart.declined ?? ""): \(comment)")
        #expect(!smart.fellBack, "\(smart.declined ?? ""): \(comment)")
        let selection = ExpectedProgramme(shown, ranges: ranges)
        let made = try ReferenceVideo(output)
        #expect(made.frames.count == selection.frames.count, "\(comment)")
        let first = made.times.first ?? .zero
        // Matroska's clock ticks in milliseconds.
        let tolerance =
            ["mkv", "webm"].contains(where: { output.hasSuffix($0) || source.hasSuffix($0) })
            ? Rational(2, 1000) : .zero
        let furthest = zip(made.times, selection.frames).map { distance($0 - first, $1.time) }.max() ?? .zero
        #expect(furthest <= tolerance, "\(furthest) s: \(comment)")
        if besideFullEncode {
            let path = "\(folder)/\(name)-full.mp4"
            try render(EditText.timeline(ranges, of: source), to: path)
            let full = try ReferenceVideo(path)
            #expect(full.hashes == selection.frames.map(\.hash), "the full render: \(comment)")
            #expect(distance(made.end - first, full.end) <= Rational(1, 24), "length: \(comment)")
            if container == "mkv" {
                // There the encoder's run-in is counted, and begins before the first picture.
                #expect(made.times.count == full.times.count, "\(comment)")
                let furthest = zip(made.times, full.times).map { distance($0 - first, $1) }.max() ?? .zero
                #expect(furthest <= Rational(1, 1000), "\(comment)")
            } else {
                #expect(made.times == full.times, "times: \(comment)")
            }
        }
        guard smart.declined == nil else { return smart }
        let exact = zip(made.frames, selection.frames).count { $0.hash == $1.hash }
        #expect(exact >= smart.copiedPictures, "\(exact) exact of \(smart.copiedPictures) copied: \(comment)")
        #expect(smart.copiedPictures + smart.encodedPictures == made.frames.count, "\(comment)")
        let decibels = try PictureLikeness.decibels(output, ofFrames: selection.runs, of: source)
        #expect(decibels.count == made.frames.count, "\(comment)")
        let worst = decibels.min() ?? 0
        let different = decibels.enumerated().filter { $0.element < 37.5 }.map(\.offset)
        #expect(worst >= 37.5, "\(worst) dB at frames \(different.prefix(20)): \(comment)")
        try expectNoComplaints(about: output, comment)
        return smart
    }
}
