import Foundation
import Model
import TestSupport
import Testing

@Suite("The analyze command")
struct AnalyzeCommandTests {
    @Test("writes the edit that it proposes, and render makes it")
    func editFile() throws {
        try withTemporaryFolder { folder in
            let (edit, output) = ("\(folder)/pauses.json", "\(folder)/tight.mp4")
            let analysis = try Command.reelpool(
                "analyze", Fixture.media("no_video.m4a"), "--pacing", "100", "--edit", edit, "--json")
            #expect(analysis.status == 0)
            let report = try #require(try JSONSerialization.jsonObject(with: analysis.output) as? [String: Any])
            let written = try #require(try JSONSerialization.jsonObject(with: bytes(ofFile: edit)) as? [String: Any])
            let proposed = try #require(report["edit"] as? [String: Any])
            #expect(NSDictionary(dictionary: written) == NSDictionary(dictionary: proposed))
            #expect(report["pacing"] as? Int == 100)
            #expect(try Command.reelpool("render", edit, "--output", output).status == 0)
            let (before, after) = (try ProbedFile(Fixture.media("no_video.m4a")), try ProbedFile(output))
            #expect(after.format.seconds > 1 && after.format.seconds <= before.format.seconds + 0.05)
        }
    }

    @Test("tells people in a few lines what it heard and saw")
    func summary() throws {
        let result = try Command.reelpool("analyze", Fixture.media("pal25.mp4"))
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.text.contains("LUFS") && result.text.contains("scene changes"))
    }

    @Test("takes a pacing of 0 to 100 only", arguments: ["-1", "101", "brisk"])
    func pacing(value: String) throws {
        let result = try Command.reelpool("analyze", Fixture.media("tone.wav"), "--pacing=\(value)")
        #expect(result.status == 64)
    }

    @Test("fails with the code and status of what is wrong, and writes no edit")
    func failures() throws {
        try withTemporaryFolder { folder in
            for (name, code) in [
                ("truncated.mp4", FailureCode.truncated), ("bitflips.mp4", .damagedMedia), ("text.mp4", .notMedia),
                ("playlist_http.m3u8", .formatNotAllowed),
            ] {
                let result = try Command.reelpool(
                    "analyze", Fixture.hostile(name), "--edit", "\(folder)/edit.json", "--json")
                try expectFailure(result, code)
            }
            let left = try contents(ofFolder: folder)
            #expect(left == [])
        }
    }
}
