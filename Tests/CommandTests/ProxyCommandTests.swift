import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("The proxy command")
struct ProxyCommandTests {
    private static let names = ["audio.mp3", "poster.jpg", "proxy.mp4", "sprite.jpg", "waveform.json"]

    @Test("reports as JSON what it made and where")
    func report() throws {
        try withTemporaryFolder { folder in
            let result = try Command.reelpool(
                "proxy", Fixture.media("vfr.mp4"), "--output", "\(folder)/out", "--json", "--progress", "json")
            #expect(result.status == 0)
            let object = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
            #expect(object["proxy"] as? String == "\(folder)/out/proxy.mp4")
            #expect(object["proxy_method"] as? String == "encoded")
            #expect(object["frames"] as? Int == 149)
            let sprite = try #require(object["sprite"] as? [String: Any])
            #expect(sprite["seconds_per_tile"] as? Int == 1)
            #expect(sprite["tiles"] as? Int == 5 || sprite["tiles"] as? Int == 4)
            #expect(try contents(ofFolder: "\(folder)/out") == Self.names)
            let events = try result.errors.split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
            }
            let fractions = events.compactMap { $0["fraction"] as? Double }
            #expect(fractions == fractions.sorted() && fractions.last == 1)
            #expect(events.last?["phase"] as? String == "completed")
        }
    }

    @Test("tells people why it encoded, copied or did neither")
    func summary() throws {
        try withTemporaryFolder { folder in
            for (name, options, saying) in [
                ("ntsc.mp4", [], "encoded, because its keyframes are more than a second apart"),
                ("proxy_ready.mp4", [], "copied"), ("no_audio.mp4", ["--when", "unplayable"], "no proxy needed"),
            ] {
                let result = try Command.run(
                    Fixture.program, ["proxy", Fixture.media(name), "--output", "\(folder)/\(name)"] + options)
                #expect(result.status == 0 && result.errors.isEmpty)
                #expect(result.text.contains(saying))
            }
        }
    }

    @Test("fails with the code and status of what is wrong, and leaves nothing")
    func failures() throws {
        try withTemporaryFolder { folder in
            for (name, code) in [("truncated.mp4", FailureCode.truncated), ("playlist_local.mp4", .formatNotAllowed)] {
                let result = try Command.reelpool(
                    "proxy", Fixture.hostile(name), "--output", "\(folder)/out", "--json")
                try expectFailure(result, code)
            }
            try expectFailure(
                try Command.reelpool("proxy", "\(folder)/none.mp4", "--output", "\(folder)/out", "--json"),
                .fileNotFound)
            let left = try contents(ofFolder: folder)
            #expect(left == [])
        }
    }

    @Test("makes do with what is intact when that is asked")
    func salvage() throws {
        try withTemporaryFolder { folder in
            let result = try Command.reelpool(
                "proxy", Fixture.hostile("truncated.mp4"), "--output", folder, "--salvage", "--json")
            #expect(result.status == 0)
            #expect(try contents(ofFolder: folder) == Self.names)
        }
    }

    @Test(
        "stopped half-way leaves nothing, and what was there before untouched",
        arguments: [SIGINT, SIGTERM, SIGKILL])
    func stopped(signal: Int32) throws {
        try withTemporaryFolder { sources in
            try withTemporaryFolder { folder in
                try write("earlier", to: "\(folder)/sprite.jpg")
                // Long enough to be stopped half-way, however busy the machine is.
                let long = "\(sources)/long.mp4"
                _ = try Command.output(
                    "ffmpeg",
                    ["-v", "error", "-stream_loop", "60", "-i", Fixture.media("talk.mp4"), "-c", "copy", long])
                let child = try ChildProcess(
                    Fixture.program,
                    ["proxy", long, "--output", folder, "--progress", "json", "--threads", "1"], pipingErrors: true)
                try #require(try child.waitForError(containing: #""phase":"encoding""#))
                try #require(kill(child.identifier, signal) == 0)
                let result = try child.wait()
                #expect(result.status == (signal == SIGKILL ? 128 + SIGKILL : FailureCategory.cancelled.exitStatus))
                #expect(result.output.isEmpty)
                #expect(try contents(ofFolder: folder) == ["sprite.jpg"])
                #expect(try bytes(ofFile: "\(folder)/sprite.jpg") == Data("earlier".utf8))
            }
        }
    }
}
