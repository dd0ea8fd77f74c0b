import Foundation
import Glibc
import Model
import PoolTestSupport
import TestSupport
import Testing

/// The pool as it is without any server.
@Suite("A pool on one machine")
struct OneMachineTests {
    @Test("takes a recording from its probe to its render, and tells how far it is")
    func mainJob() async throws {
        try await RunningPool.with { pool in
            let talk = Fixture.media("talk.mp4")
            let probe = try await pool.end(of: try await pool.submit("probe", ["source": .string(talk)]))
            #expect(probe["result"]?["report"]?["container"]?["duration_seconds"]?.doubleValue == 24)

            let proxy = try await pool.submit(
                "proxy", ["source": .string(talk), "output": .string("\(pool.out)/proxy")])
            let written = "\(pool.out)/pauses.json"
            let analysis = try await pool.submit(
                "analysis", ["source": .string(talk), "pacing": 80, "edit_output": .string(written)])
            let pauses = try await pool.end(of: analysis)
            let edit = try #require(pauses["result"]?["report"]?["edit"])
            #expect(edit["edits"]?.arrayValue?.isEmpty == false)
            #expect(try JSONValue(parsing: String(contentsOfFile: written, encoding: .utf8)) == edit)
            #expect(pauses["result"]?["outputs"]?["pauses.json"] == .string(written))
            #expect(try await pool.end(of: proxy)["state"] == "succeeded")
            for name in ["proxy.mp4", "sprite.jpg", "waveform.json", "audio.mp3"] {
                #expect(FileManager.default.fileExists(atPath: "\(pool.out)/proxy/\(name)"), "\(name)")
            }

            let render = try await pool.submit("render", ["edit": edit, "output": .string("\(pool.out)/tight.mp4")])
            let events = try await pool.events(of: render)
            let percents = events.filter { $0.name == "progress" }.compactMap {
                $0.data["progress_percent"]?.doubleValue
            }
            #expect(percents == percents.sorted() && percents.last == 100)
            #expect(events.last { $0.name == "job" }?.data["state"] == "succeeded")
            let frames = try await pool.job(render)["result"]?["report"]?["video"]?["frames"]?.integerValue
            #expect(try await Self.frames(of: "\(pool.out)/tight.mp4") == frames)
        }
    }

    /// As the reference decoder counts them.
    private static func frames(of path: String) async throws -> Int64? {
        let words = ["-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames"]
        let arguments = words + ["-of", "csv=p=0", path]
        let text = try await blocking { String(decoding: try Command.output("ffprobe", arguments), as: UTF8.self) }
        return Int64(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    @Test("stops a cancelled render at once, leaves nothing of it, and has its slot free")
    func cancel() async throws {
        try await RunningPool.with(["REELPOOL_SLOTS": "1"]) { pool in
            let id = try await pool.submit(
                "render", ["edit": RunningPool.longEdit(minutes: 20), "output": .string("\(pool.out)/long.mp4")])
            try await eventually("it renders") { try await pool.state(id) == "running" && !pool.children().isEmpty }
            let moment = ContinuousClock.now
            #expect(try await pool.post("/v1/jobs/\(id)/cancel").status == 202)
            #expect(try await pool.end(of: id)["state"] == "cancelled")
            let seconds = (ContinuousClock.now - moment) / .seconds(1)
            print("a cancelled render was stopped after \((seconds * 1000).rounded()) ms")
            // A second on a machine that does nothing else.
            #expect(seconds < 5)
            #expect(pool.children().isEmpty)
            let next = try await pool.submit("probe", ["source": .string(Fixture.media("talk.mp4"))])
            #expect(try await pool.end(of: next)["state"] == "succeeded")
            #expect(!FileManager.default.fileExists(atPath: "\(pool.out)/long.mp4"))
            #expect(try await pool.post("/v1/jobs/\(id)/cancel").status == 409)
        }
    }

    @Test("hands its jobs back on SIGTERM without counting an attempt, and goes on with them when it is back")
    func drain() async throws {
        try await RunningPool.with(["REELPOOL_DRAIN_SECONDS": "0"]) { pool in
            let id = try await pool.submit(
                "render", ["edit": RunningPool.longEdit(minutes: 1), "output": .string("\(pool.out)/o.mp4")])
            try await eventually("it renders") { try await pool.state(id) == "running" && !pool.children().isEmpty }
            let children = pool.children()
            pool.daemon.signal(SIGTERM)
            #expect(await pool.daemon.ended(within: 30))
            #expect(children.allSatisfy { kill($0, 0) != 0 })
            try pool.daemon.start()
            try await eventually("it answers again") { (try? await pool.get("/livez").status) == 200 }
            let job = try await pool.end(of: id)
            #expect(job["state"] == "succeeded" && job["attempt"] == 1)
            let attempts = try #require(try await pool.job(id)["attempts"]?.arrayValue)
            #expect(attempts.contains { $0["failure"]?["code"] == "drained" })
        }
    }

    @Test("tries what crashed once more, and then no more; other jobs notice nothing")
    func crash() async throws {
        // A job has one process throughout.
        try await RunningPool.with(["REELPOOL_CHUNK_SECONDS": "0"]) { pool in
            let other = try await pool.submit(
                "render", ["edit": RunningPool.longEdit(minutes: 2), "output": .string("\(pool.out)/other.mp4")])
            let bystander = try await Self.child(of: pool, besides: [])
            let id = try await pool.submit(
                "render", ["edit": RunningPool.longEdit(minutes: 20), "output": .string("\(pool.out)/long.mp4")])
            let first = try await Self.child(of: pool, besides: [bystander])
            kill(first, SIGSEGV)
            let second = try await Self.child(of: pool, besides: [bystander, first])
            #expect(try await pool.job(id)["attempt"] == 2)
            kill(second, SIGSEGV)
            let job = try await pool.end(of: id)
            #expect(job["state"] == "dead" && job["failure"]?["code"] == "crashed")
            #expect(!FileManager.default.fileExists(atPath: "\(pool.out)/long.mp4"))
            #expect(try await pool.end(of: other)["state"] == "succeeded")
        }
    }

    /// The process that a job has come to stay in, after those that only looked at its sources.
    private static func child(of pool: RunningPool, besides known: [Int32]) async throws -> Int32 {
        var last: Int32?
        var looks = 0
        try await eventually("a job's process stays") {
            let now = pool.children().first { !known.contains($0) }
            looks = now != nil && now == last ? looks + 1 : 0
            last = now
            return looks == 20
        }
        return try #require(last)
    }
}
