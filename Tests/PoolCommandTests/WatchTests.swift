import Foundation
import Glibc
import Model
import TestSupport
import Testing

@Suite("reelpool watch")
struct WatchTests {
    @Test("follows several jobs, and ends as the first that did not succeed")
    func several() throws {
        try PoolUnderTest.with { pool in
            let good = try pool.submit("probe", "\(pool.folder)/media/clip.mp4")
            let missing = try pool.submit("probe", "\(pool.folder)/media/none.mp4")
            let cancelled = try pool.submit("noop", "--delay", "3600")
            #expect(try pool.run("cancel", cancelled).status == 0)
            let all = try pool.run("watch", good, missing, cancelled)
            #expect(all.status == FailureCategory.invalidInput.exitStatus)
            for (id, ending) in [(good, "succeeded"), (missing, "failed: "), (cancelled, "cancelled")] {
                #expect(all.text.contains("\(id.prefix(8))  \(ending)"), "\(all.text)")
            }
            #expect(try pool.run("watch", cancelled, missing).status == FailureCategory.cancelled.exitStatus)
            #expect(try pool.run("watch", good).status == 0)
        }
    }

    @Test("prints events as they come, an object a line")
    func events() throws {
        try PoolUnderTest.with { pool in
            let result = try pool.run("submit", "noop", "--delay", "1.5", "--watch", "--json")
            #expect(result.status == 0)
            let lines = try result.text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            let states = lines.filter { $0["event"] == "job" }.compactMap { $0["job"]?["state"]?.stringValue }
            #expect(states.first == "scheduled" && states.last == "succeeded")
        }
    }

    @Test("waits for a service that restarts")
    func restart() throws {
        try PoolUnderTest.with { pool in
            let id = try pool.submit("noop", "--delay", "5")
            let child = try ChildProcess("env", pool.words(["watch", id]))
            #expect(child.readLine()?.contains("scheduled") == true)
            pool.kill()
            #expect(child.readLine()?.contains("waits for the service") == true)
            try pool.start()
            let result = try child.wait()
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.text.split(separator: "\n").last?.contains("succeeded") == true)
        }
    }

    @Test("ends on Ctrl-C without touching the job", arguments: [SIGINT, SIGTERM])
    func interrupt(signal: Int32) throws {
        try PoolUnderTest.with { pool in
            let id = try pool.submit("noop", "--delay", "3600")
            // `env` becomes the command, so that the signal is for that.
            let child = try ChildProcess("env", pool.words(["watch", id]))
            #expect(child.readLine()?.contains("scheduled") == true)
            try #require(kill(child.identifier, signal) == 0)
            let result = try child.wait()
            #expect(result.status == FailureCategory.cancelled.exitStatus)
            #expect(result.errors.contains("reelpool watch \(id)"), "it says how to go on")
            #expect(try pool.job(id)["state"] == "scheduled")
        }
    }

    @Test("draws a bar on a terminal, and the reason of an end")
    func terminal() throws {
        try PoolUnderTest.with { pool in
            let (good, bad) = (
                try pool.submit("noop", "--delay", "1"), try pool.submit("probe", "\(pool.folder)/media/none.mp4")
            )
            let command = (["env"] + pool.words(["watch", good, bad], environment: ["NO_COLOR="])).map { "'\($0)'" }
                .joined(separator: " ")
            let result = try Command.run("script", ["-qec", command, "/dev/null"])
            #expect(result.status == FailureCategory.invalidInput.exitStatus, "\(result.text)")
            #expect(result.text.contains("\u{1B}[2A"), "lines are drawn anew in place")
            #expect(result.text.contains("\u{1B}[32m✓ noop     \(good.prefix(8))  succeeded"))
            #expect(result.text.contains("\u{1B}[31m✗ probe    \(bad.prefix(8))  failed"))
            #expect(result.text.contains("[file_not_found]"), "the last word is not cut off")
        }
    }

    @Test("ends at once where there is nothing to wait for")
    func nothing() throws {
        try PoolUnderTest.with { pool in
            let unknown = try pool.run("watch", UUID().uuidString)
            #expect(unknown.status == FailureCategory.invalidInput.exitStatus)
            #expect(unknown.text.contains("there is no such job"))
            pool.kill()
            let nobody = try pool.run("watch", UUID().uuidString)
            #expect(nobody.status == FailureCategory.dependencyUnavailable.exitStatus)
            #expect(nobody.text.contains("cannot be reached"))
        }
    }
}
