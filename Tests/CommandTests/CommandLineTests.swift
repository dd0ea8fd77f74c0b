import Foundation
import Model
import TestSupport
import Testing

@Suite("The command line")
struct CommandLineTests {
    private static let clip = Fixture.media("no_audio.mp4")

    @Test("explains itself", arguments: [[], ["probe"], ["render"]])
    func help(command: [String]) throws {
        let result = try Command.run(Fixture.program, command + ["--help"])
        #expect(result.status == 0)
        #expect(result.text.contains("USAGE: reelpool"))
        #expect(result.errors.isEmpty)
    }

    @Test(
        "that cannot be understood ends with status 64 and a usage",
        arguments: [
            ["--nonsense"], ["nonsense"], ["probe"], ["render", "edit.json"],
            ["render", "edit.json", "-o", "x", "--threads", "0"],
            ["render", "edit.json", "-o", "x", "--threads", "many"], ["render", "e", "-o", "x", "--progress", "loud"],
        ])
    func misuse(arguments: [String]) throws {
        let result = try Command.run(Fixture.program, arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains("Usage: reelpool"))
    }

    // MARK: probe

    @Test("probes several files, one JSON object a line, whatever becomes of the others")
    func severalFiles() throws {
        let files = [Self.clip, Fixture.hostile("empty.mp4"), Fixture.media("tone.wav"), Fixture.hostile("bomb.png")]
        let result = try Command.run(Fixture.program, ["probe", "--json"] + files)
        #expect(result.status == FailureCategory.invalidInput.exitStatus, "that of the first failure")
        let lines = result.text.split(separator: "\n")
        try #require(lines.count == files.count)
        let objects = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:] }
        #expect(objects.map { $0["file"] as? String } == files)
        let codes = objects.map { ($0["error"] as? [String: Any])?["code"] as? String }
        #expect(codes == [nil, "empty_file", nil, "too_many_pixels"])
    }

    @Test("tells people in a few lines what a file is")
    func summary() throws {
        let result = try Command.reelpool("probe", Fixture.media("rotated90.mp4"))
        #expect(result.status == 0)
        #expect(result.text.contains("h264") && result.text.contains("180x320") && result.text.contains("aac"))
    }

    // MARK: render

    @Test("renders an edit whose sources lie beside it, from anywhere")
    func relativeSource() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: "\(folder)/edit", withIntermediateDirectories: false)
            try FileManager.default.copyItem(atPath: Self.clip, toPath: "\(folder)/edit/clip.mp4")
            _ = try writeEdit("\(folder)/edit", source: "clip.mp4", range: #","end_ms":200"#)
            let child = try ChildProcess(
                Fixture.program, ["render", "edit/edit.json", "-o", "out.mp4", "--json"], folder: folder)
            let result = try child.wait()
            #expect(result.status == 0, "\(result.errors)")
            #expect(try ReferenceVideo("\(folder)/out.mp4").frames.count == 6)
        }
    }

    @Test("reads an edit from its standard input")
    func standardInput() throws {
        try withTemporaryFolder { folder in
            let edit = try writeEdit(folder, source: Self.clip, range: #","end_ms":200"#)
            let result = try Command.run(
                "sh",
                ["-c", #""$1" render - --output "$2/out.mp4" --json < "$3""#, "sh", Fixture.program, folder, edit])
            #expect(result.status == 0, "\(result.errors)")
            #expect(try ReferenceVideo("\(folder)/out.mp4").frames.count == 6)
        }
    }

    @Test("prints the plan and renders nothing")
    func plan() throws {
        try withTemporaryFolder { folder in
            let edit = try writeEdit(folder, source: Self.clip, range: #","start_ms":500,"end_ms":700"#)
            let words = ["render", edit, "--output", "\(folder)/out.mp4", "--plan"]
            let shown = try Command.run(Fixture.program, words)
            #expect(shown.status == 0 && shown.text.contains("0.5-0.7"), "\(shown.text)")
            #expect(shown.text.contains("everything is encoded: "), "\(shown.text)")
            let result = try Command.run(Fixture.program, words + ["--json"])
            #expect(result.status == 0)
            let plan = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
            let segment = try #require((plan["segments"] as? [[String: Any]])?.first)
            #expect(segment["start"] as? String == "1/2" && segment["end"] as? String == "7/10")
            #expect(segment["treatment"] as? String == "encode")
            #expect(try contents(ofFolder: folder) == ["edit.json"])
        }
    }

    @Test("tells its progress as JSON lines that never go back")
    func progress() throws {
        try withTemporaryFolder { folder in
            let edit = try writeEdit(folder, source: Self.clip)
            let result = try Command.reelpool(
                "render", edit, "--output", "\(folder)/out.mp4", "--progress", "json", "--json")
            #expect(result.status == 0)
            let events = try result.errors.split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
            }
            let fractions = events.compactMap { $0["fraction"] as? Double }
            #expect(fractions.count == events.count && fractions == fractions.sorted())
            #expect(fractions.last == 1)
            #expect(events.first?["phase"] as? String == "probing")
            #expect(events.last?["phase"] as? String == "completed")
            #expect(events.last?["frames"] as? Int == 90)
            let report = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
            #expect((report?["video"] as? [String: Any])?["frames"] as? Int == 90)
        }
    }

    @Test("is silent on standard error when there is no terminal")
    func quiet() throws {
        try withTemporaryFolder { folder in
            let edit = try writeEdit(folder, source: Self.clip, range: #","end_ms":200"#)
            let result = try Command.reelpool("render", edit, "--output", "\(folder)/out.mp4")
            #expect(result.errors.isEmpty && result.status == 0)
            #expect(result.text.contains("6 frames"))
        }
    }

    @Test("gives a faulty edit its code and status")
    func faultyEdits() throws {
        try withTemporaryFolder { folder in
            func check(_ json: String, _ code: FailureCode) throws {
                try write(json, to: "\(folder)/edit.json")
                let result = try Command.reelpool("render", "\(folder)/edit.json", "-o", "\(folder)/out.mp4", "--json")
                try expectFailure(result, code, json)
                #expect(try contents(ofFolder: folder) == ["edit.json"])
            }
            let source = #""sources":[{"id":"a","uri":"\#(Self.clip)"}]"#
            try check("", .emptyFile)
            try check("{", .invalidJSON)
            try check(#"{\#(source),"timeline":[{"source":"a","start_ms":NaN}]}"#, .invalidJSON)
            try check(#"{\#(source),"timelime":[]}"#, .unknownField)
            try check(#"{\#(source),"timeline":[{"source":"a","start_ms":"x"}]}"#, .invalidEdit)
            try check(#"{\#(source),"timeline":[{"source":"b"}]}"#, .unknownSource)
            try check(#"{\#(source),"timeline":[{"source":"a","start_ms":2000,"end_ms":1000}]}"#, .rangeReversed)
            try check(#"{\#(source),"timeline":[{"source":"a","start_ms":60000}]}"#, .rangeOutOfBounds)
            try check(#"{\#(source),"timeline":[]}"#, .editKeepsNothing)
            try check(#"{\#(source),"edits":[{"start_ms":0,"end_ms":3000}]}"#, .editKeepsNothing)
            try check(#"{\#(source),"timeline":[{"source":"a","start_ms":1,"end_ms":2}]}"#, .editKeepsNothing)
            try check(
                #"{\#(source),"timeline":[{"source":"a"}],"output":{"container":"webm","video":{"codec":"h264"}}}"#,
                .codecNotInContainer)
            try check(#"{"sources":[{"id":"a","uri":"none.mp4"}],"timeline":[{"source":"a"}]}"#, .fileNotFound)
        }
        try expectFailure(try Command.reelpool("render", "/none/edit.json", "-o", "x.mp4", "--json"), .fileNotFound)
    }

    @Test("cannot write where it must not")
    func outputs() throws {
        try withTemporaryFolder { folder in
            let edit = try writeEdit(folder, source: Self.clip, range: #","end_ms":200"#)
            for output in ["\(folder)/none/out.mp4", folder, "/proc/out.mp4", "/dev/full/x.mp4"] {
                let result = try Command.reelpool("render", edit, "--output", output, "--json")
                try expectFailure(result, .outputNotWritable, output)
            }
            #expect(try contents(ofFolder: folder) == ["edit.json"])
        }
    }
}
