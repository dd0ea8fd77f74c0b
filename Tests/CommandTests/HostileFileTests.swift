import Foundation
import Model
import TestSupport
import Testing

@Suite("A file that must be refused")
struct HostileFileTests {
    /// What `probe` and `render` say of each file in `Fixtures/hostile`; none: it can be probed.
    private static let verdicts: [(name: String, probe: FailureCode?, render: FailureCode)] = [
        ("bitflips.mp4", nil, .damagedMedia), ("bomb.png", .tooManyPixels, .tooManyPixels),
        ("empty.mp4", .emptyFile, .emptyFile), ("garbage.mp4", .notMedia, .notMedia),
        ("list.ffconcat", .formatNotAllowed, .formatNotAllowed), ("manifest.mpd", .formatNotAllowed, .formatNotAllowed),
        ("playlist_http.m3u8", .formatNotAllowed, .formatNotAllowed),
        ("playlist_local.mp4", .formatNotAllowed, .formatNotAllowed), ("subs.srt", .notMedia, .notMedia),
        ("text.mp4", .notMedia, .notMedia), ("truncated.mp4", nil, .truncated),
        ("truncated_no_moov.mp4", .truncated, .truncated),
    ]

    @Test("is listed here")
    func complete() throws {
        let folder = "\(Fixture.repository)/Fixtures/hostile"
        #expect(try contents(ofFolder: folder) == Self.verdicts.map(\.name).sorted())
    }

    @Test("is refused by probe with its code", arguments: verdicts.map(\.name))
    func probe(name: String) throws {
        let verdict = try #require(Self.verdicts.first { $0.name == name })
        let result = try Command.reelpool("probe", "--json", Fixture.hostile(name))
        if let code = verdict.probe {
            try expectFailure(result, code)
        } else {
            #expect(result.status == 0)
        }
    }

    @Test("is refused by render with its code, and nothing is left", arguments: verdicts.map(\.name))
    func render(name: String) throws {
        let verdict = try #require(Self.verdicts.first { $0.name == name })
        try withTemporaryFolder { folder in
            let edit = try writeEdit(folder, source: Fixture.hostile(name))
            let result = try Command.reelpool("render", edit, "--output", "\(folder)/out.mp4", "--json")
            try expectFailure(result, verdict.render)
            #expect(try contents(ofFolder: folder) == ["edit.json"])
        }
    }

    @Test("is not a regular file")
    func notAFile() throws {
        try withTemporaryFolder { folder in
            _ = try Command.output("mkfifo", ["\(folder)/pipe"])
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/loop", withDestinationPath: "loop")
            for (path, code) in [
                (folder, FailureCode.notAFile), ("\(folder)/pipe", .notAFile), ("/dev/zero", .notAFile),
                ("/dev/null", .notAFile), ("\(folder)/none.mp4", .fileNotFound),
                ("\(folder)/none/x.mp4", .fileNotFound),
                ("", .fileNotFound), ("\(folder)/loop", .notReadable),
            ] {
                try expectFailure(try Command.reelpool("probe", "--json", path), code, path)
            }
        }
    }

    @Test("names what it is in words as well")
    func words() throws {
        let result = try Command.reelpool("probe", Fixture.hostile("empty.mp4"))
        #expect(result.status == 65)
        #expect(result.errors.hasPrefix("reelpool: ") && result.errors.contains("[empty_file]"))
    }

    @Test("that is cut short says so when it is probed")
    func truncatedProbe() throws {
        let result = try Command.reelpool("probe", "--json", Fixture.hostile("truncated.mp4"))
        let object = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        let container = try #require(object["container"] as? [String: Any])
        #expect(container["truncated"] as? Bool == true)
        let (intact, duration) = (container["intact_seconds"] as? Double, container["duration_seconds"] as? Double)
        #expect(try #require(intact) < (try #require(duration)))
    }
}

@Suite("Damaged sources")
struct SalvageTests {
    private struct Report: Decodable {
        struct Video: Decodable { var frames: Int }
        var video: Video
        var lostSeconds: Double
        var damagedPackets: Int
        var durationSeconds: Double
    }

    @Test("are rendered as far as they are intact when that is asked", arguments: ["truncated.mp4", "bitflips.mp4"])
    func salvage(name: String) throws {
        let path = Fixture.hostile(name)
        // The command decodes what it can and complains about the rest.
        let source = try ReferenceVideo(path)
        try withTemporaryFolder { folder in
            let edit = try writeEdit(folder, source: path, output: EditText.lossless)
            let output = "\(folder)/out.mp4"
            let result = try Command.reelpool("render", edit, "--output", output, "--salvage", "--json")
            try #require(result.status == 0, "\(result.errors)")
            let salvaged = try ReferenceVideo(output)
            #expect(salvaged.times == source.times)
            // What a decoder makes of damage depends on its threads; what is whole does not.
            if name == "truncated.mp4" { #expect(salvaged.hashes == source.hashes) }
            let report = try result.decoded(as: Report.self)
            #expect(report.video.frames == source.frames.count)
            #expect(report.damagedPackets > 0)
            let lost = 1 - source.end.seconds
            #expect(abs(report.lostSeconds - max(0, lost)) < 0.08, "of the one second that was recorded")
            #expect(abs(report.durationSeconds + report.lostSeconds - 1) < 0.08)
        }
    }

    @Test("are rendered without being asked where they are whole")
    func intactPart() throws {
        try withTemporaryFolder { folder in
            let edit = try writeEdit(
                folder, source: Fixture.hostile("truncated.mp4"), range: #","start_ms":0,"end_ms":200"#)
            let result = try Command.reelpool("render", edit, "--output", "\(folder)/out.mp4", "--json")
            #expect(result.status == 0, "\(result.errors)")
            #expect(try ReferenceVideo("\(folder)/out.mp4").frames.count == 3)
        }
    }
}
