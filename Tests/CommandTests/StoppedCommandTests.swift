import Foundation
import Glibc
import Model
import TestSupport
import Testing

/// A render that would take minutes, stopped while it encodes.
@Suite("A render that is stopped from outside", .serialized)
struct StoppedCommandTests {
    /// Twenty seconds of source, two hundred times, by the slowest preset.
    private static func writeLongEdit(_ folder: String, codec: String) throws -> String {
        let path = Fixture.media("long_gop.mp4")
        let ranges = [String](repeating: #"{"source":"a"}"#, count: 200).joined(separator: ",")
        let output = #"{"video":{"codec":"\#(codec)","preset":"veryslow","crf":30}}"#
        let edit = "\(folder)/edit.json"
        try write(
            #"{"sources":[{"id":"a","uri":"\#(path)"}],"timeline":[\#(ranges)],"output":\#(output)}"#, to: edit)
        return edit
    }

    private struct Outcome {
        var seconds: Double
        var result: CommandResult
    }

    /// Starts a long render, waits until it has encoded something, and sends a signal.
    private static func stop(_ folder: String, codec: String = "h264", signal: Int32) throws -> Outcome {
        let edit = try writeLongEdit(folder, codec: codec)
        let child = try ChildProcess(
            Fixture.program,
            ["render", edit, "--output", "\(folder)/out/film.mp4", "--json", "--progress", "json", "--threads", "2"],
            pipingErrors: true)
        let started = try child.waitForError(containing: #""phase":"encoding""#)
        try #require(started, "the render ended by itself")
        let clock = ContinuousClock()
        let before = clock.now
        try #require(kill(child.identifier, signal) == 0)
        let result = try child.wait()
        let taken = clock.now - before
        return Outcome(
            seconds: Double(taken.components.seconds) + Double(taken.components.attoseconds) / 1e18, result: result)
    }

    private static func inFolder(_ body: (_ folder: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: "\(folder)/out", withIntermediateDirectories: false)
            try body(folder)
        }
    }

    @Test("by Ctrl-C ends within a second and leaves nothing", arguments: ["h264", "hevc", "vp9", "av1"])
    func interrupt(codec: String) throws {
        try Self.inFolder { folder in
            let outcome = try Self.stop(folder, codec: codec, signal: SIGINT)
            #expect(outcome.result.status == FailureCategory.cancelled.exitStatus)
            #expect(outcome.seconds < 1, "\(outcome.seconds) s")
            #expect(outcome.result.output.isEmpty)
            let left = try contents(ofFolder: "\(folder)/out")
            #expect(left.isEmpty)
        }
    }

    @Test("by SIGTERM ends as by Ctrl-C")
    func terminate() throws {
        try Self.inFolder { folder in
            let outcome = try Self.stop(folder, signal: SIGTERM)
            #expect(outcome.result.status == FailureCategory.cancelled.exitStatus)
            #expect(outcome.seconds < 1, "\(outcome.seconds) s")
            let left = try contents(ofFolder: "\(folder)/out")
            #expect(left.isEmpty)
        }
    }

    @Test("by kill -9 leaves nothing, under any name")
    func kill9() throws {
        try Self.inFolder { folder in
            let outcome = try Self.stop(folder, signal: SIGKILL)
            #expect(outcome.result.status == 128 + SIGKILL)
            let left = try contents(ofFolder: "\(folder)/out")
            #expect(left.isEmpty)
        }
    }

    @Test("leaves an older output as it was", arguments: [SIGINT, SIGTERM, SIGKILL])
    func olderOutput(signal: Int32) throws {
        try Self.inFolder { folder in
            try write("the older one", to: "\(folder)/out/film.mp4")
            _ = try Self.stop(folder, signal: signal)
            #expect(try bytes(ofFile: "\(folder)/out/film.mp4") == Data("the older one".utf8))
            #expect(try contents(ofFolder: "\(folder)/out") == ["film.mp4"])
        }
    }

    @Test("says that it was cancelled")
    func message() throws {
        try withTemporaryFolder { folder in
            let edit = try Self.writeLongEdit(folder, codec: "h264")
            let child = try ChildProcess(
                Fixture.program, ["render", edit, "--output", "\(folder)/film.mp4", "--json", "--progress", "json"],
                pipingErrors: true)
            let started = try child.waitForError(containing: #""phase":"encoding""#)
            try #require(started)
            try #require(kill(child.identifier, SIGINT) == 0)
            let said = try child.waitForError(containing: #""code" : "cancelled""#)
            #expect(said)
            #expect(try child.wait().status == 130)
        }
    }
}
