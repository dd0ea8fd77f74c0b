import Engine
import Foundation
import Media
import Model
import TestSupport
import Testing

@Suite("A chunked render that did not come to its end")
struct ChunkResumeTests {
    /// Eleven chunks of a second each or a little more.
    private static func edit(crf: Int = 30, codec: String = "h264", extra: String = "") -> String {
        let path = Fixture.media("bframes_closed.mp4")
        let output =
            #"{"video":{"codec":"\#(codec)","crf":\#(crf),"preset":"ultrafast","keyframe_interval_s":1}\#(extra)}"#
        return EditText.timeline((0..<4).map { _ in (.zero, Rational(14, 5)) }, of: path, output: output)
    }

    @Test("goes on from the chunks that are there, and makes the file that it would have made", arguments: [1, 2])
    func resumed(threads: Int) throws {
        try withTemporaryFolder { folder in
            let json = Self.edit()
            let undisturbed = ChunkRendering(folder: "\(folder)/a", threads: threads)
            let whole = try undisturbed.run(json, to: "\(folder)/whole.mp4")
            let frames = try #require(whole.video?.frames)
            #expect(try #require(whole.chunks).count >= 10)

            let stopped = ChunkRendering(folder: "\(folder)/b", threads: threads)
            let cancellation = Cancellation()
            let outcome = failure {
                try stopped.run(json, to: "\(folder)/resumed.mp4", cancellation: cancellation) { done in
                    if done * 10 >= frames * 9 { cancellation.raise() }
                }
            }
            #expect(outcome?.code == .cancelled)
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/resumed.mp4"))

            var leastDone = Int.max
            let resumed = try stopped.run(json, to: "\(folder)/resumed.mp4") { done in
                if done > 0 { leastDone = min(leastDone, done) }
            }
            let work = try #require(resumed.chunks)
            #expect(work.encodedFrames > 0)
            #expect(work.encodedFrames * 100 <= frames * 15, "\(work.encodedFrames) of \(frames) were encoded again")
            #expect(work.reusedFrames + work.encodedFrames == frames)
            #expect(leastDone > 0 && leastDone < .max)
            #expect(try bytes(ofFile: "\(folder)/resumed.mp4") == bytes(ofFile: "\(folder)/whole.mp4"))
            let left = try stopped.objects()
            #expect(left.isEmpty)
        }
    }

    /// What may have happened to a chunk's file.
    enum Injury: String, CaseIterable, Sendable {
        case removed, empty, cutShort, lastByteMissing, flippedInside, flippedHead, otherChunk, otherRender, noChunk
        case longer

        /// Shows before anything is joined; what does not is found while joining.
        var showsAtOnce: Bool { self != .flippedInside && self != .longer && self != .lastByteMissing }

        func injure(_ path: String, other: String, foreign: String) throws {
            var data = try bytes(ofFile: path)
            switch self {
            case .removed: return try FileManager.default.removeItem(atPath: path)
            case .empty: data = Data()
            case .cutShort: data = data.prefix(data.count / 2)
            case .lastByteMissing: data = data.dropLast()
            case .flippedInside: data[data.count / 2] ^= 0x10
            case .flippedHead: data[30] ^= 1
            case .otherChunk: data = try bytes(ofFile: other)
            case .otherRender: data = try bytes(ofFile: foreign)
            case .noChunk: data = Data(repeating: 0, count: 5000)
            case .longer: data = data.prefix(data.count / 2) + data
            }
            try data.write(to: URL(fileURLWithPath: path))
        }
    }

    @Test("makes a chunk anew that is damaged or another's", arguments: Injury.allCases)
    func injured(injury: Injury) throws {
        try withTemporaryFolder { folder in
            let (json, output) = (Self.edit(), "\(folder)/out.mp4")
            var rendering = ChunkRendering(folder: "\(folder)/chunks", seconds: 2, keeps: true)
            let first = try rendering.run(json, to: output)
            let expected = try bytes(ofFile: output)
            let foreign = ChunkRendering(folder: "\(folder)/foreign", seconds: 2, keeps: true)
            try foreign.run(Self.edit(crf: 31), to: "\(folder)/foreign.mp4")

            let chunks = try rendering.objects()
            try #require(chunks.count == first.chunks?.count)
            let victim = chunks[chunks.count / 2]
            try injury.injure(
                victim.path, other: chunks[0].path, foreign: try foreign.objects()[chunks.count / 2].path)
            rendering.keeps = false
            let second = try rendering.run(json, to: output)
            let work = try #require(second.chunks)
            #expect(work.encodedFrames > 0 && work.encodedFrames * chunks.count < 2 * (second.video?.frames ?? 0))
            if injury.showsAtOnce {
                #expect(work.mended == 0 && work.reused == chunks.count - 1)
            } else {
                #expect(work.mended + chunks.count - work.reused == 1)
            }
            #expect(second.video == first.video && second.audio == first.audio)
            #expect(try bytes(ofFile: output) == expected)
        }
    }

    @Test("uses no chunk that was made of something else, and every one that was not")
    func identity() throws {
        try withTemporaryFolder { folder in
            var rendering = ChunkRendering(folder: "\(folder)/chunks", seconds: 2, keeps: true)
            let output = "\(folder)/out.mp4"
            let first = try rendering.run(Self.edit(), to: output)
            let count = try #require(first.chunks).count
            let again = try rendering.run(Self.edit(), to: output)
            #expect(again.chunks?.reused == count && again.chunks?.encodedFrames == 0)
            let otherSound = try rendering.run(
                Self.edit(extra: #","audio":{"bitrate_kbps":64}"#), to: "\(folder)/out.mkv")
            #expect(otherSound.chunks?.reused == count - 1 && otherSound.chunks?.encodedFrames == 0)
            let otherQuality = try rendering.run(Self.edit(crf: 31), to: output)
            #expect(otherQuality.chunks?.reused == 0)
            rendering.versions = ["2"]
            let otherSource = try rendering.run(Self.edit(), to: output)
            #expect(otherSource.chunks?.reused == 0)
            rendering.versions = ["1"]
            rendering.seconds = 3
            let otherLength = try rendering.run(Self.edit(), to: output)
            #expect(otherLength.chunks?.reused == 0)
        }
    }

    @Test(
        "goes on with another number of threads, whichever encoder is at work",
        arguments: ["h264", "hevc", "vp9", "av1"])
    func otherThreads(codec: String) throws {
        try withTemporaryFolder { folder in
            let json = Self.edit(codec: codec)
            // HEVC tells one thread from several.
            let threads = codec == "hevc" ? 2 : 1
            var rendering = ChunkRendering(folder: "\(folder)/chunks", seconds: 2, threads: threads)
            let cancellation = Cancellation()
            let frames = 4 * 84
            let outcome = failure {
                try rendering.run(json, to: "\(folder)/out.mp4", cancellation: cancellation) { done in
                    if done * 2 >= frames { cancellation.raise() }
                }
            }
            #expect(outcome?.code == .cancelled)
            rendering.threads = threads + 1
            let report = try rendering.run(json, to: "\(folder)/out.mp4")
            let work = try #require(report.chunks)
            #expect(work.reused > 0 && work.mended == 0 && work.encodedFrames > 0)
            let (made, inspection) = (try ReferenceVideo("\(folder)/out.mp4"), try Inspection("\(folder)/out.mp4"))
            #expect(made.times == (0..<made.frames.count).map { Rational(Int64($0), 30) })
            #expect(made.frames.count == frames && report.video?.frames == frames)
            if codec == "hevc" { #expect(inspection.video["codec_tag_string"] == "hvc1") }
            try expectNoComplaints(about: "\(folder)/out.mp4", withSound: true)
        }
    }

    @Test("says why it is made in one go", arguments: ["mpeg4.avi", "tone.wav", "bframes_closed.mp4"])
    func declined(name: String) throws {
        try withTemporaryFolder { folder in
            let json = EditText.timeline([(.zero, nil)], of: Fixture.media(name), output: "{}")
            let output = name == "tone.wav" ? "out.mkv" : "out.mp4"
            let rendering = ChunkRendering(folder: "\(folder)/chunks", seconds: 30)
            let report = try rendering.run(json, to: "\(folder)/\(output)")
            #expect(report.chunks?.declined != nil)
            #expect(report.chunks?.count == 0)
            let left = try rendering.objects()
            #expect(left.isEmpty)
        }
    }
}
