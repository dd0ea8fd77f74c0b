import Foundation
import Model
import TestSupport
import Testing

@Suite("Operators' commands")
struct OperatorTests {
    @Test("list jobs, all or some, and as many as wanted")
    func list() throws {
        try PoolUnderTest.with { pool in
            for index in 0..<5 { _ = try pool.submit("noop", "--delay", "3600", "--owner", "owner-\(index % 2)") }
            _ = try pool.submit("probe", "\(pool.folder)/media/none.mp4", "--owner", "owner-x")
            try eventually("the probe fails") { try pool.run("status", "--state", "failed").text.contains("probe") }
            func rows(_ arguments: String...) throws -> [Substring] {
                let result = try Command.run("env", pool.words(["status"] + arguments))
                #expect(result.status == 0, "\(result.errors)")
                return result.text.split(separator: "\n")
            }
            let all = try rows()
            #expect(all.count == 7 && all[0].hasPrefix("ID ") && all[1].contains("probe"), "newest first")
            #expect(try rows("--owner", "owner-0").count == 4)
            #expect(try rows("--kind", "probe").count == 2 && rows("--state", "scheduled").count == 6)
            #expect(try rows("--limit", "2").count == 3)
            let json = try JSONValue(parsing: try pool.run("status", "--json", "--limit", "4").text)
            #expect(json["jobs"]?.arrayValue?.count == 4)
            #expect(try pool.run("status", "--state", "asleep").errors.contains("[invalid_task]"))
        }
    }

    @Test("show everything about one job, with its attempts")
    func one() throws {
        try PoolUnderTest.with { pool in
            let id = try pool.submit("probe", "\(pool.folder)/media/none.mp4")
            try eventually("the probe fails") { try pool.job(id)["state"] == "failed" }
            let text = try pool.run("status", id).text
            for words in [id, "alice", "failed", "1 of 3", "[file_not_found]", "worker-1", "ATTEMPT", "none.mp4"] {
                #expect(text.contains(words), "\(words) in \(text)")
            }
            #expect(try pool.run("status", UUID().uuidString).errors.contains("there is no such job"))
        }
    }

    @Test("cancel and requeue, with a line for each job")
    func cancelAndRequeue() throws {
        try PoolUnderTest.with { pool in
            let (one, two) = (try pool.submit("noop", "--delay", "3600"), try pool.submit("noop", "--delay", "3600"))
            let nobody = UUID().uuidString.lowercased()
            let cancelled = try pool.run("cancel", one, nobody, two)
            #expect(cancelled.text == "\(one)  cancelled\n\(two)  cancelled\n")
            #expect(cancelled.errors == "reelpool: \(nobody): there is no such job [invalid_task]\n")
            #expect(cancelled.status == FailureCategory.invalidInput.exitStatus)
            let again = try pool.run("cancel", one)
            #expect(again.errors.contains("the job has ended: cancelled") && again.status != 0)
            let requeued = try pool.run("requeue", one)
            #expect(requeued.status == 0 && requeued.text.hasPrefix("\(one)  "))
            let retry = try #require(requeued.text.split(whereSeparator: \.isWhitespace).last.map(String.init))
            try eventually("it runs") { try pool.job(retry)["state"] == "succeeded" }
            #expect(try pool.job(retry)["retry_of"] == .string(one))
            #expect(try pool.run("requeue", one, "--json").errors.contains("invalid_task"))
            #expect(try pool.job(two)["state"] == "cancelled")
        }
    }

    @Test("list workers")
    func workers() throws {
        try PoolUnderTest.with { pool in
            try eventually("the worker reports") { try pool.run("workers").text.contains("worker-1") }
            let lines = try pool.run("workers").text.split(separator: "\n")
            #expect(lines.count == 2 && lines[0].hasPrefix("NAME "))
            for words in ["noop,probe", "0/1", "GiB", "working", "s ago"] {
                #expect(lines[1].contains(words), "\(lines)")
            }
            let json = try JSONValue(parsing: try pool.run("workers", "--json").text)
            #expect(json["workers"]?.arrayValue?.first?["name"] == "worker-1")
        }
    }

    @Test("need the token, and say what is wrong with service and URL")
    func access() throws {
        try PoolUnderTest.with { pool in
            let wrong = try pool.run("workers", "--token", "another-token")
            #expect(wrong.errors == "reelpool: a bearer token is needed [source_not_allowed]\n" && wrong.status != 0)
            let elsewhere = try pool.run("workers", "--url", "http://127.0.0.1:1")
            #expect(elsewhere.errors.contains("[transfer_failed]"))
            #expect(elsewhere.status == FailureCategory.dependencyUnavailable.exitStatus)
            let noURL = try pool.run("workers", "--url", "localhost")
            #expect(noURL.errors.contains("the service's URL is not an http or https URL"))
            // Something else listens there.
            let other = try HTTPTestServer.start()
            #expect(try pool.run("workers", "--url", other.url("")).errors.contains("[file_not_found]"))
            #expect(!wrong.errors.contains("another-token"))
        }
    }

    @Test("go to the service itself, whatever proxies the environment names")
    func proxies() throws {
        try PoolUnderTest.with { pool in
            let proxies = ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"].map { "\($0)=http://127.0.0.1:1" }
            let result = try pool.run("workers", environment: proxies)
            #expect(result.status == 0, "\(result.errors)")
        }
    }
}
