import Foundation
import Model
import TestSupport
import Testing

/// Cuts through steady tones: a jump from sample to sample would be heard as a click.
@Suite("Sound at a seam")
struct SeamTests {
    /// A tone with nothing above a few hundred hertz, so that whatever is there after a render is a click.
    private static func makeTone(
        _ folder: String, hertz: Int, codec: [String] = ["-c:a", "pcm_s16le"], name: String
    )
        throws -> String
    {
        let path = "\(folder)/\(name)"
        let source = "aevalsrc='0.5*sin(2*PI*\(hertz)*t)':s=48000:d=4"
        _ = try Command.output("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", source] + codec + [path])
        return path
    }

    /// The largest third difference: a measure of what is sudden, nearly nothing in a low tone.
    private static func suddenness(_ samples: [Float], around seconds: [Double], rate: Int) -> Double {
        var worst: Float = 0
        for place in seconds {
            let middle = Int(place * Double(rate))
            let (first, last) = (max(0, middle - rate / 50), min(samples.count - 4, middle + rate / 50))
            guard first < last else { continue }
            for index in first..<last {
                let difference = samples[index + 3] - 3 * samples[index + 2] + 3 * samples[index + 1] - samples[index]
                worst = max(worst, abs(difference))
            }
        }
        return Double(worst)
    }

    /// Below this no step is heard; a jump as large as the tone's amplitude gives many times as much.
    private static let bound = 0.03

    /// Cuts at odd places of a 220 Hz tone, in milliseconds.
    private static let ranges: [(Int64, Int64)] = [(101, 637), (1203, 1571), (2911, 3333), (402, 905)]

    private static var seams: [Double] {
        ranges.dropLast().reduce(into: [0.0]) { $0.append(($0.last ?? 0) + Double($1.1 - $1.0) / 1000) }.dropFirst()
            + []
    }

    @Test("does not click", arguments: ["wav", "mp4"])
    func noClick(kind: String) throws {
        try withTemporaryFolder { folder in
            let tone = try Self.makeTone(folder, hertz: 220, name: "tone.wav")
            let source = "\(folder)/source.\(kind)"
            if kind == "mp4" {
                // With a picture, cuts fall on its frames: every 40 ms here, so the ranges are moved to those.
                _ = try Command.output(
                    "ffmpeg",
                    ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=1000:d=4", "-i", tone]
                        + ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-b:a", "256k", source])
            } else {
                try FileManager.default.moveItem(atPath: tone, toPath: source)
            }
            let ranges = Self.ranges.map { (Rational($0.0, 1000), Rational($0.1, 1000) as Rational?) }
            let output = "\(folder)/out.mp4"
            try render(EditText.timeline(ranges, of: source), to: output)
            let heard = try ReferenceAudio(output)
            #expect(Self.suddenness(heard.channels[0], around: Self.seams, rate: heard.sampleRate) < Self.bound)
        }
    }

    @Test("would be seen to click if it were cut hard")
    func hardCutIsSeen() throws {
        try withTemporaryFolder { folder in
            let tone = try Self.makeTone(folder, hertz: 220, name: "tone.wav")
            let cut = "\(folder)/cut.m4a"
            let pieces = Self.ranges.enumerated().map { index, range in
                let (from, to) = (Double(range.0) / 1000, Double(range.1) / 1000)
                return "[in\(index)]atrim=\(from):\(to),asetpts=PTS-STARTPTS[out\(index)]"
            }
            let count = Self.ranges.count
            let inputs = Self.ranges.indices.map { "[in\($0)]" }.joined()
            let outputs = Self.ranges.indices.map { "[out\($0)]" }.joined()
            let graph = "asplit=\(count)\(inputs);\(pieces.joined(separator: ";"));\(outputs)concat=n=\(count):v=0:a=1"
            _ = try Command.output(
                "ffmpeg", ["-v", "error", "-i", tone, "-filter_complex", graph, "-c:a", "aac", "-b:a", "256k", cut])
            let heard = try ReferenceAudio(cut)
            #expect(Self.suddenness(heard.channels[0], around: Self.seams, rate: heard.sampleRate) > 3 * Self.bound)
        }
    }

    @Test("loses no more than its fades")
    func fadesAreShort() throws {
        try withTemporaryFolder { folder in
            let tone = try Self.makeTone(folder, hertz: 440, name: "tone.wav")
            let output = "\(folder)/out.mp4"
            let ranges: [(start: Rational, end: Rational?)] = [(Rational(1, 2), .one), (Rational(2), Rational(5, 2))]
            try render(EditText.timeline(ranges, of: tone), to: output)
            let heard = try ReferenceAudio(output).channels[0]
            func level(_ from: Double, _ to: Double) -> Double {
                Sound.rootMeanSquare(heard[Int(from * 48000)..<Int(to * 48000)])
            }
            let full = 0.5 / 2.0.squareRoot()
            #expect(abs(level(0.1, 0.4) - full) < 0.01 * full)
            // 20 ms before and after the seam the tone is at its full level again.
            #expect(level(0.470, 0.480) > 0.95 * full && level(0.520, 0.530) > 0.95 * full)
            #expect(level(0.499, 0.501) < 0.3 * full, "and at the seam it is faded out")
        }
    }
}
