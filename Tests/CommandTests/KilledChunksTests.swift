import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("A render in chunks that is killed", .serialized)
struct KilledChunksTests {
    /// Forty seconds in chunks of two, so that there is time to kill it.
    private static func writeEdit(_ folder: String) throws -> String {
        let path = Fixture.media("long_gop.mp4")
        let ranges = [String](repeating: #"{"source":"a"}"#, count: 2).joined(separator: ",")
        let output = #"{"video":{"preset":"fast","crf":30,"keyframe_interval_s":2}}"#
        let edit = "\(folder)/edit.json"
        try write(
            #"{"sources":[{"id":"a","uri":"\#(path)"}],"timeline":[\#(ranges)],"output":\#(output)}"#, to: edit)
        return edit
    }

    /// x264's assembly reads memory that nobody wrote, and decides by it: it is to be zero.
    private static let zeroes = "MALLOC_PERTURB_=255"

    private static func arguments(_ edit: String, _ output: String, chunks: String) -> [String] {
        [
            Fixture.program, "render", edit, "--output", output, "--chunks", chunks, "--chunk-seconds", "2", "--mode",
            "full", "--json",
            "--progress", "json", "--threads", "2",
        ]
    }

    /// How many chunks are there.
    private static func objects(_ folder: String) -> Int {
        let found = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return found.count { Int($0.split(separator: "/").last ?? "") != nil }
    }

    @Test("at 90 % encodes at most 15 % again, and makes the file that it would have made")
    func killedLate() throws {
        try withTemporaryFolder { folder in
            let edit = try Self.writeEdit(folder)
            let whole = try Command.run(
                Self.zeroes, Self.arguments(edit, "\(folder)/whole.mp4", chunks: "\(folder)/whole"))
            let undisturbed: RenderReport = try whole.decoded()
            let frames = try #require(undisturbed.video?.frames)

            let (output, chunks) = ("\(folder)/film.mp4", "\(folder)/chunks")
            let child = try ChildProcess(
                Self.zeroes, Self.arguments(edit, output, chunks: chunks), pipingErrors: true)
            let wanted = try #require(undisturbed.chunks).count * 9 / 10
            while Self.objects(chunks) < wanted {
                let isAlive = try child.waitForError(containing: #""fraction""#)
                try #require(isAlive, "the render ended by itself")
            }
            try #require(kill(child.identifier, SIGKILL) == 0)
            let killed = try child.wait()
            #expect(killed.status == 128 + SIGKILL)
            #expect(!FileManager.default.fileExists(atPath: output))

            let second = try Command.run(Self.zeroes, Self.arguments(edit, output, chunks: chunks))
            try #require(second.status == 0, "\(second.errors)")
            let report: RenderReport = try second.decoded()
            let work = try #require(report.chunks)
            #expect(work.encodedFrames > 0)
            #expect(work.encodedFrames * 100 <= frames * 15, "\(work.encodedFrames) of \(frames) were encoded again")
            #expect(report.video == undisturbed.video && report.audio == undisturbed.audio)
            #expect(try bytes(ofFile: output) == bytes(ofFile: "\(folder)/whole.mp4"))
            #expect(try contents(ofFolder: chunks).isEmpty)
        }
    }

    @Test("takes a length for chunks only where there are any")
    func usage() throws {
        try withTemporaryFolder { folder in
            let edit = try Self.writeEdit(folder)
            let output = "\(folder)/film.mp4"
            let alone = try Command.reelpool("render", edit, "--output", output, "--chunk-seconds", "2")
            #expect(alone.status == 64)
            let none = try Command.reelpool(
                "render", edit, "--output", output, "--chunks", "\(folder)/chunks", "--chunk-seconds", "0")
            #expect(none.status == 64)
        }
    }
}
