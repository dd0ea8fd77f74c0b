import Foundation
import Model
import TestSupport
import Testing

/// What is laid over a programme, in every way that a programme is rendered.
@Suite("What is laid over the picture")
struct LayerRenderTests {
    /// Ten seconds of a quiet pattern at 25 pictures a second, a keyframe every two seconds.
    private static func source(in folder: String) throws -> String {
        let path = "\(folder)/source.mp4"
        _ = try Command.output(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=10", "-f", "lavfi",
                "-i",
                "sine=f=330:r=48000:d=10", "-vf", "eq=brightness=-0.1:saturation=0.5", "-c:v", "libx264", "-pix_fmt",
                "yuv420p", "-g", "50", "-bf", "2", "-preset", "veryfast", "-crf", "16", "-c:a", "aac", path,
            ])
        return path
    }

    private static let captions = #""captions":{"cues":[{"start_ms":3000,"end_ms":4000,"text":"Reelpool"}]}"#

    private static func everything(_ source: String, output: String = EditText.lossless, layers: String?) -> String {
        EditText.timeline([(.zero, nil)], of: source, output: output, layers: layers)
    }

    @Test("leaves every other picture as it is, and changes those in its range")
    func range() throws {
        try withTemporaryFolder { folder in
            let source = try Self.source(in: folder)
            let (plain, captioned) = ("\(folder)/plain.mp4", "\(folder)/captioned.mp4")
            try render(Self.everything(source, layers: nil), to: plain)
            try render(Self.everything(source, layers: Self.captions), to: captioned)
            let (before, after) = (try ReferenceVideo(plain), try ReferenceVideo(captioned))
            #expect(before.times == after.times)
            for (left, right) in zip(before.frames, after.frames) {
                let isCaptioned = left.time >= Rational(3) && left.time < Rational(4)
                #expect((left.hash != right.hash) == isCaptioned, "at \(left.time)")
            }
            // At the bottom, in white; above, nothing is changed.
            let upper = "crop=640:200:0:0"
            #expect(
                try ReferenceVideo(captioned, filters: upper).hashes
                    == (try ReferenceVideo(plain, filters: upper).hashes))
            let brightest = try PictureLikeness.statistic("YMAX", of: captioned, filters: "crop=300:60:170:290")
            #expect((brightest[80...95].min() ?? 0) >= 233)
        }
    }

    @Test("puts an image where ffmpeg's own overlay puts it", arguments: [1.0, 0.5])
    func overlay(opacity: Double) throws {
        try withTemporaryFolder { folder in
            let (source, image) = (try Self.source(in: folder), "\(folder)/mark.png")
            // A gradient with a hole, and half seen through below.
            _ = try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc=s=128x64:r=1:d=1", "-vf",
                    "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(hypot(X-64,Y-32),12),0,if(gt(Y,32),128,255))'",
                    "-frames:v", "1", image,
                ])
            let (laid, expected) = ("\(folder)/laid.mp4", "\(folder)/expected.mkv")
            let edit = EditText.timeline(
                [(0, .zero, nil)], sources: [source, image],
                layers:
                    #""overlays":[{"source":"s1","start_ms":2000,"end_ms":5000,"x":0.1,"y":0.25,"width":0.2,"opacity":\#(opacity)}]"#
            )
            try render(edit, to: laid)
            _ = try Command.output(
                "ffmpeg",
                [
                    "-v", "error", "-nostdin", "-y", "-i", source, "-i", image, "-filter_complex",
                    "[1:v]colorchannelmixer=aa=\(opacity)[m];"
                        + "[0:v][m]overlay=x=64:y=90:format=yuv420:enable='gte(t,2)*lt(t,5)'",
                    "-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", expected,
                ])
            let decibels = try PictureLikeness.decibels(laid, reference: expected, filters: "null")
            #expect(decibels.count == 250)
            #expect(decibels[..<50].allSatisfy { $0 == .infinity } && decibels[125...].allSatisfy { $0 == .infinity })
            let worst = decibels.min() ?? 0
            #expect(worst > 50, "\(worst) dB")
            #expect(decibels[50..<125].allSatisfy { $0 < .infinity })
        }
    }

    @Test("is encoded anew where pictures are copied, and there only", arguments: [1, 2])
    func smart(threads: Int) throws {
        try withTemporaryFolder { folder in
            let source = try Self.source(in: folder)
            let (copied, full) = ("\(folder)/copied.mp4", "\(folder)/full.mp4")
            let ranges: [(start: Rational, end: Rational?)] = [(Rational(1), Rational(7)), (Rational(8), nil)]
            // On the output's clock: source time 3.4 to 5.1, and 8.2 to 8.6.
            let layers = #"""
                "captions":{"cues":[{"start_ms":2400,"end_ms":4100,"text":"Reelpool"},{"start_ms":6200,"end_ms":6600,"text":"again"}]}
                """#
            let report = try render(
                EditText.timeline(ranges, of: source, output: "{}", layers: layers), to: copied, threads: threads,
                mode: .smart)
            let smart = try #require(report.smart)
            #expect(smart.declined == nil && !smart.fellBack, "\(smart.declined ?? "")")
            try render(EditText.timeline(ranges, of: source, layers: layers), to: full)
            let (made, meant) = (try ReferenceVideo(copied), try ReferenceVideo(full))
            #expect(made.frames.count == meant.frames.count && meant.frames.count == 200)
            #expect(zip(made.times, meant.times).allSatisfy { abs(($0 - $1).seconds) < 1e-9 })
            let same = zip(made.frames, meant.frames).map { $0.hash == $1.hash }
            #expect(same.count { $0 } >= smart.copiedPictures)
            #expect(smart.copiedPictures >= 60, "\(smart.copiedPictures)")
            let decibels = try PictureLikeness.decibels(copied, reference: full, filters: "null")
            #expect((decibels.min() ?? 0) >= 37.5, "\(decibels.min() ?? 0)")
            // The caption is there: 2.4 to 4.1 s are pictures 60 to 102.
            let brightest = try PictureLikeness.statistic("YMAX", of: copied, filters: "crop=300:60:170:290")
            #expect((brightest[62..<100].min() ?? 0) >= 228)
            try expectNoComplaints(about: copied)
        }
    }

    @Test("is shown over segments without a picture")
    func black() throws {
        try withTemporaryFolder { folder in
            let (source, sound, output) = (
                try Self.source(in: folder), "\(folder)/sound.wav", "\(folder)/out.mp4"
            )
            _ = try Command.output(
                "ffmpeg", ["-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=4", sound])
            let edit = EditText.timeline(
                [(0, .zero, Rational(1)), (1, .zero, Rational(3))], sources: [source, sound],
                layers: #""captions":{"cues":[{"start_ms":2000,"end_ms":3000,"text":"Reelpool"}]}"#)
            try render(edit, to: output)
            let brightest = try PictureLikeness.statistic("YMAX", of: output, filters: "crop=300:60:170:290")
            #expect(brightest.count == 100)
            #expect(brightest[25..<50].allSatisfy { $0 < 30 } && brightest[75...].allSatisfy { $0 < 30 })
            #expect(brightest[50..<75].allSatisfy { $0 > 200 })
        }
    }

    @Test("is the same in chunks")
    func chunks() throws {
        try withTemporaryFolder { folder in
            let source = try Self.source(in: folder)
            let (whole, parts) = ("\(folder)/whole.mp4", "\(folder)/parts.mp4")
            let layers = #""captions":{"cues":[{"start_ms":1500,"end_ms":6200,"text":"Reelpool"}]}"#
            let edit = Self.everything(source, output: ChunkRendering.lossless, layers: layers)
            try render(edit, to: whole)
            let report = try ChunkRendering(folder: "\(folder)/chunks").run(edit, to: parts)
            #expect(report.chunks?.declined == nil && report.chunks?.count ?? 0 > 2)
            #expect(try ReferenceVideo(parts).hashes == (try ReferenceVideo(whole).hashes))
        }
    }

    @Test("fails by a stable code where a font or an image is not there, and leaves nothing")
    func failures() throws {
        try withTemporaryFolder { folder in
            let (source, output) = (try Self.source(in: folder), "\(folder)/out.mp4")
            let font = #""captions":{"cues":[{"start_ms":0,"end_ms":100,"text":"x"}],"style":{"font":"No Such Font"}}"#
            #expect(failure { try render(Self.everything(source, layers: font), to: output) }?.code == .noFont)
            let sound = "\(folder)/sound.wav"
            _ = try Command.output(
                "ffmpeg", ["-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=1", sound])
            let edit = EditText.timeline(
                [(0, .zero, nil)], sources: [source, sound], layers: #""overlays":[{"source":"s1"}]"#)
            #expect(failure { try render(edit, to: output) }?.code == .noStreams)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["sound.wav", "source.mp4"])
        }
    }
}
