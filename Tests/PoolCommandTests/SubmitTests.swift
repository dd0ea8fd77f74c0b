import Foundation
import Model
import TestSupport
import Testing

@Suite("reelpool submit")
struct SubmitTests {
    @Test("sends a job with a path that is relative here, and prints its id")
    func probe() throws {
        try PoolUnderTest.with { pool in
            let child = try ChildProcess(
                "env", pool.words(["submit", "probe", "media/../media/clip.mp4"]), folder: pool.folder)
            let result = try child.wait()
            #expect(result.status == 0, "\(result.errors)")
            let id = result.text.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(UUID(uuidString: id) != nil)
            try eventually("the probe ends") { try pool.job(id)["finished_at"]?.isNull == false }
            let job = try pool.job(id)
            #expect(job["state"] == "succeeded" && job["owner"] == "alice")
            let real = URL(fileURLWithPath: "\(pool.folder)/media/clip.mp4").resolvingSymlinksInPath().path
            #expect(job["payload"]?["source"]?.stringValue == real)
            #expect(job["result"]?["report"]?["video"]?.arrayValue?.count == 1)
        }
    }

    @Test("goes on to the end with --watch, and ends as the work did")
    func watch() throws {
        try PoolUnderTest.with { pool in
            let good = try pool.run("submit", "probe", "\(pool.folder)/media/clip.mp4", "--watch")
            #expect(good.status == 0, "\(good.errors)")
            #expect(good.text.split(separator: "\n").last?.contains("succeeded in ") == true)
            #expect(good.errors.isEmpty)

            let bad = try pool.run("submit", "probe", "\(pool.folder)/media/none.mp4", "--watch")
            #expect(bad.status == FailureCategory.invalidInput.exitStatus)
            #expect(bad.text.split(separator: "\n").last?.contains("[file_not_found]") == true, "\(bad.text)")
        }
    }

    @Test("says who, when, how often and how urgently")
    func options() throws {
        try PoolUnderTest.with { pool in
            let id = UUID().uuidString.lowercased()
            let result = try pool.run(
                "submit", "noop", "--owner", "bob", "--tier", "2", "--id", id, "--delay", "3600", "--max-attempts", "7",
                "--json")
            #expect(result.status == 0, "\(result.errors)")
            let job = try JSONValue(parsing: result.text)
            #expect(job["id"]?.stringValue == id && job["owner"] == "bob" && job["tier"] == 2)
            #expect(job["max_attempts"] == 7 && job["state"] == "scheduled")
            // The same is one job.
            #expect(try pool.submit("noop", "--key", "k1") == pool.submit("noop", "--key", "k1"))
            #expect(try pool.submit("noop", "--key", "k1", "--owner", "x") != pool.submit("noop", "--key", "k1"))
        }
    }

    @Test("has the end told by a webhook, and refuses one that is plainly bad")
    func webhook() throws {
        try PoolUnderTest.with { pool in
            let server = try HTTPTestServer.start()
            let id = try pool.submit("noop", "--webhook", server.url("/hook/cli"))
            func heard() throws -> JSONValue { try JSONValue(parsing: try server.get("/received")) }
            try eventually("it is told") { try heard()["received"]?.arrayValue?.count == 1 }
            let item = try #require(try heard()["received"]?.arrayValue?.first)
            let body = try JSONValue(parsing: item["body"]?.stringValue ?? "")
            #expect(body["data"]?["id"]?.stringValue == id && body["type"] == "job.succeeded")
            #expect(item["headers"]?["reelpool-signature"]?.stringValue?.hasPrefix("t=") == true)
            for url in ["http://example.com/", "https://10.0.0.1/", "https://user@example.com/"] {
                let refused = try pool.run("submit", "noop", "--webhook", url)
                #expect(refused.status == FailureCategory.invalidInput.exitStatus)
                #expect(refused.errors.contains("webhook.url") && refused.errors.contains("[invalid_task]"))
            }
        }
    }

    @Test("completes each kind's task, an edit's sources from the edit's own folder")
    func tasks() throws {
        try PoolUnderTest.with { pool in
            let base = URL(fileURLWithPath: pool.folder).resolvingSymlinksInPath().path
            try write(
                #"{"sources":[{"id":"a","uri":"clip.mp4"},{"id":"b","uri":"s3://raw/b.mp4"}],"timeline":[{"source":"a"}]}"#,
                to: "\(base)/media/edit.json")
            func payload(_ arguments: String...) throws -> JSONValue? {
                let child = try ChildProcess("env", pool.words(["submit"] + arguments + ["--json"]), folder: base)
                let result = try child.wait()
                try #require(result.status == 0, "\(result.errors)")
                return try JSONValue(parsing: result.text)["payload"]
            }
            let render = try payload("render", "--edit", "media/edit.json", "-o", "new/out.mp4", "--salvage")
            let sources = render?["edit"]?["sources"]?.arrayValue
            #expect(sources?.compactMap { $0["uri"]?.stringValue } == ["\(base)/media/clip.mp4", "s3://raw/b.mp4"])
            #expect(render?["output"]?.stringValue == "\(base)/new/out.mp4" && render?["salvage"] == true)
            try write(#"{"edits":[{"start_ms":0,"end_ms":100}]}"#, to: "\(base)/cuts.json")
            let cuts = try payload("render", "media/clip.mp4", "--edit", "cuts.json", "-o", "s3://exports/a.mp4")
            #expect(cuts?["edit"]?["sources"]?.arrayValue?.first?["uri"]?.stringValue == "\(base)/media/clip.mp4")
            #expect(cuts?["output"] == "s3://exports/a.mp4")
            let proxy = try payload("proxy", "media/clip.mp4", "-o", "proxies/", "--when", "unplayable")
            #expect(proxy?["output"]?.stringValue == "\(base)/proxies/" && proxy?["when"] == "unplayable")
            let analysis = try payload("analysis", "media/clip.mp4", "--pacing", "80", "-o", "e.json")
            #expect(analysis?["pacing"] == 80 && analysis?["edit_output"]?.stringValue == "\(base)/e.json")
            let download = try payload("download", "https://example.com/a.mp4?b=c", "-o", "media/new.mp4")
            #expect(
                download == ["source": "https://example.com/a.mp4?b=c", "output": .string("\(base)/media/new.mp4")])
            try write(#"{"source":"as it is"}"#, to: "\(base)/task.json")
            #expect(try payload("probe", "--payload", "task.json") == ["source": "as it is"])
        }
    }

    @Test("shows what the service refuses, in one line with its code")
    func refused() throws {
        try PoolUnderTest.with { pool in
            try write(#"{"surce":"x"}"#, to: "\(pool.folder)/task.json")
            let result = try pool.run("submit", "probe", "--payload", "\(pool.folder)/task.json")
            #expect(result.status == FailureCategory.invalidInput.exitStatus && result.output.isEmpty)
            #expect(result.errors.hasPrefix("reelpool: ") && result.errors.hasSuffix("[unknown_field]\n"))
            #expect(result.errors.split(separator: "\n").count == 1)
            let json = try pool.run("submit", "probe", "--payload", "\(pool.folder)/task.json", "--json")
            #expect(try JSONValue(parsing: json.errors)["error"]?["code"] == "unknown_field")
            try write("{", to: "\(pool.folder)/task.json")
            let broken = try pool.run("submit", "probe", "--payload", "\(pool.folder)/task.json")
            #expect(broken.errors.contains("[invalid_json]"))
        }
    }

    @Test(
        "does not send what is incomplete or contradictory",
        arguments: [
            ["cook"], ["probe"], ["proxy", "a.mp4"], ["render", "-o", "x.mp4"], ["probe", "a", "-o", "x"],
            ["noop", "a.mp4"], ["analysis", "a", "--salvage"], ["probe", "a", "--payload", "x.json"],
            ["download", "https://example.com/a.mp4"], ["download", "-o", "x"], ["noop", "--delay", "-1"],
            ["probe", "a", "--pacing", "3"],
        ])
    func misuse(arguments: [String]) throws {
        let result = try Command.run(Fixture.program, ["submit"] + arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains("Usage: reelpool submit"))
    }
}
