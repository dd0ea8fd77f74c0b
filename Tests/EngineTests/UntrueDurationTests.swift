import Foundation
import Model
import TestSupport
import Testing

/// Matroska files of some writers say the time of their last frame where their duration should be.
@Suite("A source that claims to end where its last frame begins")
struct UntrueDurationTests {
    private static func withSource(_ body: (_ path: String, _ folder: String, ReferenceVideo) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/source.mkv"
            _ = try Command.output(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", "-c:v", "libx264", "-bf", "0"]
                    + ["-preset", "ultrafast", path])
            var data = try bytes(ofFile: path)
            // The Duration element, a double in milliseconds. Source: RFC 9559 §5.1.2.10.
            let element = try #require(data.range(of: Data([0x44, 0x89, 0x88])))
            let claim = Swift.withUnsafeBytes(of: (960.0).bitPattern.bigEndian) { Data($0) }
            data.replaceSubrange(element.upperBound..<element.upperBound + 8, with: claim)
            try data.write(to: URL(filePath: path))
            let source = try ReferenceVideo(path)
            try #require(source.frames.last?.time == Rational(24, 25))
            try body(path, folder, source)
        }
    }

    @Test("keeps that frame out of a range that ends there")
    func endsBeforeLastFrame() throws {
        try Self.withSource { path, folder, source in
            try render(EditText.timeline([(Rational(1, 2), Rational(24, 25))], of: path), to: "\(folder)/out.mp4")
            let kept = try ReferenceVideo("\(folder)/out.mp4").hashes
            #expect(kept == source.frames.filter { $0.time >= Rational(1, 2) }.dropLast().map(\.hash))
        }
    }

    @Test("gives that frame to a range that begins there", arguments: [nil, Rational(1), Rational(3, 2)])
    func beginsAtLastFrame(end: Rational?) throws {
        try Self.withSource { path, folder, source in
            try render(EditText.timeline([(Rational(24, 25), end)], of: path), to: "\(folder)/out.mp4")
            #expect(try ReferenceVideo("\(folder)/out.mp4").hashes == source.hashes.suffix(1))
        }
    }
}
