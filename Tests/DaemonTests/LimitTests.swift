import Foundation
import Model
import PoolTestSupport
import TestSupport
import Testing

@Suite("Limits")
struct LimitTests {
    /// A render of pictures so large that it needs several times what these tests allow.
    private static func heavy(_ pool: RunningPool, _ size: String) async throws -> JSONValue {
        let source = "\(pool.out)/heavy-source.mp4"
        let words = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=\(size):r=25:d=3", "-c:v", "libx264"]
        let arguments = words + ["-preset", "ultrafast", "-y", source]
        _ = try await blocking { try Command.output("ffmpeg", arguments) }
        let range: JSONValue = ["source": "a", "start_ms": 0, "end_ms": 2900]
        return [
            "edit": ["sources": [["id": "a", "uri": .string(source)]], "timeline": [range]],
            "output": .string("\(pool.out)/large.mp4"), "mode": "full",
        ]
    }

    @Test("of memory end the job that breaks them, as such; the daemon and its other job go on")
    func memory() async throws {
        // Not even the worker's whole budget, which it is given on its second try, is enough.
        let settings = ["REELPOOL_MEMORY": "824m", "REELPOOL_OWNER_RUNNING": "9"]
            .merging(["RENDER", "PROXY", "ANALYSIS", "PROBE"].map { ("\($0)_MEMORY", "150m") }) { $1 }
        try await RunningPool.with(settings) { pool in
            let other = try await pool.submit(
                "render", ["edit": RunningPool.longEdit(minutes: 2), "output": .string("\(pool.out)/other.mp4")])
            let id = try await pool.submit("render", try await Self.heavy(pool, "3840x2160"))
            let job = try await pool.end(of: id)
            #expect(job["failure"]?["category"] == "limitExceeded" && job["failure"]?["code"] == "memory_limit")
            #expect(!FileManager.default.fileExists(atPath: "\(pool.out)/large.mp4"))
            #expect(try await pool.end(of: other)["state"] == "succeeded")
        }
    }

    @Test("of memory are raised once, on one thread, where a worker has more to offer")
    func overflow() async throws {
        try await RunningPool.with(["REELPOOL_SLOTS": "1", "RENDER_MEMORY": "200m", "REELPOOL_MEMORY": "3g"]) { pool in
            let id = try await pool.submit("render", try await Self.heavy(pool, "2560x1440"))
            let job = try await pool.end(of: id)
            #expect(job["state"] == "succeeded" && job["attempt"] == 2)
            let attempts = try #require(try await pool.job(id)["attempts"]?.arrayValue)
            #expect(attempts.map { $0["failure"]?["code"] ?? .null } == [.null, "memory_limit", .null])
        }
    }

    @Test(
        "are the job's own where they are lower, each with its code",
        arguments: [("wall_seconds", 1, "wall_time_limit"), ("output_bytes", 20_000, "output_too_large")])
    func caps(name: String, value: Int, code: String) async throws {
        try await RunningPool.with { pool in
            let id = try await pool.submit(
                "render", ["edit": RunningPool.longEdit(minutes: 20), "output": .string("\(pool.out)/long.mp4")],
                ["caps": [name: .integer(Int64(value))]])
            let job = try await pool.end(of: id)
            #expect(job["state"] == "failed" && job["failure"]?["code"] == .string(code))
            #expect(job["failure"]?["category"] == "limitExceeded" && job["attempt"] == 1)
            #expect(!FileManager.default.fileExists(atPath: "\(pool.out)/long.mp4"))
        }
    }

    @Test("of sources are checked before work is spent on them")
    func sources() async throws {
        try await RunningPool.with(["MAX_VIDEO_DURATION_MINUTES": "1"]) { pool in
            let long = "\(pool.out)/long.mp4"
            let words = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=5:d=70", "-y", long]
            _ = try await blocking { try Command.output("ffmpeg", words) }
            let id = try await pool.submit("proxy", ["source": .string(long), "output": .string("\(pool.out)/p")])
            let job = try await pool.end(of: id)
            #expect(job["failure"]?["code"] == "source_too_long" && job["failure"]?["category"] == "limitExceeded")
        }
    }

    @Test(
        "of where tasks may read and write are kept",
        arguments: ["/etc/passwd", "../../etc/passwd", "file:///etc/passwd", "/proc/self/environ"])
    func places(path: String) async throws {
        try await RunningPool.with { pool in
            let read = try await pool.end(of: try await pool.submit("probe", ["source": .string(path)]))
            #expect(read["state"] == "failed" && read["failure"]?["code"] == "source_not_allowed")
            let talk = JSONValue.string(Fixture.media("talk.mp4"))
            let write = try await pool.submit("proxy", ["source": talk, "output": .string(path + ".made")])
            #expect(try await pool.end(of: write)["failure"]?["code"] == "source_not_allowed")
        }
    }
}
